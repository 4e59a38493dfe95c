"""A merge as a person leads it: plan, name, phases, result; cancelled, left and found again."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from console_fakes import BROKEN, INVALID, STICK, THIS, FakeMachine, clock
from console_harness import ASCII, PLAIN, opened, rows, text, until
from merge_fakes import (
    FACTS,
    MERGE,
    MIRRORED,
    compressing,
    ended,
    exchanged,
    merged,
    mirroring,
    proposed,
    torn,
)
from workshop_fakes import FakeWorkshop

from liveos_tui.console.app import Console
from liveos_tui.console.screens.confirm import Confirm
from liveos_tui.console.screens.dashboard import Dashboard
from liveos_tui.console.screens.engine import EngineChoice
from liveos_tui.console.screens.jobs import Jobs
from liveos_tui.console.screens.log import Log
from liveos_tui.console.screens.merge import Merge
from liveos_tui.console.views.phases import took_words
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import (
    CommandEvent,
    JobState,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
)
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.model import Operation, Possibility
from liveos_tui.plans.actions import Engine

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from workshop_fakes import FakeJob

    from liveos_tui.system.terminal import TerminalProfile

MERGEABLE = replace(
    STICK,
    target=replace(INVALID.target, label="STICK2", uuid="0BAD-F00D"),
    findings=(),
    operations=(Possibility(Operation.MERGE, True),),
)


def with_job(job: "FakeJob") -> FakeWorkshop:
    workshop = FakeWorkshop(known={"merge-1": job}, by_itself=False)
    workshop.answers[Operation.MERGE] = proposed
    return workshop


def console(workshop: FakeWorkshop | None = None, terminal: "TerminalProfile" = PLAIN) -> Console:
    if workshop is None:
        workshop = FakeWorkshop(by_itself=False)
        workshop.answers.setdefault(Operation.MERGE, proposed)
    machine = FakeMachine({"/dev/sdc1": MERGEABLE}, (THIS, BROKEN))
    return Console(machine, "/dev/sdc1", terminal, clock, workshop)


def row_with(app: Console, words: str) -> str:
    return next(row for row in rows(app) if words in row)


async def shows(pilot: "Pilot[int]", words: str) -> None:
    app = pilot.app
    assert isinstance(app, Console)
    await until(pilot, lambda: words in " ".join(text(app).replace("│", " ").split()))


async def press(pilot: "Pilot[int]", *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def plan_shown(pilot: "Pilot[int]") -> None:
    await press(pilot, "m")
    await shows(pilot, "What will be done")


async def job_shown(pilot: "Pilot[int]", words: str) -> None:
    await press(pilot, "j", "enter")
    await shows(pilot, words)


# The plan.


async def test_m_shows_the_plan_and_changes_nothing() -> None:
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        assert isinstance(app.screen, Merge)
        page = text(app)
        for words in ("4 to 6 minutes", "1.3 GiB needed, 1.7 GiB there", "The way back"):
            assert words in page
        assert "Nothing has been written. Leaving changes nothing." in page
        assert rows(app)[-1].startswith(" Enter Merge it   e Engine   Esc Leave")
        await press(pilot, "escape")
        assert isinstance(app.screen, Dashboard)
    assert workshop.calls == [("propose", "/dev/sdc1", Wish(Operation.MERGE))]


async def test_the_plan_is_read_to_its_end_with_the_arrow_keys() -> None:
    app = console()
    async with opened(app) as pilot:
        await plan_shown(pilot)
        assert "1  Lock, check again" not in text(app)
        await press(pilot, *["down"] * 5)
        assert "What will be done" not in text(app)
        await press(pilot, "end")
        assert "$ e2fsck -f -n VIEW" in text(app)
        assert "7  Empty the overlay" in text(app)
        await press(pilot, "home")
        assert "What will be done" in text(app)


async def test_what_cannot_be_merged_says_why_and_nothing_can_be_begun() -> None:
    workshop = with_job(merged())
    workshop.answers[Operation.MERGE] = Proposal(
        FACTS, None, "The overlay is empty: there is nothing to merge.", nothing_to_do=True
    )
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "m")
        await shows(pilot, "there is nothing to merge")
        assert rows(app)[-1].startswith(" Esc Leave")
        await press(pilot, "enter", "e")
        assert isinstance(app.screen, Merge)
    assert not workshop.asked("start")


async def test_a_stick_that_cannot_be_looked_at_is_told_with_its_hint() -> None:
    workshop = with_job(merged())
    workshop.answers[Operation.MERGE] = LiveosError("It cannot be read.", "Plug it in again.")
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "m")
        await shows(pilot, "ERROR It cannot be read. Plug it in again.")


# The engine.


async def test_another_engine_is_chosen_before_the_plan_is_confirmed() -> None:
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "e")
        assert isinstance(app.screen, EngineChoice)
        assert "Planned now." in text(app)
        await press(pilot, *"/mnt/work", "enter")
        await shows(pilot, "in /mnt/work: 2.0 GiB needed, 40 GiB there")
        await press(pilot, "e", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, Merge))
        assert "/mnt/work" not in text(app)
    asked = [wish for _, wish in workshop.asked("propose")]
    assert asked == [
        Wish(Operation.MERGE),
        Wish(Operation.MERGE, engine=Engine.MIRROR, work="/mnt/work"),
        Wish(Operation.MERGE, engine=Engine.STREAM, work="/mnt/work"),
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "The mirror needs a folder on another disk: type it first."),
        ("work", "Write the folder from the root on, as /mnt/work."),
        ("/tmp", "The mirror needs 2.0 GiB in /tmp, where 12 MiB are free."),
    ],
)
async def test_an_engine_that_cannot_be_is_one_sentence_and_the_plan_stays(
    typed: str, sentence: str
) -> None:
    app = console()
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "e", *typed, "enter")
        await shows(pilot, sentence)
        await press(pilot, "escape")
        assert isinstance(app.screen, Merge)
        assert "Enter Merge it" in text(app)


# The confirmation.


async def test_the_name_is_typed_and_the_focus_is_on_cancel() -> None:
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, Confirm)
        assert "» [ Cancel ]" in text(app)
        assert "LiveOS/squashfs.alt: the new image" in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, Merge)
        await press(pilot, "enter", "up", *"STICK1", "enter")
        assert "That is not its name: it is STICK2. Nothing is done." in text(app)
    assert not workshop.asked("start")


async def test_what_is_typed_on_a_button_goes_to_the_field() -> None:
    workshop = FakeWorkshop()
    workshop.answers[Operation.MERGE] = proposed
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "enter", *"STICK2", "enter")
        await shows(pilot, "7 of 7")


async def test_all_phases_follow_one_confirmation() -> None:
    workshop = FakeWorkshop()
    workshop.answers[Operation.MERGE] = proposed
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "enter", "up", *"STICK2", "enter")
        await shows(pilot, "7 of 7")
    assert workshop.asked("start") == [(Operation.MERGE, None)]
    assert not workshop.asked("allow")


async def test_what_is_begun_here_is_followed_from_its_first_phase_on() -> None:
    workshop = FakeWorkshop(by_itself=False)
    workshop.answers[Operation.MERGE] = proposed
    app = console(workshop)
    async with opened(app) as pilot:
        await plan_shown(pilot)
        await press(pilot, "enter", "up", *"STICK2", "enter")
        await shows(pilot, "0 of 7")
        job = workshop.known["merge-1"]
        await until(pilot, lambda: job.listeners == 1)
        assert "» " in row_with(app, "Lock, check again")
        job.tell(*ended(0, 1.0, 0.2, "Locked."), StepEvent(1, StepState.RUNNING, at=1.2))
        await until(pilot, lambda: "┌─ Check the file system" in text(app))
        assert "» RUN  Check the file system" in text(app)
        assert "c Cancel: it stops at once." in text(app)


# The phases.


async def test_a_phase_that_runs_has_bar_percent_rate_and_the_time_that_is_left() -> None:
    app = console(with_job(mirroring()))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        row = row_with(app, "RUN")
        assert row.startswith("│ » RUN  Mirror the view")
        assert "█" in row
        assert "░" in row
        assert row.rstrip("│ ").endswith("57 %     61 MiB/s   0:12 left")


async def test_a_phase_that_is_done_has_its_duration_and_what_came_of_it() -> None:
    app = console(with_job(mirroring()))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        row = row_with(app, "Check the file system")
        assert row.strip("│ ").split(maxsplit=5)[-1] == "4.5 s  e2fsck has found nothing."
        assert row_with(app, "Exchange the images").strip("│ ") == "Exchange the images"


async def test_the_output_streams_below_with_its_program() -> None:
    job = mirroring()
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "293/512")
        assert "dmsetup  copying" in row_with(app, "┌─ Mirror the view")
        job.tell(OutputEvent(2, "0 4194304 mirror 2 254:2 7:6 300/512 1 AA 1 core"))
        await shows(pilot, "300/512")


async def test_output_without_end_leaves_the_phases_where_they_are() -> None:
    job = mirroring()
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        before = rows(app)[:11]
        job.tell(*(OutputEvent(2, f"line {number} " + "x" * 90) for number in range(3000)))
        await shows(pilot, "line 2999")
        assert rows(app)[:11] == before
        log = app.screen.conduct.log if isinstance(app.screen, Merge) else None
        assert log is not None
        assert len(log.steps[2].lines) <= 1000


async def test_a_phase_of_unknown_length_shows_that_it_works() -> None:
    job = compressing()
    job.tell(StepEvent(3, StepState.DONE, "Made.", at=200.0), StepEvent(4, StepState.RUNNING))
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "RUN Read back and compare")
        row = row_with(app, "RUN")
        assert "working" in row
        assert isinstance(app.screen, Merge)
        app.screen.next_beat()
        await until(pilot, lambda: row_with(app, "RUN") != row)


async def test_the_screen_follows_from_phase_to_phase() -> None:
    job = mirroring()
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        job.tell(
            StepEvent(2, StepState.DONE, "It is mirrored.", at=140.0),
            StepEvent(3, StepState.RUNNING, at=140.0),
            CommandEvent(3, ("/usr/bin/mksquashfs", "-", "LiveOS/squashfs.alt")),
            ProgressEvent(3, "compressing", 0.1),
        )
        await shows(pilot, "Make the new image")
        await until(pilot, lambda: "┌─ Make the new image" in text(app))
        assert "mksquashfs  compressing" in text(app)
        assert "» RUN  Make the new image" in text(app)


async def test_another_phase_is_read_about_while_the_job_goes_on() -> None:
    job = mirroring()
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        await press(pilot, "down", "down", "down")
        assert "┌─ Exchange the images" in text(app)
        assert "The names are exchanged back." in text(app)
        job.tell(ProgressEvent(2, "copying", 0.8))
        await shows(pilot, "80 %")
        assert "┌─ Exchange the images" in text(app)


async def test_the_log_has_everything() -> None:
    app = console(with_job(mirroring()))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        await press(pilot, "l")
        assert isinstance(app.screen, Log)
        assert "Pass 5: Checking group summary information" in text(app)


# Cancel, leave, come back.


async def test_the_screen_says_what_cancelling_and_leaving_leave() -> None:
    workshop = with_job(mirroring())
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        assert "c Cancel: it stops at once. Nothing has been written" in text(app)
        assert "Leave: the job goes on by itself." in text(app)
    workshop = with_job(compressing())
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "34 %")
        assert "Undo: The new image is removed." in text(app)
        assert "then u puts all back as it was, or r goes on." in text(app)


async def test_paused_it_says_what_it_leaves_and_goes_on_by_the_same_key() -> None:
    workshop = with_job(compressing())
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "34 %")
        assert "p Pause" in rows(app)[-1]
        await press(pilot, "p")
        await shows(pilot, "Paused: nothing is read or written, and nothing is undone.")
        assert "34 %" in row_with(app, "HOLD Make the new image")
        assert "paused" in row_with(app, "HOLD Make the new image")
        assert "p Go on" in rows(app)[-1]
        await press(pilot, "p")
        await shows(pilot, "RUN Make the new image")
    assert workshop.asked("pause") == workshop.asked("go_on") == [("merge-1",)]


async def test_a_pause_between_two_steps_ends_by_the_same_key() -> None:
    job = mirroring()
    job.tell(*ended(2, 1.0, 1.0, "Mirrored."), PausedEvent(3, paused=True))
    workshop = with_job(job)
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "Paused: nothing is read or written")
        assert "p Go on" in rows(app)[-1]
        await press(pilot, "p")
        await until(pilot, lambda: "p Go on" not in rows(app)[-1])
    assert workshop.asked("go_on") == [("merge-1",)]


async def test_what_going_back_would_undo_is_said_in_phases_that_write_nothing_too() -> None:
    job = compressing()
    job.tell(*ended(3, 1.0, 1.0, "Made."), StepEvent(4, StepState.RUNNING, at=2.0))
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "RUN Read back and compare")
        assert "Undo: The new image is removed." in text(app)


async def test_a_phase_that_ends_before_it_is_cancelled_says_so() -> None:
    job = compressing()
    job.tell(*ended(3, 1, 1, "Made."), *ended(4, 2, 1, "Equal."), StepEvent(5, StepState.RUNNING))
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "RUN Exchange the images")
        assert "c Cancel: it stops after this phase; then u puts all back" in text(app)


async def test_cancelled_one_key_puts_everything_back() -> None:
    job = compressing()
    workshop = with_job(job)
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "34 %")
        await press(pilot, "c")
        await shows(pilot, "It was cancelled.")
        await shows(pilot, "u Go back")
        assert "STOP Make the new image" in text(app)
        await press(pilot, "u")
        await shows(pilot, "The overlay is as it was.")
    assert workshop.asked("cancel") == [("merge-1",)]
    assert workshop.asked("roll_back") == [("merge-1", "/dev/sdc1")]


async def test_going_back_from_a_merge_that_is_done_asks_first() -> None:
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "u Go back")
        await press(pilot, "u")
        assert "» [ Cancel ]" in text(app)
        assert "Undo it all" in text(app)
    assert not workshop.asked("roll_back")


@pytest.mark.parametrize("way", [("m",), ("j", "enter")])
async def test_leaving_leaves_the_job_and_coming_back_finds_it(way: tuple[str, ...]) -> None:
    job = mirroring()
    workshop = with_job(job)
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: bool(app.jobs))
        await press(pilot, "m")
        await shows(pilot, "57 %")
        await press(pilot, "escape")
        await until(pilot, lambda: job.listeners == 0)
        assert isinstance(app.screen, Dashboard)
        assert "m Merge" in rows(app)[-1]
        job.tell(StepEvent(2, StepState.DONE, "It is mirrored.", at=141.0))
        job.tell(StepEvent(3, StepState.RUNNING, at=141.0), ProgressEvent(3, "compressing", 0.05))
        await press(pilot, *way)
        await shows(pilot, "5 %")
        assert "4.5 s  e2fsck has found nothing." in text(app)
        assert row_with(app, "Mirror the view").split()[5:7] == ["36", "s"]
    assert not workshop.asked("cancel")
    assert not workshop.asked("propose")


async def test_a_worker_that_is_gone_is_told_with_both_ways() -> None:
    job = compressing()
    workshop = with_job(job)
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "34 %")
        job.state, job.message = JobState.INTERRUPTED, "Its worker is gone."
        job.can_resume = job.can_roll_back = True
        app.look_at_jobs()
        await shows(pilot, "Its worker is gone.")
        assert rows(app)[-1].startswith(" r Go on   u Go back   l Log   j Jobs")


# The result.


async def test_the_result_says_what_to_do_next_and_that_the_old_image_stays() -> None:
    job = compressing()
    workshop = with_job(job)
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "34 %")
        exchanged(job)
        job.can_roll_back = True
        job.end(JobState.DONE, "It is merged.", "Boot the stick.", ("The new image has 1.2 GiB.",))
        await shows(pilot, "What to do now")
        await shows(pilot, "Jobs: f there removes the old image")
        page = text(app)
        assert row_with(app, "Result  ").split()[2:5] == ["Result", "2:44", "DONE"]
        assert "The new image has 1.2 GiB." in page
        assert "Leave:" not in page


async def test_a_duration_with_a_pause_in_it_says_so() -> None:
    job = compressing()
    job.tell(PausedEvent(3, paused=True), PausedEvent(3, paused=False))
    exchanged(job)
    job.end(JobState.DONE, "It is merged.")
    app = console(with_job(job))
    async with opened(app) as pilot:
        await job_shown(pilot, "It is merged.")
        assert "2:44  DONE   The time includes a pause." in row_with(app, "Result  ")


async def test_a_failure_says_what_and_what_to_do_now() -> None:
    app = console(with_job(torn()))
    async with opened(app) as pilot:
        await job_shown(pilot, "What to do now")
        assert "FAIL Make the new image" in text(app)
        await shows(pilot, "Free 400 MiB, then go on.")
        await press(pilot, "j")
        assert isinstance(app.screen, Jobs)


async def test_forgetting_wants_the_name_typed_and_is_offered_only_while_there_is_a_way_back() -> (
    None
):
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "f Forget")
        await press(pilot, "f")
        assert isinstance(app.screen, Confirm)
        assert "» [ Cancel ]" in text(app)
        await press(pilot, "tab", "enter")
        assert "Type the stick's name first" in text(app)
        await press(pilot, *"STICK2", "enter")
        await until(pilot, lambda: bool(workshop.asked("forget")))
        await shows(pilot, "938 MiB are free again.")
        await until(pilot, lambda: "f Forget" not in text(app))
        await press(pilot, "f")
        assert isinstance(app.screen, Jobs)
    assert workshop.asked("forget") == [("merge-1", "/dev/sdc1")]


async def test_what_was_forgotten_offers_no_way_back_any_more() -> None:
    workshop = with_job(merged())
    app = console(workshop)
    async with opened(app) as pilot:
        await job_shown(pilot, "u Go back")
        await press(pilot, "j", "f", "up", *"STICK2", "enter")
        await until(pilot, lambda: not app.jobs)
        await press(pilot, "escape")
        assert isinstance(app.screen, Merge)
        await until(pilot, lambda: "u Go back" not in text(app))
        await press(pilot, "u")
        assert isinstance(app.screen, Merge)
    assert not workshop.asked("roll_back")


@pytest.mark.parametrize("state", [JobState.DONE, JobState.LEFT])
async def test_a_running_root_that_was_switched_can_only_be_forgotten(state: JobState) -> None:
    job = merged()
    job.state, job.can_roll_back = state, False
    app = console(with_job(job))
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "f Forget")
        assert "u Go back" not in text(app)


async def test_forgetting_that_is_refused_says_why() -> None:
    workshop = with_job(merged())
    workshop.refusals["forget"] = LiveosError("The stick has not booted yet.", "Boot it first.")
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "f Forget")
        await press(pilot, "f", "up", *"STICK2", "enter")
        await shows(pilot, "The stick has not booted yet. Boot it first.")


async def test_only_a_merge_that_is_done_can_be_forgotten() -> None:
    workshop = with_job(torn())
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "u Go back")
        await press(pilot, "f")
        assert isinstance(app.screen, Jobs)
        assert "f Forget" not in text(app)


# What comes from outside.


async def test_what_a_job_says_never_reaches_the_terminal_as_a_command() -> None:
    job = mirroring()
    job.tell(
        OutputEvent(2, "\x1b[2Jevil \u202eoutput"),
        ProgressEvent(2, "\x1b]0;owned\x07copying", 0.6),
        StepEvent(2, StepState.DONE, "\x1b[31mred"),
    )
    app = console(with_job(job), ASCII)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "OK Mirror the view")
        assert "".join(rows(app)).isascii()
        assert "".join(rows(app)).isprintable()


# Sizes.


@pytest.mark.parametrize("size", [(80, 24), (80, 25), (100, 30), (160, 50)])
async def test_every_size_shows_all_phases_output_and_notes(size: tuple[int, int]) -> None:
    app = console(with_job(mirroring()))
    async with opened(app, size) as pilot:
        await job_shown(pilot, "57 %")
        page = text(app)
        for step in MIRRORED.steps:
            assert step.title in page
        assert "293/512" in page
        assert "Leave: the job goes on" in page
        assert "c Cancel   l Log" in rows(app)[-1]


async def test_a_terminal_that_becomes_too_small_keeps_the_job_in_view() -> None:
    app = console(with_job(mirroring()))
    async with opened(app) as pilot:
        await job_shown(pilot, "57 %")
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: "57 %" not in text(app))
        await pilot.resize_terminal(100, 30)
        await shows(pilot, "57 %")
        assert isinstance(app.screen, Merge)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.24, "0.2 s"), (9.96, "10 s"), (59.4, "59 s"), (125, "2:05")]
)
def test_a_duration_is_as_exact_as_it_matters(seconds: float, words: str) -> None:
    assert took_words(seconds) == words


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Let go of at the end, so that no thread waits for ever."""
    event = threading.Event()
    yield event
    event.set()


async def test_waiting_for_the_plan_is_mentioned(hang: threading.Event) -> None:
    workshop = with_job(merged())

    def slow(_wish: Wish) -> Proposal:
        hang.wait()
        return Proposal(FACTS, MERGE)

    workshop.answers[Operation.MERGE] = slow
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "m")
        await shows(pilot, "Looking at /dev/sdc1")
        hang.set()
        await shows(pilot, "What will be done")
