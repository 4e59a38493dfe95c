"""Recover, Grow, Reset and Jobs as a person leads them: keys in, screens and requests out."""

import threading
from collections.abc import Hashable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from console_fakes import BROKEN, HEALTHY, INVALID, MIB, STICK, THIS, FakeMachine, clock
from console_harness import ASCII, COLOURLESS, PLAIN, opened, rows, text, until
from textual import events
from textual.geometry import Offset
from workshop_fakes import (
    FACTS,
    RECOVERY,
    RISKY,
    WELL,
    FakeJob,
    FakeWorkshop,
    failed,
    finished,
    grown,
    interrupted,
    running,
    undone,
)

from liveos_tui.console import workers
from liveos_tui.console.app import Console
from liveos_tui.console.screens.confirm import Confirm
from liveos_tui.console.screens.dashboard import Dashboard
from liveos_tui.console.screens.grow import Grow
from liveos_tui.console.screens.jobs import Jobs
from liveos_tui.console.screens.log import Log
from liveos_tui.console.screens.offer import Offer
from liveos_tui.console.screens.too_small import TooSmall
from liveos_tui.console.screens.work import Work
from liveos_tui.console.state import Observation
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    FoundEvent,
    JobState,
    OutputEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.judge import judge
from liveos_tui.live.model import Operation, TargetKind
from liveos_tui.live.place import Place
from liveos_tui.plans.model import Confirmation

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from liveos_tui.system.terminal import TerminalProfile


def console(
    workshop: FakeWorkshop | None = None,
    target: str | None = "/dev/sdc1",
    terminal: "TerminalProfile" = PLAIN,
) -> Console:
    machine = FakeMachine({"live": judge(STICK), "/dev/sdc1": judge(INVALID)}, (THIS, BROKEN))
    return Console(machine, target, terminal, clock, workshop or FakeWorkshop())


def row_with(app: Console, words: str) -> str:
    return next(row for row in rows(app) if words in row)


def prose(app: Console) -> str:
    """What stands in the last frame of each row, as running text."""
    ends = (row.rstrip("│| ").replace("||", "││").rpartition("││")[2] for row in rows(app))
    return " ".join(" ".join(end.strip("│| ") for end in ends).split())


async def shows(pilot: "Pilot[int]", words: str) -> None:
    """Wait until these words are on the screen, in one row or wrapped."""
    app = pilot.app
    assert isinstance(app, Console)
    await until(pilot, lambda: words in text(app) or words in prose(app))


async def press(pilot: "Pilot[int]", *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


# The dashboard.


async def test_the_dashboard_names_the_keys_that_do_something_and_no_others() -> None:
    app = console()
    async with opened(app):
        assert rows(app)[-1].startswith(" r Recover   x Reset   j Jobs   d Devices")
        assert "g Grow" not in text(app)


async def test_a_finding_shows_at_its_right_end_the_key_that_does_something_about_it() -> None:
    app = console()
    async with opened(app):
        assert row_with(app, "BROKEN  The overlay").endswith("r Recover")


async def test_without_a_workshop_nothing_is_offered() -> None:
    machine = FakeMachine({"live": judge(STICK)})
    app = Console(machine, "live", PLAIN, clock)
    async with opened(app) as pilot:
        await press(pilot, "g", "r", "x", "j", "enter")
        assert isinstance(app.screen, Dashboard)
        assert rows(app)[-1] == " d Devices   F1 Help   F3 Redraw   q Quit"


async def test_a_key_that_can_do_nothing_says_why_until_the_next_key() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "g")
        assert isinstance(app.screen, Dashboard)
        assert "The overlay is Invalid: recover it, which grows it as well." in text(app)
        await press(pilot, "down")
        assert "which grows it" not in text(app)
        assert not workshop.calls


async def test_enter_on_a_finding_does_what_helps() -> None:
    app = console()
    async with opened(app) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, Work)
        await shows(pilot, "Recover the overlay of STICK2")


@pytest.mark.parametrize(
    ("message", "told"), [("It is well.", "12:03  It is well."), ("It is well. " * 9, "12:03")]
)
async def test_how_the_last_job_ended_is_told_whole_or_not_at_all(message: str, told: str) -> None:
    job = finished()
    job.message = message
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await shows(pilot, "last: DONE")
        row = row_with(app, "last: DONE").removesuffix("j Jobs").rstrip()
        assert row.endswith(f"Recover STICK2, {told}")


async def test_r_has_a_stick_checked_that_seems_to_be_well() -> None:
    workshop = FakeWorkshop()
    well = replace(judge(HEALTHY), target=judge(INVALID).target, operations=WELL)
    app = Console(FakeMachine({"/dev/sdc1": well}), "/dev/sdc1", PLAIN, clock, workshop)
    async with opened(app) as pilot:
        assert "r Recover" not in text(app)
        await press(pilot, "r")
        assert isinstance(app.screen, Work)
        await until(pilot, lambda: bool(workshop.asked("propose")))
    assert workshop.asked("propose") == [("/dev/sdc1", Wish(Operation.RECOVER, repair=True))]


