"""What a job has told so far: its events, gathered by step."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.plans.model import Plan

LINES_KEPT = 1000
"""Lines of output that are kept for each step; older ones are dropped."""

# Wider than any terminal that reads a tool's line without wrapping it.
_LINE_LIMIT = 400


class LogLine(NamedTuple):
    """A line that a program has printed, or the command that began it."""

    text: str
    command: bool = False


@dataclass(frozen=True, slots=True)
class StepLog:
    """What is known of one step. `dropped` lines came before `lines`.

    `began` and `ended` are seconds of the machine's monotonic clock, where they are known.
    """

    state: StepState | None = None
    text: str = ""
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    progress: ProgressEvent | None = None
    found: tuple[str, ...] = ()
    began: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs, and where it is not known."""
        if self.began is None or self.ended is None or self.ended < self.began:
            return None
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class JobLog:
    """What a job has told. `waiting` is the step that it waits before, `end` how it ended.

    `paused`: it stands still within a step; `was_paused`: it has done so.
    """

    plan: Plan
    steps: tuple[StepLog, ...]
    waiting: int | None = None
    end: EndEvent | None = None
    paused: bool = False
    was_paused: bool = False

    @property
    def seconds(self) -> float | None:
        """From the beginning of the first step to the end of the last, pauses and all.

        None where it is not known.
        """
        began = [step.began for step in self.steps if step.began is not None]
        ended = [step.ended for step in self.steps if step.ended is not None]
        if not began or not ended or max(ended) < min(began):
            return None
        return max(ended) - min(began)

    @property
    def done(self) -> int:
        """How many steps are behind it."""
        return sum(step.state is StepState.DONE for step in self.steps)

    @property
    def running(self) -> int | None:
        """The step that is being done or undone."""
        states = [step.state for step in self.steps]
        return states.index(StepState.RUNNING) if StepState.RUNNING in states else None

    @property
    def undone(self) -> int | None:
        """The step that was undone last: undoing goes from the last step to the first."""
        states = [step.state for step in self.steps]
        return states.index(StepState.UNDONE) if StepState.UNDONE in states else None

    @property
    def failed(self) -> int | None:
        """The step that went wrong."""
        states = [step.state for step in self.steps]
        return states.index(StepState.FAILED) if StepState.FAILED in states else None

    @property
    def found(self) -> tuple[str, ...]:
        """Everything that the person should know, in the order of the steps."""
        return tuple(text for step in self.steps for text in step.found)

    @property
    def last_words(self) -> tuple[str, ...]:
        """What the last done step said, and what it has found."""
        done = [step for step in self.steps if step.state is StepState.DONE]
        if not done:
            return ()
        step = done[-1]
        return tuple(text for text in (step.text, *step.found) if text)


def empty(plan: Plan, done: int = 0) -> JobLog:
    """The log of a job that has told nothing; `done` steps are known to be behind it."""
    steps = [StepLog(StepState.DONE if index < done else None) for index in range(len(plan.steps))]
    return JobLog(plan, tuple(steps))


def add(log: JobLog, events: Iterable[Event]) -> JobLog:
    """`log`, and what `events` tell. Events about steps that the plan lacks are passed over."""
    steps = list(log.steps)
    waiting, end = log.waiting, log.end
    paused, was_paused = log.paused, log.was_paused
    for event in events:
        if isinstance(event, EndEvent):
            waiting, end, paused = None, _harmless(event), False
            continue
        if not 0 <= event.step < len(steps):
            continue
        # Whatever is told after an end is told by a worker that goes on with the job.
        end = None
        match event:
            case WaitingEvent(step):
                waiting = step
            case PausedEvent():
                paused, was_paused = event.paused, True
            case _:
                waiting = None
                steps[event.step] = _told(steps[event.step], event)
    return JobLog(log.plan, tuple(steps), waiting, end, paused, was_paused)


def _told(
    step: StepLog, event: StepEvent | ProgressEvent | CommandEvent | OutputEvent | FoundEvent
) -> StepLog:
    match event:
        case StepEvent(state=StepState.RUNNING):
            # The lines of an earlier time stay: they are a chronicle.
            text = clean(event.text, _LINE_LIMIT)
            return StepLog(event.state, text, step.lines, step.dropped, began=event.at)
        case StepEvent():
            text = clean(event.text, _LINE_LIMIT)
            return replace(step, state=event.state, text=text, ended=event.at)
        case ProgressEvent():
            return replace(step, progress=replace(event, phase=clean(event.phase)))
        case CommandEvent():
            return _line(step, LogLine(clean(shlex.join(event.argv), _LINE_LIMIT), command=True))
        case OutputEvent():
            return _line(step, LogLine(clean(event.text, _LINE_LIMIT)))
        case FoundEvent():
            return replace(step, found=(*step.found, clean(event.text, _LINE_LIMIT)))


def _line(step: StepLog, line: LogLine) -> StepLog:
    lines = (*step.lines, line)
    surplus = max(0, len(lines) - LINES_KEPT)
    return replace(step, lines=lines[surplus:], dropped=step.dropped + surplus)


def _harmless(event: EndEvent) -> EndEvent:
    return replace(
        event,
        message=clean(event.message, _LINE_LIMIT),
        hint=clean(event.hint, _LINE_LIMIT),
        report=tuple(clean(line, _LINE_LIMIT) for line in event.report),
    )
