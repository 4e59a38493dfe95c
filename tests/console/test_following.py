"""Listening to a job that ends, waits or is interrupted while a person is asked."""

import pytest
from workshop_fakes import RECOVERY, FakeJob, FakeWorkshop

from liveos_tui.commands import following
from liveos_tui.commands.following import follow
from liveos_tui.commands.narration import Narrator
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import JobState, StepEvent, StepState, WaitingEvent

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