async def test_a_job_of_a_folder_that_was_named_from_here_is_led_on_with_its_name() -> None:
    job = finished()
    job.plan = replace(RECOVERY, place=Place(str(Path("sticks/one").absolute()), "STICK2", "o"))
    target = replace(judge(INVALID).target, kind=TargetKind.FOLDER, path="sticks/one", device=None)
    machine = FakeMachine({"sticks/one": replace(judge(INVALID), target=target)})
    workshop = FakeWorkshop(known={"recover-1": job})
    app = Console(machine, "sticks/one", PLAIN, clock, workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "u Go back")
        await press(pilot, "u", "tab", "enter")
        await until(pilot, lambda: bool(workshop.asked("roll_back")))
    assert workshop.asked("roll_back") == [("recover-1", "sticks/one")]


async def test_a_job_that_found_nothing_to_do_has_nothing_that_follows() -> None:
    job = FakeJob(RECOVERY)
    for index in range(2):
        job.step(index)
    job.end(JobState.DONE, "There is nothing to repair.")
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "There is nothing to repair.")
        assert "What to do now" not in text(app)


async def test_half_a_recovery_is_told_beside_figures_that_are_well() -> None:
    job = interrupted()
    job.state = JobState.LEFT
    well = replace(judge(HEALTHY), target=judge(INVALID).target, operations=WELL)
    machine = FakeMachine({"/dev/sdc1": well})
    workshop = FakeWorkshop(known={"recover-1": job})
    app = Console(machine, "/dev/sdc1", PLAIN, clock, workshop)
    async with opened(app) as pilot:
        await shows(pilot, "A recovery was left half done")
        assert row_with(app, "WARN    A recovery was left").endswith("r Recover")
        assert rows(app)[-1].startswith(" r Recover")
        await press(pilot, "enter")
        assert isinstance(app.screen, Work)


# The proposal.


async def test_the_first_view_tells_what_is_wrong_and_what_will_be_done() -> None:
    app = console()
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "What is wrong")
        assert "! Header: magic right, version 1, valid 0" in text(app)
        assert "It is grown, marked valid and repaired." in prose(app)
        await press(pilot, "pagedown")
        assert "Going back (u in Jobs) gives the overlay the exact bytes" in prose(app)
        assert "? Cause: not known" in text(app)


async def test_an_overlay_that_is_well_is_left_alone_in_calm_words() -> None:
    workshop = FakeWorkshop()
    fine = Proposal(FACTS[2:6], None, "There is nothing to recover.", "It was left alone.")
    workshop.answers[Operation.RECOVER] = fine
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "There is nothing to recover.")
        assert "It was left alone." in text(app)
        await press(pilot, "enter", "a", "b", "c", "l", "r", "u")
        assert not workshop.asked("start")
        await press(pilot, "escape")
        assert isinstance(app.screen, Dashboard)


async def test_a_target_that_cannot_be_looked_at_is_told_with_its_hint() -> None:
    workshop = FakeWorkshop()
    workshop.answers[Operation.RECOVER] = LiveosError("The stick is gone.", "Plug it in again.")
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "The stick is gone. Plug it in again.")


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """What waits for this hangs until it is set, or the test is over."""
    event = threading.Event()
    yield event
    event.set()


async def test_waiting_for_a_proposal_is_mentioned(hang: threading.Event) -> None:
    def slow(_wish: Wish) -> Proposal:
        hang.wait()
        return Proposal(FACTS, RECOVERY)

    workshop = FakeWorkshop()
    workshop.answers[Operation.RECOVER] = slow
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "Looking at /dev/sdc1 ...")
        await press(pilot, "enter", "a")
        assert not workshop.asked("start")
        hang.set()
        await shows(pilot, "What is wrong")
        assert "Looking at" not in text(app)


async def test_a_step_is_read_about_before_it_is_done() -> None:
    app = console()
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "What is wrong")
        await press(pilot, "down", "down", "down", "down")
        shown = text(app)
        assert "4  Grow the file" in shown
        assert "A repair needs new chunks." in shown
        assert "64 MiB of room on the stick" in shown
        assert "The file is cut to its old size." in shown
        assert "Cancelled, it ends when it is done." in shown


# Recover, step by step.


async def recovering(pilot: "Pilot[int]") -> None:
    await press(pilot, "r")
    await shows(pilot, "What is wrong")


async def rehearsed(pilot: "Pilot[int]") -> None:
    await recovering(pilot)
    await press(pilot, "enter")
    await shows(pilot, "Next: 2 Rehearse the repair")
    await press(pilot, "enter")
    await shows(pilot, "Next: 3 Back up the header")


async def test_enter_does_one_step_and_what_came_of_it_stays_in_view() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        assert workshop.asked("start") == [(Operation.RECOVER, 1)]
        assert workshop.asked("allow") == [("recover-1", 2)]
        shown = text(app)
        assert "$ e2fsck -f -y REHEARSAL" in shown
        assert "Pass 5: Checking group summary information" in shown
        assert "Would fix 3 counts." in shown
        assert "OK    2 Rehearse the repair" in shown
        assert "WAIT  3 Back up the header" in shown
        assert "Undo: nothing has been written to the stick so far." in shown


async def test_before_the_first_step_that_writes_the_person_is_asked() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, Confirm)
        shown = text(app)
        for words in ("STICK2", "/dev/sdc1", "Kingston DataTraveler", "7.4 GiB", "/media/me"):
            assert words in shown
        assert "LiveOS/overlay-STICK2-0BAD-F00D: byte 4" in shown
        assert row_with(app, "[ Cancel ]").startswith(" »")


