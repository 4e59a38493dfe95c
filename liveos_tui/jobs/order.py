"""What a worker is told to do, and how it is spoken to while it works."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Protocol

from liveos_tui.jobs.events import Event
from liveos_tui.plans.model import Plan
from liveos_tui.system.probes import Probes
from liveos_tui.system.telling import TellingRunner
from liveos_tui.system.views import Joiner


class OrderKind(StrEnum):
    """Begin a plan, go on with one, or undo one."""

    START = "start"
    RESUME = "resume"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Order:
    """One run of a worker. `job_id` names the job's folders on the stick and in /run.

    `work`: where the plan's folder on another disk (`Plan.apart`) is at this moment, None for where
    the plan has it. `started`: when the job was begun, in its first run (seconds since 1970); None
    for this moment.
    """

    kind: OrderKind
    job_id: str
    plan: Plan
    work: str | None = None
    started: float | None = None


class Wanted(Enum):
    """What is to become of a job at this moment."""

    GO_ON = auto()
    STAND_STILL = auto()
    END = auto()


class Control(Protocol):
    """What the person has asked of a job since it began."""

    def allowed(self) -> int | None:
        """How many steps may be done before the job waits; None for all."""
        ...

    def wanted(self) -> Wanted:
        """Whether the job is to go on; a job that is to end is not to stand still."""
        ...

    def take_back(self) -> bool:
        """Whether the last step is to be undone; says so once for each request.

        After it nothing is allowed until the person allows it again.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Wait until something was asked, but no longer than `seconds`."""
        ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a job works with. `scratch` is a folder of the job's own in /run, not on the stick.

    `programs` is what runs programs for probes and joiner, where the person is told of them.
    """

    probes: Probes
    joiner: Joiner
    scratch: Path
    control: Control
    tell: Callable[[Event], None]
    programs: TellingRunner | None = None
