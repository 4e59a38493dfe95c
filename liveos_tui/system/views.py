"""Base and COW store joined into one device: one protocol, two implementations.

`system.kernel_views` joins them with the kernel's device-mapper and loop devices;
`practice.views` in user space, on plain files. Everything that recovery does goes through here.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from liveos_tui.formats.cow import CowHeader
from liveos_tui.formats.dmtable import Persistence, SnapshotIll, SnapshotStatus


class View(Protocol):
    """An active snapshot. Offsets and sizes are bytes."""

    @property
    def path(self) -> Path:
        """A device or file with the view's bytes, for programs that only read.

        In user space a copy: asked for again after writes, it is a new one.
        """
        ...

    @property
    def size_bytes(self) -> int:
        """Size of the view: the base's."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """All of these bytes. Raises LiveosError when they cannot be read."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write through the snapshot into its store. Raises LiveosError when it is refused."""
        ...

    def sync(self) -> None:
        """Wait until the store is on the medium. Raises LiveosError."""
        ...

    def status(self) -> SnapshotStatus | SnapshotIll:
        """What `dmsetup status` says of it."""
        ...


class Trial(Protocol):
    """A writable throw-away on top of a view: programs change it, the view stays as it is."""

    @property
    def path(self) -> Path:
        """A device or file that programs may read and write."""
        ...

    def changes(self) -> Iterator[tuple[int, bytes]]:
        """What programs have changed, as (offset, bytes) of whole chunks, in order of the offset.

        Chunks that were rewritten with what they held are left out. Ends the trial: `path` is not
        there any more.
        """
        ...


class Mirror(Protocol):
    """A mirror that copies a view to a file, from its start to its end."""

    def wait(self, seconds: float) -> bytes:
        """Let it copy for about so long; then what `dmsetup status` prints of it.

        Raises LiveosError when it does not answer.
        """
        ...


class Joiner(Protocol):
    """Joins bases and stores. Everything is taken down when its context is left.

    `name` distinguishes devices of one job from those of another.
    """

    def base(self, image: Path, member: str | None, name: str) -> AbstractContextManager[Path]:
        """The base image as a device or file: `image` itself, or the file `member` inside it."""
        ...

    def view(
        self,
        base: Path,
        store: Path,
        name: str,
        *,
        persistence: Persistence = "PO",
        read_only: bool = False,
        header: CowHeader | None = None,
    ) -> AbstractContextManager[View]:
        """Base and store as one device.

        With `header` (and `read_only`) the store is taken as if that were its header, without a
        byte written to it. Raises LiveosError, with the state of the store in words, when it
        cannot be loaded.
        """
        ...

    def trial(self, view: View, scratch: Path, name: str) -> AbstractContextManager[Trial]:
        """A throw-away layer on `view`; what programs write goes to new files in `scratch`."""
        ...

    def mirror(
        self, view: View, target: Path, name: str, region_sectors: int
    ) -> AbstractContextManager[Mirror]:
        """Copy `view` to the file `target`, which has its size, in regions of so many sectors.

        It copies as soon as it is there. What was copied is on the medium when the context has been
        left and the file was synced. Raises LiveosError when it cannot be made.
        """
        ...

    def clean_up(self, name: str) -> tuple[str, ...]:
        """Take down what a killed job of this name has left (devices, loops, mounts); what it was.

        Finds things by the name alone, never by guess. Raises LiveosError for what cannot be taken
        down.
        """
        ...