@pytest.mark.parametrize("keys", [["enter"], ["escape"], ["space"], ["tab", "left", "enter"]])
async def test_the_button_that_has_the_focus_at_first_does_nothing(keys: list[str]) -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "enter", *keys)
        assert isinstance(app.screen, Work)
        await pilot.pause()
        assert len(workshop.asked("allow")) == 1
        assert "Next: 3 Back up the header" in text(app)


@pytest.mark.parametrize("key", ["tab", "right", "down"])
async def test_after_the_question_the_job_goes_on_step_by_step(key: str) -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "enter", key, "enter")
        await shows(pilot, "Next: 4 Grow the file")
        await press(pilot, "enter")
        await shows(pilot, "Next: 5 Mark it valid")
        assert "Undo: The file is cut to its old size." in text(app)


async def test_all_steps_run_after_one_question_and_the_result_is_shown() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        # The rehearsal is behind it: what it says can be read before the answer.
        assert workshop.asked("start") == [(Operation.RECOVER, 2)]
        await press(pilot, "tab", "enter")
        await shows(pilot, "The overlay is well again.")
        assert workshop.asked("allow") == [("recover-1", 9)]
        shown = text(app)
        assert "92 files came back." in shown
        assert "Boot the stick and see that all is there." in shown
        assert "DONE" in row_with(app, "─ Result ")


async def test_the_question_begins_with_what_the_rehearsal_has_found() -> None:
    app = console()
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await shows(pilot, "Would fix 3 counts. Loses nothing. 92 files come back.")
        assert text(app).index("Step 2 is done.") < text(app).index("Would fix 3 counts.")
        assert text(app).index("Would fix 3 counts.") < text(app).index("Written")
        assert "[ Cancel ]" in text(app)


async def test_all_steps_are_not_done_when_the_question_is_declined() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "enter")
        await pilot.pause()
        assert isinstance(app.screen, Work)
        assert not workshop.asked("allow")


async def test_the_question_is_asked_once_however_often_the_job_tells_that_it_waits() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        (work,) = [screen for screen in app.screen_stack if isinstance(screen, Work)]
        (job,) = workshop.known.values()
        job.tell(FoundEvent(1, "One more thing."), WaitingEvent(2))
        await until(pilot, lambda: "One more thing." in str(work.conduct.log))
        assert sum(isinstance(screen, Confirm) for screen in app.screen_stack) == 1


async def test_a_key_that_is_pressed_twice_starts_one_job(hang: threading.Event) -> None:
    class Slow(FakeWorkshop):
        def start(self, *arguments: object, **more: object) -> str:
            hang.wait()
            return FakeWorkshop.start(self, *arguments, **more)  # type: ignore[arg-type]

    workshop = Slow()
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "enter", "enter", "a", "enter")
        await shows(pilot, "Starting ...")
        # Nothing is offered that was asked for already.
        assert "Enter" not in rows(app)[-1]
        assert "Leaving changes nothing" not in text(app)
        hang.set()
        await shows(pilot, "Next: 2 Rehearse the repair")
        assert len(workshop.known) == 1


async def test_a_job_that_cannot_be_started_says_why_and_can_be_tried_again() -> None:
    workshop = FakeWorkshop()
    workshop.refusals["start"] = LiveosError("Another console works on STICK2.", "Wait for it.")
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "enter")
        await shows(pilot, "Another console works on STICK2. Wait for it.")
        del workshop.refusals["start"]
        await press(pilot, "enter")
        await shows(pilot, "Next: 2 Rehearse the repair")
        assert "Another console" not in text(app)


async def test_back_undoes_the_last_step_after_a_question() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "enter", "tab", "enter")
        await shows(pilot, "Next: 4 Grow the file")
        await press(pilot, "b")
        assert "The job will go back to before step 3, Back up the header." in text(app)
        await press(pilot, "enter")
        assert not workshop.asked("step_back")
        await press(pilot, "b", "tab", "enter")
        await shows(pilot, "Next: 3 Back up the header")
        # It waits, and does not do at once again what was allowed before.
        assert workshop.known["recover-1"].done == 2
        await press(pilot, "enter")
        assert isinstance(app.screen, Confirm)


async def test_the_lock_is_not_taken_back_by_itself() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "enter")
        await shows(pilot, "Next: 2 Rehearse the repair")
        assert "b Back" not in text(app)
        await press(pilot, "b")
        assert isinstance(app.screen, Work)


async def test_cancelling_ends_the_job_and_the_result_offers_both_ways() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "c")
        await shows(pilot, "It was cancelled.")
        await shows(pilot, "u Go back")
        assert "r Go on" in rows(app)[-1]
        assert "The stick is as step 2 left it." in text(app)


async def test_a_job_that_was_cancelled_can_go_on_from_its_result_after_a_question() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "c")
        await shows(pilot, "r Go on")
        await press(pilot, "r")
        await shows(pilot, "steps are done.")
        await press(pilot, "enter")
        assert not workshop.asked("resume")
        await press(pilot, "r", "tab", "enter")
        await shows(pilot, "The overlay is well again.")
        assert workshop.asked("resume") == [("recover-1", "/dev/sdc1")]


async def test_going_back_asks_first() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "c")
        await shows(pilot, "u Go back")
        await press(pilot, "u", "enter")
        assert not workshop.asked("roll_back")
        await press(pilot, "u", "tab", "enter")
        await shows(pilot, "The overlay is as it was.")
        assert "UNDO  2 Rehearse the repair" in text(app)
        assert "ROLLED BACK" in text(app)


