"""Listening to a job that ends, waits or is interrupted while a person is asked."""

import signal
from collections.abc import Iterator

import pytest
from workshop_fakes import RECOVERY, FakeFeed, FakeJob, FakeWorkshop

from liveos_tui.commands import following
from liveos_tui.commands.following import follow
from liveos_tui.commands.narration import Narrator
from liveos_tui.commands.working import Manner, work
from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.jobs.events import EndEvent, JobState, StepEvent, StepState, WaitingEvent
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.model import Operation
from liveos_tui.plans.model import Plan

ENDED = LiveosError("The job recover-1 is not at work any more: it is done.")


def interrupted_sleep(seconds: float) -> None:
    """Ctrl+C comes while nothing happens."""
    raise KeyboardInterrupt


def test_a_job_that_ends_while_ctrl_c_asks_is_told_as_it_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = FakeJob(RECOVERY)
    workshop = FakeWorkshop(known={"recover-1": job}, refusals={"cancel": ENDED})

    def answer(_question: str) -> str:
        job.end(JobState.DONE, "The overlay is well again.")
        return "c"

    monkeypatch.setattr(following, "can_ask", lambda: True)
    monkeypatch.setattr(following, "ask", answer)
    said: list[str] = []
    code = follow(
        workshop, "recover-1", RECOVERY, Narrator(said.append, None), sleep=interrupted_sleep
    )

    assert code == 0
    assert "The overlay is well again." in "".join(said)
    assert "It was too late to cancel it." in "".join(said)
    assert capsys.readouterr().err == ""


def test_a_job_that_is_to_end_does_not_ask_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It had told that it waits before it heard of the end."""
    job = FakeJob(RECOVERY)
    workshop = FakeWorkshop(known={"recover-1": job})

    monkeypatch.setattr(following, "can_ask", lambda: True)
    monkeypatch.setattr(following, "ask", lambda _question: "c")
    pressed = iter([True])

    def sleep(_seconds: float) -> None:
        if next(pressed, False):
            raise KeyboardInterrupt

    def agree() -> bool:
        raise AssertionError

    said: list[str] = []
    narrator = Narrator(said.append, None)
    monkeypatch.setattr(workshop, "cancel", lambda _job: None)
    polls = iter([[], [WaitingEvent(1)], [EndEvent(JobState.CANCELLED, "Cancelled.")]])
    monkeypatch.setattr(FakeFeed, "poll", lambda _feed: next(polls))

    assert follow(workshop, "recover-1", RECOVERY, narrator, agree=agree, sleep=sleep) == 130
    assert "waits" not in "".join(said)


class PressedEarly(FakeWorkshop):
    """Ctrl+C comes while the plan is made, or while the worker is started."""

    def __init__(self, when: str) -> None:
        super().__init__(by_itself=False)
        self._when = when

    def propose(self, target: str, wish: Wish) -> Proposal:
        if self._when == "propose":
            signal.raise_signal(signal.SIGINT)
        return super().propose(target, wish)

    def start(self, plan: Plan, *, allowed: int | None = None) -> str:
        if self._when == "start":
            signal.raise_signal(signal.SIGINT)
        return super().start(plan, allowed=allowed)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl+C is heard, as at a terminal, whoever runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_a_job_is_begun_says_what_became_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workshop = PressedEarly("start")
    code = work(workshop, "/dev/sdc1", Wish(Operation.RECOVER), Manner(yes=True))

    assert code == 130
    (job,) = workshop.known
    assert f"It goes on: liveos-tui jobs attach {job}" in capsys.readouterr().err


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_before_a_job_is_begun_says_that_nothing_was_changed() -> None:
    workshop = PressedEarly("propose")
    with pytest.raises(CancelledError) as told:
        work(workshop, "/dev/sdc1", Wish(Operation.RECOVER), Manner(yes=True))

    assert told.value.hint == "Nothing was changed."
    assert not workshop.known


def test_what_a_job_has_waited_for_and_got_is_not_asked_again() -> None:
    job = FakeJob(RECOVERY)
    job.tell(WaitingEvent(1), StepEvent(1, StepState.RUNNING))
    job.end(JobState.DONE, "The overlay is well again.")
    workshop = FakeWorkshop(known={"recover-1": job})
    said: list[str] = []

    def agree() -> bool:
        raise AssertionError

    follow(workshop, "recover-1", RECOVERY, Narrator(said.append, None), agree=agree)

    assert "waits" not in "".join(said)
