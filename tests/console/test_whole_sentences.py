"""What the program says is whole at 80 columns: only names from outside lose a part of them."""

from dataclasses import replace

import pytest
from console_fakes import FOREIGN, STICK, FakeMachine, clock
from console_harness import PLAIN, opened, text, until
from merge_fakes import MERGE
from workshop_fakes import GROWTH, IN_USE, RECOVERY, FakeJob, FakeWorkshop

from liveos_tui.console import joblog
from liveos_tui.console.app import Console
from liveos_tui.console.glyphs import SAFE
from liveos_tui.console.joblog import JobLog
from liveos_tui.console.lines import Line
from liveos_tui.console.state import Observation
from liveos_tui.console.views import bars, devices, gauges, notes, phases, results
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import StepState
from liveos_tui.live.model import Home, HomeState, Host, Operation
from liveos_tui.plans.model import Cancel, Plan

WIDTH = 80
LONG = (
    "The overlay would have to grow by 900 TiB, and there is room for 72 GiB: the stick has 72 GiB "
    "free; 8.1 MiB are kept for the job, and 1.4 GiB for the holes of the overlay's file. Free "
    "900 TiB on the stick, or grow it by 72 GiB at most. Nothing was changed."
)


def words(lines: list[Line]) -> str:
    """Lines as one text, without what fills them up."""
    return " ".join(" ".join("".join(span.text for span in line).split()) for line in lines)


def fits(lines: list[Line]) -> bool:
    return all(sum(len(span.text.rstrip()) for span in line) <= WIDTH for line in lines)


def paused_at_its_first_step(plan: Plan, cancel: Cancel) -> tuple[Plan, JobLog]:
    """A plan and its log; the steps can be cancelled like that."""
    plan = replace(plan, steps=tuple(replace(step, cancel=cancel) for step in plan.steps))
    log = joblog.empty(plan, 0)
    first = replace(log.steps[0], state=StepState.RUNNING)
    return plan, replace(log, steps=(first, *log.steps[1:]), paused=True)


@pytest.mark.parametrize("cancel", Cancel)
@pytest.mark.parametrize("plan", [MERGE, GROWTH])
def test_what_a_pause_and_cancelling_leave_is_told_to_the_end(plan: Plan, cancel: Cancel) -> None:
    plan, log = paused_at_its_first_step(plan, cancel)
    paused = notes.status(plan, log, None, cancelling=False, whole=False)
    cancelling = notes.status(plan, log, None, cancelling=True, whole=False)
    for said in (paused, cancelling, results.cancel_words(plan, log)):
        lines = notes.lines(notes.of_phases(None, None, said), None, WIDTH, SAFE)
        assert words(lines) == said
        assert fits(lines)


def test_an_error_is_told_with_all_of_its_hint() -> None:
    lines = notes.lines([], LiveosError(LONG, "Look first."), WIDTH, SAFE)
    assert words(lines) == f"ERROR {LONG} Look first."
    assert fits(lines)


async def test_the_steps_give_a_row_to_a_long_sentence_about_going_back() -> None:
    undo = "The header is put back from the backup: only until the overlay is next used."
    steps = tuple(replace(step, undo=undo) for step in RECOVERY.steps)
    job = FakeJob(replace(RECOVERY, steps=steps))
    job.work(5)
    app = Console(FakeMachine(), "live", PLAIN, clock, FakeWorkshop(known={"recover-1": job}))
    async with opened(app, (80, 24)) as pilot:
        await until(pilot, lambda: app.jobs_known)
        await pilot.press("j", "enter")
        await until(pilot, lambda: "Leave:" in text(app))
        assert f"Next: 6 Register it Undo: {undo} Leave:" in " ".join(text(app).split())


def test_what_came_of_a_phase_is_whole_or_is_left_to_the_phase_itself() -> None:
    short, long = "The new image has 1.2 GiB.", "The new image, LiveOS/squashfs.alt, is removed."
    log = joblog.empty(MERGE, 0)
    told = tuple(
        replace(step, state=StepState.DONE, text=short if index == 0 else long)
        for index, step in enumerate(log.steps)
    )
    log = replace(log, steps=told)
    rows = phases.entries(MERGE, log, WIDTH - 4, SAFE, beat=0)
    said = words([line for _, lines in rows for line in lines])
    assert short in said
    assert "The new image, " not in said
    assert long in words(
        [line for _, lines in phases.entries(MERGE, log, 120, SAFE, beat=0) for line in lines]
    )


def test_a_gauge_leaves_a_long_reason_to_what_matters_now() -> None:
    short, long = "The stick does not answer.", "lsblk did not answer within 2 seconds."
    for reason, told in ((short, short), (long + long, "Why is told below.")):
        seen = Observation("live", system=replace(STICK, host=Host(unknown=reason)))
        assert told in words(gauges.host(seen, 25, SAFE)).replace("│ ", "").replace(" │", "")


def test_an_encrypted_home_says_what_shows_its_room() -> None:
    home = Home(HomeState.LOCKED, "LiveOS/home.img", unknown="it is encrypted and locked.")
    shown = words(gauges.home(Observation("live", system=replace(STICK, home=home)), 25, SAFE))
    assert "It is encrypted: open │ │ it to see its room." in shown


def test_a_device_with_a_long_note_has_it_below_the_list_and_a_short_one_in_it() -> None:
    device = replace(FOREIGN, note=LONG)
    assert words([devices.row(device, WIDTH, SAFE)]).endswith("It cannot be looked at.")
    said = words(devices.details(replace(device, note=LONG[:200]), WIDTH - 4, SAFE))
    assert said.endswith(LONG[:200].strip())


def test_why_a_key_does_nothing_is_told_in_three_rows() -> None:
    said = LONG[:200].strip()
    assert words(bars.notice(said, WIDTH, SAFE)) == said


@pytest.mark.parametrize("height", [24, 25])
async def test_why_an_amount_is_refused_is_told_to_the_end(height: int) -> None:
    workshop = FakeWorkshop()
    machine = FakeMachine({"live": replace(STICK, operations=IN_USE)})
    app = Console(machine, "live", PLAIN, clock, workshop)
    async with opened(app, (80, height)) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: "128M" in text(app))
        workshop.answers[Operation.GROW] = LiveosError(LONG)
        await pilot.press("backspace", "T", "enter")
        await until(pilot, lambda: "Nothing was changed." in text(app))
        assert "The overlay would have to grow" in text(app)
        assert "[ Show the plan ]" in text(app)