async def test_a_failure_says_what_in_which_state_and_what_to_do_now() -> None:
    workshop = FakeWorkshop(known={"recover-1": failed()})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "Growing the file failed.")
        shown = text(app)
        assert "FAIL  4 Grow the file" in shown
        assert "Free 52 MiB on the stick, then go on." in prose(app)
        assert "r  go on where it stopped" in shown
        assert "u  go back: undo everything that it did" in shown


async def test_the_log_holds_everything_and_grows_while_it_is_read() -> None:
    job = running()
    workshop = FakeWorkshop(known={"recover-1": job})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "pass 5 of 5 82 %")
        await press(pilot, "l")
        assert isinstance(app.screen, Log)
        assert "Pass 1: Checking inodes, blocks, and sizes" in text(app)
        job.tell(OutputEvent(1, "Something new."))
        await shows(pilot, "Something new.")
        await press(pilot, "l")
        assert isinstance(app.screen, Work)


async def test_progress_shows_phase_percent_rate_and_the_time_that_is_left() -> None:
    workshop = FakeWorkshop(known={"recover-1": running()})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "pass 5 of 5 82 %   1:05 left   12 MiB/s")


async def test_work_of_unknown_length_shows_that_it_works() -> None:
    job = FakeJob(RECOVERY)
    job.tell(StepEvent(0, StepState.RUNNING), ProgressEvent(0, "taking the lock"))
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "taking the lock")
        screen = app.screen
        assert isinstance(screen, Work)
        before = row_with(app, "░")
        screen.next_beat()
        await pilot.pause()
        assert row_with(app, "░") != before


async def test_a_long_output_shows_its_end() -> None:
    job = FakeJob(RECOVERY)
    job.tell(StepEvent(1, StepState.RUNNING))
    job.tell(*(OutputEvent(1, f"line {number}") for number in range(3000)))
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "line 2999")
        assert "line 1 " not in text(app)
        await press(pilot, "l", "home")
        assert "(2000 earlier lines left out)" in text(app)


async def test_what_the_person_reads_about_is_not_taken_away_by_the_job() -> None:
    job = running()
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "pass 5 of 5 82 %")
        await press(pilot, "end", "up")
        assert "8  Verify" in text(app)
        job.tell(StepEvent(1, StepState.DONE, "It is done."), WaitingEvent(2))
        await shows(pilot, "OK    2 Rehearse the repair")
        assert "8  Verify" in text(app)


async def test_leaving_leaves_the_job_and_coming_back_finds_it() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        assert "Leave: the job waits" in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, Dashboard)
        await until(pilot, lambda: workshop.known["recover-1"].listeners == 0)
        await shows(pilot, "WAITING   Recover STICK2, 2 of 9 steps")
        await press(pilot, "j", "enter")
        await shows(pilot, "Next: 3 Back up the header")
        assert "Would fix 3 counts." in text(app)


async def test_quitting_leaves_the_job() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await pilot.press("q")
    assert app.return_value == ExitCode.WELL
    assert workshop.known["recover-1"].state is JobState.WAITING
    assert not workshop.asked("cancel")


async def test_while_a_step_runs_leaving_says_that_the_job_goes_on() -> None:
    app = console(FakeWorkshop(known={"recover-1": running()}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "Leave: the job goes on by itself.")


async def test_a_step_that_cannot_be_cancelled_any_more_says_so() -> None:
    class Deaf(FakeWorkshop):
        def cancel(self, job_id: str) -> None:
            self.calls.append(("cancel", job_id))

    job = FakeJob(RECOVERY)
    job.tell(StepEvent(4, StepState.RUNNING))
    workshop = Deaf(known={"recover-1": job})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "RUN   5 Mark it valid")
        await press(pilot, "c")
        await shows(pilot, "This step cannot be cancelled any more")
        await press(pilot, "c")
        assert workshop.asked("cancel") == [("recover-1",)]


async def test_a_worker_that_is_gone_is_told_by_the_list_of_jobs() -> None:
    job = running()
    workshop = FakeWorkshop(known={"recover-1": job})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "pass 5 of 5 82 %")
        job.state, job.can_resume = JobState.INTERRUPTED, True
        await press(pilot, "f3")
        await shows(pilot, "The job was interrupted: its worker is gone.")
        assert "r Go on" in rows(app)[-1]
        assert "STOP  2 Rehearse the repair" in text(app)


async def test_a_job_of_another_boot_is_shown_as_its_journal_has_it() -> None:
    workshop = FakeWorkshop(known={"recover-1": failed()})
    workshop.refusals["feed"] = LiveosError("This machine has no job recover-1 in this boot.")
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "Growing the file failed.")
        assert "OK    3 Back up the header" in text(app)


# The typed confirmation.


async def asked_for_the_name(pilot: "Pilot[int]") -> None:
    await press(pilot, "x")
    await shows(pilot, "Everything that was changed on this stick is thrown")
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.pause()


async def test_a_reset_wants_the_name_typed_and_the_focus_is_on_cancel() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await asked_for_the_name(pilot)
        assert "Type its name, STICK2:" in text(app)
        assert row_with(app, "[ Cancel ]").startswith(" »")
        await press(pilot, "enter")
        assert isinstance(app.screen, Work)
        assert not workshop.asked("start")


