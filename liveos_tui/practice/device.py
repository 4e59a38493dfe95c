"""Devices of the user-space device-mapper, and what they are put together from."""

from dataclasses import dataclass, field

from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.dmtable import (
    MirrorStatus,
    NoStatus,
    SnapshotIll,
    SnapshotStatus,
    StatusLine,
    TableLine,
)
from liveos_tui.formats.text import clean
from liveos_tui.practice.files import Backing, BlockIoError
from liveos_tui.practice.mirror import Mirror
from liveos_tui.practice.snapshot import Snapshot


class Linear:
    """A stretch of another device (kernel: dm-linear.c)."""

    def __init__(self, backing: Backing, offset_bytes: int) -> None:
        self._backing = backing
        self._offset = offset_bytes

    @property
    def status(self) -> NoStatus:
        """A linear target has nothing to tell."""
        return NoStatus()

    def read(self, offset: int, size: int) -> bytes:
        """See `Backing.read`."""
        return self._backing.read(self._offset + offset, size)

    def write(self, offset: int, data: bytes) -> None:
        """See `Backing.write`."""
        self._backing.write(self._offset + offset, data)

    def sync(self) -> None:
        """See `Backing.sync`."""
        self._backing.sync()

    def close(self) -> None:
        """See `Backing.close`."""
        self._backing.close()


@dataclass(slots=True)
class Segment:
    """One target of a device and its line of the table."""

    line: TableLine
    target: Snapshot | Linear | Mirror

    @property
    def start(self) -> int:
        """Where it starts in the device, in bytes."""
        return self.line.start_sectors * SECTOR_BYTES

    @property
    def end(self) -> int:
        """Where it ends in the device, in bytes."""
        return self.start + self.line.length_sectors * SECTOR_BYTES

    @property
    def status(self) -> StatusLine:
        """Its line of `dmsetup status`."""
        status: SnapshotStatus | SnapshotIll | MirrorStatus | NoStatus = self.target.status
        line = self.line
        return StatusLine(line.start_sectors, line.length_sectors, line.target, status)


@dataclass(slots=True)
class Device:
    """A device, and what other tables see of it (a `Backing`)."""

    name: str
    read_only: bool
    live: list[Segment] = field(default_factory=list)
    loaded: list[Segment] = field(default_factory=list)
    suspended: bool = True
    users: int = 0

    @property
    def size_bytes(self) -> int:
        """See `Backing.size_bytes`."""
        return self.live[-1].end if self.live else 0

    def read(self, offset: int, size: int) -> bytes:
        """See `Backing.read`."""
        return b"".join(
            segment.target.read(at - segment.start, length)
            for segment, at, length in self._parts(offset, size)
        )

    def write(self, offset: int, data: bytes) -> None:
        """See `Backing.write`."""
        if self.read_only:
            raise BlockIoError(f"The device {clean(self.name)} is read-only.")
        done = 0
        for segment, at, length in self._parts(offset, len(data)):
            segment.target.write(at - segment.start, data[done : done + length])
            done += length

    def sync(self) -> None:
        """See `Backing.sync`."""
        for segment in self.live:
            segment.target.sync()

    def close(self) -> None:
        """Called by a table that used this device as one of its own."""
        self.users -= 1

    def _parts(self, offset: int, size: int) -> list[tuple[Segment, int, int]]:
        if self.suspended:
            raise BlockIoError(f"The device {clean(self.name)} is suspended.")
        end = offset + size
        if offset < 0 or end > self.size_bytes:
            raise BlockIoError(f"The device {clean(self.name)} has no byte {end - 1}.")
        return [
            (
                segment,
                max(offset, segment.start),
                min(end, segment.end) - max(offset, segment.start),
            )
            for segment in self.live
            if segment.start < end and offset < segment.end
        ]
