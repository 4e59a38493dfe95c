"""A Plan of Steps: what a dry run prints, what a person confirms and what a job carries out.

Text is for people and has passed `formats.text.clean` where it holds names from outside.
"""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import Action


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


@dataclass(frozen=True, slots=True)
class Room:
    """Room that a plan needs somewhere, in bytes. `where` is told to people."""

    where: str
    needed_bytes: int
    available_bytes: int | None


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
        """The index of the first step that writes to the stick; the number of steps without one."""
        writing = (index for index, step in enumerate(self.steps) if step.writes)
        return next(writing, len(self.steps))