async def test_a_name_and_enter_that_come_at_once_do_it() -> None:
    """As over a slow line: the button that they were sent to has lost the focus meanwhile."""
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await asked_for_the_name(pilot)
        for typed in (*"STICK2", "\r"):
            app.post_message(events.Key("enter" if typed == "\r" else typed, typed))
        await until(pilot, lambda: bool(workshop.asked("start")))


async def test_the_right_name_does_it() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await asked_for_the_name(pilot)
        await press(pilot, "up", *"STICK2", "enter")
        await shows(pilot, "The overlay is well again.")
        assert workshop.asked("start") == [(Operation.RESET, None)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type the stick's name first: STICK2."),
        ("stick2", "That is not its name: it is STICK2. Nothing is done."),
        ("quit", "That is not its name: it is STICK2. Nothing is done."),
    ],
)
async def test_another_name_is_one_sentence_and_nothing_is_done(typed: str, sentence: str) -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await asked_for_the_name(pilot)
        await press(pilot, "up", *typed, "tab", "tab", "enter")
        assert sentence in text(app)
        assert isinstance(app.screen, Confirm)
        assert not workshop.asked("start")
        await press(pilot, "S")
        assert sentence not in text(app)


async def test_a_name_that_the_terminal_cannot_show_is_typed_as_it_is_shown() -> None:
    workshop = FakeWorkshop()
    strange = replace(RISKY, place=replace(RISKY.place, name="Größe"))
    workshop.answers[Operation.RECOVER] = Proposal(FACTS, strange)
    app = console(workshop, terminal=ASCII)
    async with opened(app) as pilot:
        await press(pilot, "r")
        await shows(pilot, "What is wrong")
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "up", *"Gr??e", "enter")
        await shows(pilot, "The overlay is well again.")


async def test_the_terminals_cursor_follows_the_focus_through_a_question() -> None:
    app = console()
    async with opened(app) as pilot:
        await asked_for_the_name(pilot)

        def on_marker() -> bool:
            row = next(n for n, line in enumerate(rows(app)) if "»" in line)
            return app.cursor_position.y == row

        await until(pilot, on_marker)
        await press(pilot, "up", "S", "T")
        row = next(n for n, line in enumerate(rows(app)) if "»" in line)
        column = rows(app)[row].index("ST_") + 2
        await until(pilot, lambda: app.cursor_position == Offset(column, row))


# Grow.


async def growing(pilot: "Pilot[int]") -> None:
    await press(pilot, "g")
    await shows(pilot, "128M")


async def test_waiting_for_an_amount_is_mentioned(hang: threading.Event) -> None:
    def slow(wish: Wish) -> Proposal:
        hang.wait()
        return grown(wish)

    workshop = FakeWorkshop()
    workshop.answers[Operation.GROW] = slow
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await press(pilot, "g")
        await shows(pilot, "Looking at live ...")
        hang.set()
        await shows(pilot, "128M")
        assert "Looking at" not in text(app)


async def test_growing_proposes_an_amount_shows_the_plan_asks_and_does_it() -> None:
    workshop = FakeWorkshop()
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, Work)
        assert "Enter Grow it" in rows(app)[-1]
        await press(pilot, "enter")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "tab", "enter")
        await shows(pilot, "The overlay is well again.")
        assert workshop.asked("start") == [(Operation.GROW, None)]


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("256M", 256 * MIB), ("1G", 1024 * MIB), ("0.5g", 512 * MIB), (" 300 MiB", 300 * MIB)],
)
async def test_the_amount_can_be_changed(typed: str, amount: int) -> None:
    workshop = FakeWorkshop()
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "ctrl+u", *typed, "enter")
        await until(pilot, lambda: isinstance(app.screen, Work))
        assert workshop.asked("propose")[-1] == ("live", Wish(Operation.GROW, grow_bytes=amount))


async def test_an_amount_that_is_too_large_is_one_all_the_same() -> None:
    workshop = FakeWorkshop()
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "ctrl+u", *"999T", "enter")
        await until(pilot, lambda: len(workshop.asked("propose")) == 2)
        wish = Wish(Operation.GROW, grow_bytes=999 << 40)
        assert workshop.asked("propose")[-1] == ("live", wish)


@pytest.mark.parametrize("typed", ["", "128", "-5M", "0M", "1e9M", "64K", "abc", "1.M", "\uff11M"])
async def test_an_amount_that_is_none_is_one_sentence_and_nothing_is_done(typed: str) -> None:
    workshop = FakeWorkshop()
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "ctrl+u", *typed, "enter")
        assert isinstance(app.screen, Grow)
        assert "That is no amount: write it as 512M or 1.5G." in text(app)
        assert len(workshop.asked("propose")) == 1


async def test_more_than_there_is_room_for_is_told_in_the_dialog() -> None:
    workshop = FakeWorkshop()
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "ctrl+u", *"2G", "enter")
        await shows(pilot, "The stick has only 1.0 GiB free. Nothing was changed.")
        assert isinstance(app.screen, Grow)
        await press(pilot, "escape")
        assert isinstance(app.screen, Dashboard)


async def test_a_stick_that_cannot_grow_says_why_where_the_amount_would_be() -> None:
    workshop = FakeWorkshop()
    workshop.answers[Operation.GROW] = Proposal((), None, "There is no room.", "Free some.")
    app = console(workshop, "live")
    async with opened(app) as pilot:
        await press(pilot, "g")
        await shows(pilot, "There is no room.")
        await press(pilot, *"64M", "enter")
        assert isinstance(app.screen, Grow)
        assert len(workshop.asked("propose")) == 1


