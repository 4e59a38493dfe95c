"""The pictures in screenshots/: which screen, in which look, of which size, and how it is reached.

Everything is seen on the machine of practice_sticks.py. What a job tells while it works varies from
run to run, so the jobs are recorded ones (tests/data/jobs, told there), which stand at one event.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import picture
from console_fakes import FakeMachine, clock
from console_harness import opened, text, until
from practice_sticks import BROKEN_DEVICE, NEARLY_FULL_DEVICE, Seen, Sticks, look_at_sticks
from workshop_fakes import FakeJob, FakeWorkshop

from liveos_tui.console.app import Console
from liveos_tui.jobs.event_codec import EventReader
from liveos_tui.jobs.events import (
    EndEvent,
    Event,
    JobState,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.model import Operation
from liveos_tui.plans.model import Plan
from liveos_tui.system.terminal import Contrast, Look, TerminalProfile

FOLDER = Path(__file__).parents[2] / "screenshots"
JOBS = Path(__file__).parents[1] / "data" / "jobs"

PLAIN = TerminalProfile()
RICH = TerminalProfile(Look.RICH)
SMALL, MIDDLE, LARGE = (80, 25), (100, 30), (160, 50)
_KEYS = frozenset({"enter", "down", "f1", "escape", "tab"})


@dataclass(frozen=True)
class Job:
    """A recorded job, up to the event that `until` names: a step's progress, or its end."""

    operation: Operation
    until: tuple[str, float] | None = None
    state: JobState = JobState.RUNNING


@dataclass(frozen=True)
class Shot:
    """`steps` are keys, and words that are waited for before the next one."""

    steps: tuple[str, ...] = ()
    terminal: TerminalProfile = RICH
    size: tuple[int, int] = MIDDLE
    target: str = "live"
    job: Job | None = None


_PLAN = ("r", "What is wrong")
_MERGE = ("m", "What will be done")
_RESCUING = Job(Operation.RECOVER, ("Repair", 0.5))
_RESCUED = Job(Operation.RECOVER, state=JobState.DONE)
_CUT_OFF = Job(Operation.RECOVER, ("Repair", 0.0), JobState.INTERRUPTED)
_MERGING = Job(Operation.MERGE, ("Make the new image", 0.6))
_MERGED = Job(Operation.MERGE, state=JobState.DONE)
_SHOW = ("j", "enter", "Esc Leave")

SHOTS: Mapping[str, Shot] = {
    "dashboard": Shot(),
    "dashboard-80x25": Shot(size=SMALL),
    "dashboard-160x50": Shot(size=LARGE),
    "dashboard-plain": Shot(terminal=PLAIN, size=SMALL),
    "dashboard-plain-100x30": Shot(terminal=PLAIN),
    "dashboard-plain-160x50": Shot(terminal=PLAIN, size=LARGE),
    "dashboard-contrast": Shot(terminal=replace(RICH, contrast=Contrast.HIGH)),
    "dashboard-plain-contrast": Shot(terminal=replace(PLAIN, contrast=Contrast.HIGH), size=SMALL),
    "dashboard-no-colour": Shot(terminal=replace(PLAIN, colour=False), size=SMALL),
    "dashboard-invalid": Shot(target=BROKEN_DEVICE),
    "devices": Shot(("d", "down")),
    "devices-plain": Shot(("d", "down"), PLAIN, SMALL),
    "help": Shot(("f1",)),
    "grow": Shot(("g", "16M")),
    "grow-plain": Shot(("g", "16M"), PLAIN, SMALL),
    "recover": Shot(_PLAN, target=BROKEN_DEVICE),
    "recover-plain": Shot(_PLAN, PLAIN, SMALL, BROKEN_DEVICE),
    "recover-confirm": Shot((*_PLAN, "a", "[ Recover it ]"), target=BROKEN_DEVICE),
    "recover-running": Shot(_SHOW, target=BROKEN_DEVICE, job=_RESCUING),
    "recover-running-plain": Shot(_SHOW, PLAIN, SMALL, BROKEN_DEVICE, _RESCUING),
    "recover-running-160x50": Shot(_SHOW, RICH, LARGE, BROKEN_DEVICE, _RESCUING),
    "recover-done": Shot(_SHOW, target=BROKEN_DEVICE, job=_RESCUED),
    "merge-plan": Shot(_MERGE, target=NEARLY_FULL_DEVICE),
    "merge-plan-plain": Shot(_MERGE, PLAIN, SMALL, NEARLY_FULL_DEVICE),
    "merge-confirm": Shot((*_MERGE, "enter", "[ Merge it ]"), target=NEARLY_FULL_DEVICE),
    "merge": Shot(_SHOW, target=NEARLY_FULL_DEVICE, job=_MERGING),
    "merge-plain": Shot(_SHOW, PLAIN, SMALL, NEARLY_FULL_DEVICE, _MERGING),
    "merge-160x50": Shot(_SHOW, RICH, LARGE, NEARLY_FULL_DEVICE, _MERGING),
    "merge-done": Shot(_SHOW, target=NEARLY_FULL_DEVICE, job=_MERGED),
    "merge-done-plain": Shot(_SHOW, PLAIN, SMALL, NEARLY_FULL_DEVICE, _MERGED),
    "jobs": Shot(("j", "DONE"), target=NEARLY_FULL_DEVICE, job=_MERGED),
    "job-interrupted": Shot(("[ Decide later ]",), target=BROKEN_DEVICE, job=_CUT_OFF),
}


