"""A Plan of Steps: what a dry run prints, what a person confirms and what a job carries out.

Text is for people and has passed `formats.text.clean` where it holds names from outside.
"""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.formats.images import Image
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import Action, FreezeRoot, MakeImage, OpenStick, RefreshLoop


class Cancel(StrEnum):
    """When a step that runs can be cancelled."""

    NOW = "now"
    SAFE_POINT = "at its end"
    NEVER = "not any more"


class Confirmation(StrEnum):
    """What a person has to do before the first step that writes."""

    NONE = "none"
    ENTER = "enter"
    """Enter on a button that is not the default: what is done can be undone."""
    LABEL = "label"
    """The stick's label typed: what is done cannot be undone, or is risky."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `commands` are argument lists as they are run, names that come later in capitals.

    `needs` says what must be there, `writes` what it writes and where (none: it writes nothing to
    the stick), `undo` how it is undone.
    """

    action: Action
    title: str
    why: str
    commands: tuple[tuple[str, ...], ...] = ()
    needs: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    undo: str = "Nothing to undo."
    cancel: Cancel = Cancel.NOW

    @property
    def writes_overlay(self) -> bool:
        """Whether it writes more to the stick than the journal of its job."""
        return bool(self.writes) and not isinstance(self.action, OpenStick)

    @property
    def matters(self) -> bool:
        """Whether a person has to agree to it."""
        return self.writes_overlay or (isinstance(self.action, OpenStick) and self.action.remount)


@dataclass(frozen=True, slots=True)
class Room:
    """Room that a plan needs somewhere, in bytes. `where` is told to people, `parts` what for."""

    where: str
    needed_bytes: int
    available_bytes: int | None
    parts: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to `place`, step by step.

    `summary` says in sentences what is wrong and what is done about it, `warnings` what to know
    before, `go_back` how everything is undone, `afterwards` what is left to do for the person.
    """

    operation: Operation
    place: Place
    title: str
    steps: tuple[Step, ...]
    confirmation: Confirmation
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    room: tuple[Room, ...] = ()
    go_back: str = ""
    afterwards: tuple[str, ...] = ()

    @property
    def first_write(self) -> int:
        """The index of the first step that a person has to confirm; the number of steps for none.

        To mount a stick for a job, and to begin its journal there, is no such step; to make the
        person's own read-only mount writable is.
        """
        return next((n for n, step in enumerate(self.steps) if step.matters), len(self.steps))

    @property
    def works_in_use(self) -> bool:
        """Whether it is made for an overlay that the running system uses."""
        return any(isinstance(step.action, RefreshLoop | FreezeRoot) for step in self.steps)

    @property
    def apart(self) -> str | None:
        """The folder on another disk that has both images of a merge meanwhile; None: no such."""
        actions = (step.action for step in self.steps)
        return next((each.apart for each in actions if isinstance(each, MakeImage)), None)

    def new_compressor(self, old: Image | None) -> str | None:
        """What the new image of a merge is compressed with, where the `old` one is not.

        What the old one is compressed with the stick's kernels read, since they boot with it.
        """
        actions = (step.action for step in self.steps)
        wanted = next((a.compression for a in actions if isinstance(a, MakeImage)), None)
        if wanted is None or (old is not None and old.compressor == wanted.name):
            return None
        return wanted.name

    @property
    def writes(self) -> bool:
        """Whether anything is to undo once it is done."""
        return self.has_written(len(self.steps))

    def has_written(self, steps: int) -> bool:
        """Whether there is anything to undo once the first `steps` steps are done or begun."""
        return any(step.writes_overlay for step in self.steps[:steps])