async def test_a_field_is_edited_with_the_usual_keys() -> None:
    app = console(target="live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "home", "delete", "9", "end", "backspace", "G", "left", "0")
        assert "» 9280G_" in text(app)


async def test_pasted_text_leaves_out_what_a_terminal_would_act_on() -> None:
    from textual.events import Paste

    app = console(target="live")
    async with opened(app) as pilot:
        await growing(pilot)
        await press(pilot, "ctrl+u")
        assert app.focused is not None
        app.focused.post_message(Paste("64\x1b[31mM\nrm"))
        await pilot.pause()
        await pilot.pause()
        assert "» 64[31mM_" in text(app)


# Jobs.


async def test_the_dashboard_tells_a_running_job() -> None:
    app = console(FakeWorkshop(known={"recover-1": running()}))
    async with opened(app) as pilot:
        await shows(pilot, "RUNNING   Recover STICK2, 1 of 9 steps")


async def test_an_interrupted_job_is_offered_once_and_the_focus_is_on_later() -> None:
    workshop = FakeWorkshop(known={"recover-1": interrupted()})
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await pilot.pause()
        assert "4 of 9 steps are done." in text(app)
        assert row_with(app, "[ Decide later ]").startswith(" »")
        await press(pilot, "enter")
        assert isinstance(app.screen, Dashboard)
        await press(pilot, "f3")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert "INTERRUPTED   Recover STICK2" in text(app)
        assert not workshop.calls


@pytest.mark.parametrize(
    ("tabs", "call", "words"),
    [
        (1, "resume", "The overlay is well again."),
        (2, "roll_back", "The overlay is as it was."),
        (3, "leave", "What matters now"),
    ],
)
async def test_an_interrupted_job_goes_on_back_or_is_left(tabs: int, call: str, words: str) -> None:
    workshop = FakeWorkshop(known={"recover-1": interrupted()})
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await pilot.pause()
        await press(pilot, *["tab"] * tabs, "enter")
        await shows(pilot, words)
        assert workshop.asked(call) == [("recover-1", "/dev/sdc1")]


async def test_a_way_that_is_closed_is_not_offered() -> None:
    job = interrupted()
    job.can_roll_back = False
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await shows(pilot, "[ Go on ]")
        assert "[ Go back ]" not in text(app)


async def test_an_interrupted_job_that_refuses_to_go_on_says_why() -> None:
    workshop = FakeWorkshop(known={"recover-1": interrupted()})
    workshop.refusals["resume"] = LiveosError("This is another stick.", "Plug the right one in.")
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await pilot.pause()
        await press(pilot, "tab", "enter")
        await shows(pilot, "This is another stick. Plug the right one in.")
        assert isinstance(app.screen, Offer)


async def test_jobs_are_listed_with_when_what_where_and_how_far() -> None:
    old = failed()
    old.started -= 86400
    app = console(FakeWorkshop(known={"recover-1": running(), "recover-0": old}))
    async with opened(app) as pilot:
        await press(pilot, "j")
        assert isinstance(app.screen, Jobs)
        assert row_with(app, "RUNNING").split()[:8] == (
            ["»", "12:03", "Recover", "STICK2", "RUNNING", "1", "of", "9"]
        )
        assert row_with(app, "FAILED").split()[0] == "03-13"


async def test_how_a_job_ended_is_shown_whole_and_where_its_stick_is() -> None:
    job = failed()
    sentence = "The repair needs 12 MiB more in the overlay, and 4.0 MiB are planned. " * 3
    job.message = f"{sentence}That is all."
    job.plan = replace(RECOVERY, place=replace(RECOVERY.place, uuid="AAAA-0000"))
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "That is all.")
        assert "/dev/sdc1" in row_with(app, "FAILED")
        assert "UUID AAAA-0000" in text(app)


async def test_a_result_without_end_says_where_all_of_it_is() -> None:
    job = failed()
    job.message = "word " * 200
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "Enter opens the job: its result has all of it.")


async def test_the_help_has_its_key_on_the_fullest_line() -> None:
    app = console(FakeWorkshop())
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "enter")
        await shows(pilot, "Next: 2")
        await press(pilot, "enter")
        await shows(pilot, "Next: 3")
        assert "b Back" in rows(app)[-1]
        assert "F1 Help" in rows(app)[-1]
        assert "q Quit" in rows(app)[-1]


async def test_without_jobs_the_screen_says_so() -> None:
    app = console()
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "There are no jobs.")
        await press(pilot, "enter", "c", "r", "u", "L")
        assert isinstance(app.screen, Jobs)
        await press(pilot, "escape")
        assert isinstance(app.screen, Dashboard)


async def test_the_keys_of_the_jobs_screen_do_what_they_say() -> None:
    workshop = FakeWorkshop(known={"recover-1": running()})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        assert "c Cancel" in rows(app)[-1]
        await press(pilot, "c")
        await shows(pilot, "CANCELLED")
        assert "c Cancel" not in rows(app)[-1]
        await press(pilot, "u", "enter")
        assert not workshop.asked("roll_back")
        await press(pilot, "u", "tab", "enter")
        await shows(pilot, "The overlay is as it was.")
        await press(pilot, "escape")
        await shows(pilot, "ROLLED BACK")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("u", "This job cannot be undone. Its stick is not there"),
        ("c", "There is nothing to cancel: this job was undone."),
        ("r", "There is nothing to go on with: this job was undone."),
        ("L", "There is nothing to leave as it is: this job was undone."),
    ],
)
async def test_a_key_that_does_nothing_to_a_job_says_why(key: str, words: str) -> None:
    workshop = FakeWorkshop(known={"recover-1": undone()})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "ROLLED BACK")
        await press(pilot, key)
        assert words in prose(app)
        assert isinstance(app.screen, Jobs)
        assert not workshop.calls