def job_id(operation: Operation) -> str:
    """The name of a recorded job."""
    return f"{operation}-20260314-120331-9b41"


@contextmanager
def sticks() -> Iterator[Sticks]:
    """The machine that all pictures are of, while it is needed."""
    with tempfile.TemporaryDirectory(prefix="liveos-tui-pictures-") as folder:
        yield look_at_sticks(Path(folder))


def draw(name: str, seen: Sticks) -> str:
    """A picture, as SVG."""
    return asyncio.run(_drawn(SHOTS[name], seen, f"liveos-tui: {name}"))


class _Machine(FakeMachine):
    """Answers what was seen, with the history of each target."""

    def __init__(self, seen: Sticks) -> None:
        answers = {target: each.system for target, each in seen.seen.items()}
        super().__init__(dict(answers), seen.devices)
        self._seen = seen.seen

    def open(self, target: str) -> Seen:  # type: ignore[override]
        return self._seen[target]


class _Workshop(FakeWorkshop):
    """Proposes what the program proposes; its jobs do what was recorded of them."""

    def __init__(self, seen: Sticks, known: dict[str, FakeJob]) -> None:
        super().__init__(known=known)
        self._seen = seen

    def propose(self, target: str, wish: Wish) -> Proposal:
        return self._seen.propose(target, wish)

    def start(self, plan: Plan, *, allowed: int | None = None) -> str:
        done = allowed or 0
        job = FakeJob(plan, state=JobState.WAITING, done=done)
        job.tell(*takewhile(lambda event: not _later(event, done), _events(plan.operation)))
        job.tell(WaitingEvent(done))
        name = job_id(plan.operation)
        self.known[name] = job
        return name


async def _drawn(shot: Shot, seen: Sticks, title: str) -> str:
    known = {}
    if shot.job is not None:
        known[job_id(shot.job.operation)] = _recorded(shot.job, seen, shot.target)
    app = Console(_Machine(seen), shot.target, shot.terminal, clock, _Workshop(seen, known))
    async with opened(app, shot.size) as pilot:
        await until(pilot, lambda: app.jobs_known)
        for step in shot.steps:
            if len(step) == 1 or step in _KEYS:
                await pilot.press(step)
            else:
                await until(pilot, lambda words=step: words in text(app))  # type: ignore[misc]
            await pilot.pause()
        await pilot.pause()
        width = app.size.width
        strips = app.screen._compositor.render_strips()
        return picture.svg([strip.crop(0, width) for strip in strips], title=title)


def _recorded(job: Job, seen: Sticks, target: str) -> FakeJob:
    """A job as it has told so far, for the plan that the program proposes here."""
    plan = seen.propose(target, Wish(job.operation)).plan
    assert plan is not None, f"{job.operation} is not possible any more"
    titles = [step.title for step in plan.steps]
    events = _events(job.operation)
    if job.until is not None:
        title, fraction = job.until
        index = titles.index(title)
        events = list(takewhile(lambda event: not _beyond(event, index, fraction), events))
    told = FakeJob(plan, events=events, state=job.state)
    told.done = sum(isinstance(e, StepEvent) and e.state is StepState.DONE for e in events)
    told.can_resume = job.state is JobState.INTERRUPTED
    told.can_roll_back = job.state is not JobState.RUNNING
    if job.state is JobState.INTERRUPTED:
        told.message = "Its worker is gone: the power was cut, or the machine was reset."
    for event in events:
        if isinstance(event, EndEvent):
            told.message = event.message
    return told


def _events(operation: Operation) -> list[Event]:
    return EventReader().feed((JOBS / f"{operation}.jsonl").read_bytes())


def _later(event: Event, step: int) -> bool:
    """Whether an event belongs to a step that is not among the first `step` ones."""
    return isinstance(event, EndEvent) or event.step >= step


def _beyond(event: Event, step: int, fraction: float) -> bool:
    """Whether an event is of a later moment."""
    match event:
        case ProgressEvent():
            return event.step == step and (event.fraction or 0.0) > fraction
        case StepEvent():
            over = event.step == step and event.state is not StepState.RUNNING
            return over or event.step > step
        case EndEvent():
            return True
    return False
