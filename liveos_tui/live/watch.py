"""What a console needs of a system that it watches."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from liveos_tui.live.model import AttachedDevice, LiveSystem


class Watch(Protocol):
    """One target, sampled again and again. Every method may block: call it from a thread."""

    @property
    def history(self) -> tuple[tuple[float, int], ...]:
        """Points (seconds, used bytes of the overlay) of the samples so far, oldest first."""
        ...

    def sample(self) -> LiveSystem:
        """How the target is at this moment.

        Raises TargetGoneError when it has disappeared (a later call may find it again), and other
        `LiveosError`s with a message for the person.
        """
        ...

    def close(self) -> None:
        """Undo what watching needed (a read-only mount)."""
        ...


class Machine(Protocol):
    """What a console needs of the machine it runs on."""

    def open(self, target: str) -> Watch:
        """Begin to watch `target`. Raises `NotALiveosError` and other `LiveosError`s."""
        ...

    def devices(self) -> tuple[AttachedDevice, ...]:
        """Every block device that is or may be a LiveOS stick. May block: call it from a thread."""
        ...

    def hotplug(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `changed` (from another thread) whenever a block device comes or goes."""
        ...