async def test_why_a_key_did_nothing_is_told_with_what_can_be_done() -> None:
    app = console(FakeWorkshop(known={"recover-1": failed()}))
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "FAILED")
        await press(pilot, "f")
        assert "What can be done: r goes on, u undoes it." in prose(app)


async def test_in_an_ended_job_a_key_that_does_nothing_says_why() -> None:
    job = FakeJob(RECOVERY)
    job.work(None)
    app = console(FakeWorkshop(known={"recover-1": job}))
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "The overlay is well again.")
        await press(pilot, "enter")
        assert "There is nothing to do next: this job is done." in prose(app)
        await press(pilot, "u")
        assert "This job cannot be undone" in prose(app)
        await press(pilot, "up")
        assert "This job cannot be undone" not in prose(app)


async def test_a_job_that_has_not_begun_to_write_asks_before_it_does_when_it_goes_on() -> None:
    job = interrupted()
    job.touched, job.done = False, 1
    workshop = FakeWorkshop(known={"recover-1": job})
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await press(pilot, "tab", "enter")
        await shows(pilot, "If you go on, the stick is written to")
        assert workshop.asked("resume") == [("recover-1", "/dev/sdc1")]
        assert not workshop.asked("allow")
        await press(pilot, "tab", "enter")
        await until(pilot, lambda: bool(workshop.asked("allow")))


async def test_what_a_job_that_was_undone_has_left_is_removed_without_its_name_typed() -> None:
    workshop = FakeWorkshop(known={"recover-1": undone()})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "f Forget")
        await press(pilot, "f")
        await shows(pilot, "This job was undone: the stick is as it was before it.")
        assert "way back" not in text(app)
        await press(pilot, "enter")
        assert not workshop.asked("forget")
        await press(pilot, "f", "tab", "enter")
        await until(pilot, lambda: bool(workshop.asked("forget")))


async def test_leaving_an_interrupted_job_takes_a_capital_letter() -> None:
    workshop = FakeWorkshop(known={"recover-1": interrupted()})
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Offer))
        await press(pilot, "escape", "j", "l")
        assert not workshop.asked("leave")
        await press(pilot, "L")
        await until(pilot, lambda: "LEFT" in text(app))


async def test_a_job_of_another_stick_is_not_looked_for_on_this_one() -> None:
    job = failed()
    job.plan = replace(RECOVERY, place=replace(RECOVERY.place, target="/srv/x", uuid="AAAA-0000"))
    workshop = FakeWorkshop(known={"recover-1": job})
    app = console(workshop)
    async with opened(app) as pilot:
        await press(pilot, "j", "r", "tab", "enter")
        await until(pilot, lambda: bool(workshop.asked("resume")))
        assert workshop.asked("resume") == [("recover-1", None)]


async def test_the_question_says_what_going_back_does_and_not_how_one_goes_back() -> None:
    app = console(FakeWorkshop(known={"recover-1": failed()}))
    async with opened(app) as pilot:
        await press(pilot, "j", "u")
        await shows(pilot, "Going back gives the overlay the exact bytes")
        assert "rollback" not in text(app)


async def test_jobs_are_found_without_a_target_too() -> None:
    app = console(FakeWorkshop(known={"recover-1": running()}), target=None)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, "pass 5 of 5 82 %")


def of_another_stick(job: FakeJob) -> FakeJob:
    place = replace(RECOVERY.place, target="/srv/other", name="OTHER", mount_point="/srv/other")
    job.plan = replace(RECOVERY, place=place)
    return job


async def test_the_dashboard_is_silent_about_what_has_ended_on_another_stick() -> None:
    app = console(FakeWorkshop(known={"recover-1": of_another_stick(finished())}))
    async with opened(app) as pilot:
        await until(pilot, lambda: app.jobs_known)
        await pilot.pause()
        assert "last:" not in text(app)
        await press(pilot, "j")
        await shows(pilot, "OTHER")


async def test_the_jobs_of_the_stick_that_is_looked_at_come_first() -> None:
    other = of_another_stick(failed())
    other.started += 30
    app = console(FakeWorkshop(known={"recover-2": other, "recover-1": finished()}))
    async with opened(app) as pilot:
        await press(pilot, "j")
        await shows(pilot, "OTHER")
        rows = text(app).splitlines()
        own = next(row for row, line in enumerate(rows) if "STICK2" in line and "DONE" in line)
        assert own < next(row for row, line in enumerate(rows) if "OTHER" in line)


async def test_a_job_that_another_program_begins_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: app.jobs_known)
        workshop.known["recover-1"] = running()
        await shows(pilot, "RUNNING   Recover STICK2, 1 of 9 steps")


