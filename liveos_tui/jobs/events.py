"""What a job tells while it works: one stream, which screens, terminals and `--json` listen to."""

from dataclasses import dataclass, field
from enum import StrEnum


class StepState(StrEnum):
    """How a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class JobState(StrEnum):
    """How a job is. `interrupted`: its worker is gone without having ended it."""

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled back"
    LEFT = "left as it is"


IS = {
    JobState.RUNNING: "is at work",
    JobState.WAITING: "waits for an answer",
    JobState.PAUSED: "is paused",
    JobState.DONE: "is done",
    JobState.FAILED: "has failed",
    JobState.CANCELLED: "was cancelled",
    JobState.INTERRUPTED: "was interrupted",
    JobState.ROLLED_BACK: "was undone",
    JobState.LEFT: "was left as it is",
}
"""How a job is, after "it"."""

GOING_BACK = "Going back."
"""The text of a step that runs because it is undone."""


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step has changed its state. `text` says what came of it, in one sentence.

    `at` is when, in seconds of the machine's monotonic clock, as the event log notes it: how long a
    step took is the difference of two, which a clock that is set meanwhile cannot spoil.
    """

    step: int
    state: StepState
    text: str = ""
    at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """How far a step is. Unknown is None. `fraction` is 0.0 to 1.0, `rate` bytes a second."""

    step: int
    phase: str
    fraction: float | None = None
    rate: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class CommandEvent:
    """A program was started: its argument list."""

    step: int
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutputEvent:
    """A line that a program has printed, made harmless."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """Something that the person should know, in one sentence."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """The job waits for the person before it does `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class PausedEvent:
    """The job stands still within `step`, because the person wants it; or it goes on again."""

    step: int
    paused: bool


@dataclass(frozen=True, slots=True)
class EndEvent:
    """The job has ended. `message` says how, `hint` what to do now, `report` the details."""

    state: JobState
    message: str
    hint: str = ""
    report: tuple[str, ...] = ()


Event = (
    StepEvent
    | ProgressEvent
    | CommandEvent
    | OutputEvent
    | FoundEvent
    | WaitingEvent
    | PausedEvent
    | EndEvent
)
