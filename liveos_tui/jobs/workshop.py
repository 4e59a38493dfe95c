"""What the console and the command line ask of jobs."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from liveos_tui.jobs.events import Event, JobState
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.model import Plan


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for.

    `rehearse` only: nothing is written to the stick. `repair`: also where only e2fsck can tell that
    something is wrong. `grow_bytes`: by how much the overlay is to grow, None for a proposal;
    `to_bytes`: how large it is to be. `copies`: folders on other disks that get the backup as well.
    `fill_holes`: have the stick provide all of a sparse overlay.

    For a merge, None leaves it to the plan: `engine`, the folder `work` on another disk (an
    absolute path), the compressor `compression` of the new image and its `level`. `switch`: a
    running root goes over to the new image at once, and not with the next boot.
    """

    operation: Operation
    rehearse: bool = False
    repair: bool = False
    grow_bytes: int | None = None
    to_bytes: int | None = None
    copies: tuple[str, ...] = ()
    fill_holes: bool = False
    engine: Engine | None = None
    work: str | None = None
    compression: str | None = None
    level: int | None = None
    switch: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found and what could be done about it: a plan, or why there is none.

    `nothing_to_do`: there is none because all is well as it is.
    """

    facts: tuple[Fact, ...]
    plan: Plan | None = None
    why_not: str = ""
    hint: str = ""
    nothing_to_do: bool = False


NO_JOURNAL = "Its stick is not there, or has nothing of it."


@dataclass(frozen=True, slots=True)
class Job:
    """A job, alive or not. `started` is seconds since 1970; `done` steps are behind it.

    `can_resume` says what is offered, `why_not_back` why going back is not, "" where it is;
    `message` how it ended, or how it is. `kept`: its stick is there, and has its journal.
    `touched`: it has begun to write, and a person had agreed to that. `undo_first`: the later job
    that has to be undone before it can be, "" for none. `on_target`: it is of the stick that the
    list was asked for.
    """

    id: str
    plan: Plan
    state: JobState
    started: float
    done: int = 0
    message: str = ""
    can_resume: bool = False
    why_not_back: str = NO_JOURNAL
    kept: bool = False
    touched: bool = False
    undo_first: str = ""
    on_target: bool = False

    @property
    def can_roll_back(self) -> bool:
        """Whether it can be undone."""
        return not self.why_not_back

    @property
    def can_be_forgotten(self) -> bool:
        """Whether something of it lies on the stick that its person may not need any more."""
        ended = self.state in {JobState.DONE, JobState.LEFT, JobState.ROLLED_BACK}
        return self.kept and ended and not self.can_resume


class Feed(Protocol):
    """The events of one job, from the first."""

    def poll(self) -> list[Event]:
        """What has come since the last call. Never blocks; an ended job gives an EndEvent last."""
        ...

    def close(self) -> None:
        """Stop to listen. The job goes on."""
        ...


class Workshop(Protocol):
    """Plans and jobs of this machine. Every method may block: call it from a thread.

    All raise LiveosError.
    """

    def propose(self, target: str, wish: Wish) -> Proposal:
        """Look at the target and plan. Changes nothing."""
        ...

    def start(self, plan: Plan, *, allowed: int | None = None) -> str:
        """Start a worker for the plan; its job's id.

        `allowed`: how many steps it may do before it waits for `allow`; None for all.
        """
        ...

    def jobs(self, target: str | None = None, work: str | None = None) -> tuple[Job, ...]:
        """The jobs of this machine, and those that the target's journals tell of; newest first.

        `work`: a folder on another disk, where a merge may have a second journal.
        """
        ...

    def stamp(self) -> Hashable:
        """Another one than before when a job of this machine was begun, or has told something.

        Cheap, and no stick is looked at.
        """
        ...

    def feed(self, job_id: str) -> Feed:
        """Listen to a job of this machine."""
        ...

    def allow(self, job_id: str, steps: int) -> None:
        """Let a waiting job go on until `steps` of its steps are done."""
        ...

    def step_back(self, job_id: str) -> None:
        """Have a waiting job undo its last step, and wait there."""
        ...

    def cancel(self, job_id: str) -> None:
        """Have a job end at the next point where that does no harm."""
        ...

    def pause(self, job_id: str) -> None:
        """Have a job stand still at the next point where that does no harm."""
        ...

    def go_on(self, job_id: str) -> None:
        """Have a job that stands still go on."""
        ...

    def resume(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """Go on with an interrupted, failed or cancelled job; its id.

        One that has not begun to write waits before it does, as a new one.
        `work`: where the job's folder on another disk is now, if it has one and that has moved.
        """
        ...

    def roll_back(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """Undo all that a job has done, to the exact bytes; its id, to listen to."""
        ...

    def leave(self, job_id: str, target: str | None = None) -> None:
        """Leave an interrupted job as it is: it is not offered again."""
        ...

    def forget(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """Give up the way back of a job that has ended; what that frees, in a sentence.

        The old image of a merge is removed, and what a job has saved to undo it.
        """
        ...