async def test_while_nothing_happens_the_jobs_are_not_listed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = threading.Semaphore(0)

    class Idle(FakeWorkshop):
        def stamp(self) -> Hashable:
            turns.release()
            return super().stamp()

    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)
    workshop = Idle(known={"recover-1": finished()})
    app = console(workshop)
    async with opened(app) as pilot:
        await until(pilot, lambda: app.jobs_known)
        before = workshop.listings
        await until(pilot, lambda: all(turns.acquire(blocking=False) for _ in range(3)))
        assert workshop.listings == before


async def test_the_dashboard_tells_the_last_job_of_its_own_stick() -> None:
    other = of_another_stick(failed())
    other.started += 30
    app = console(FakeWorkshop(known={"recover-2": other, "recover-1": finished()}))
    async with opened(app) as pilot:
        await shows(pilot, "last: DONE   Recover STICK2")


async def test_a_job_that_runs_on_another_stick_is_told_with_its_name() -> None:
    app = console(FakeWorkshop(known={"recover-1": of_another_stick(running())}))
    async with opened(app) as pilot:
        await shows(pilot, "RUNNING   Recover OTHER, 1 of 9 steps")


async def test_an_interrupted_job_of_another_stick_is_not_offered() -> None:
    app = console(FakeWorkshop(known={"recover-1": of_another_stick(interrupted())}))
    async with opened(app) as pilot:
        await until(pilot, lambda: app.jobs_known)
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert "INTERRUPTED" not in text(app)


async def test_a_device_is_read_before_its_interrupted_job_is_offered(
    hang: threading.Event,
) -> None:
    job = interrupted()
    job.plan = replace(RECOVERY, place=DEVICE)
    machine = FakeMachine({"/dev/sdc1": lambda: (hang.wait(), judge(INVALID))[1]})
    app = Console(machine, "/dev/sdc1", PLAIN, clock, FakeWorkshop(known={"recover-1": job}))
    async with app.run_test(size=(80, 25)) as pilot:
        await until(pilot, lambda: app.jobs_known)
        assert isinstance(app.screen, Dashboard)
        hang.set()
        await until(pilot, lambda: isinstance(app.screen, Offer))
        app.stop_probes()


DEVICE = replace(RECOVERY.place, number="8:33", label="LIVE", uuid="12AB-CDEF")
FOLDER = replace(RECOVERY.place, target="/srv/a", mount_point="/srv/a", device=None)


@pytest.mark.parametrize(
    ("place", "target", "same"),
    [
        (DEVICE, "/dev/sdc1", True),
        (replace(DEVICE, target="live", mount_point=None), "/dev/sdc1", True),
        (replace(DEVICE, uuid="AAAA-0000"), "/dev/sdc1", False),
        (replace(DEVICE, uuid=None), "/dev/sdc1", True),
        (FOLDER, "/srv/a", True),
        (FOLDER, "/srv/../srv/a/", True),
        (replace(FOLDER, target="/srv/b/../a"), "/srv/a", True),
        (replace(FOLDER, label="LIVE", uuid="12AB-CDEF"), "/srv/b", False),
    ],
)
def test_a_stick_is_known_by_its_uuid_and_a_folder_by_its_path(
    place: Place, target: str, same: bool
) -> None:
    mount = target if target.startswith("/srv/b") else "/srv/a"
    seen = INVALID.target if place.number else replace(INVALID.target, mount_point=mount)
    assert Observation(target, replace(INVALID, target=seen)).shows(place) is same


# Everywhere.


@pytest.mark.parametrize("terminal", [PLAIN, ASCII, COLOURLESS])
async def test_what_a_job_says_never_reaches_the_terminal_as_a_command(
    terminal: "TerminalProfile",
) -> None:
    evil = "\x1b]0;owned\x07[red]\x9b2J\u202e"
    job = FakeJob(RECOVERY)
    job.tell(
        StepEvent(0, StepState.RUNNING),
        CommandEvent(0, ("e2fsck", evil)),
        OutputEvent(0, evil),
        FoundEvent(0, evil),
        ProgressEvent(0, evil, 0.5),
    )
    app = console(FakeWorkshop(known={"recover-1": job}), terminal=terminal)
    async with opened(app) as pilot:
        await press(pilot, "j", "enter")
        await shows(pilot, r"\x1b]0;owned\x07[red]")
        assert "".join(rows(app)).isprintable()
        await press(pilot, "l")
        assert "".join(rows(app)).isprintable()
        await press(pilot, "l")
        job.tell(StepEvent(0, StepState.FAILED, evil))
        job.tell(EndEvent(JobState.FAILED, evil, evil, (evil,)))
        await shows(pilot, "─ Result " if terminal is not ASCII else "- Result ")
        assert "".join(rows(app)).isprintable()


async def test_a_terminal_that_becomes_too_small_keeps_the_question() -> None:
    workshop = FakeWorkshop()
    app = console(workshop)
    async with opened(app) as pilot:
        await rehearsed(pilot)
        await press(pilot, "enter")
        await pilot.resize_terminal(79, 20)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await press(pilot, "tab", "enter")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert len(workshop.asked("allow")) == 1


async def test_a_plan_that_needs_no_confirmation_asks_nothing() -> None:
    workshop = FakeWorkshop()
    free = replace(RECOVERY, confirmation=Confirmation.NONE)
    workshop.answers[Operation.RECOVER] = Proposal(FACTS, free)
    app = console(workshop)
    async with opened(app) as pilot:
        await recovering(pilot)
        await press(pilot, "a")
        await shows(pilot, "The overlay is well again.")
        assert workshop.asked("start") == [(Operation.RECOVER, None)]
