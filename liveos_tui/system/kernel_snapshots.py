"""Snapshots of the kernel's device-mapper that are active: a view, and a trial on top of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from liveos_tui.formats.cow import (
    DEFAULT_CHUNK_SECTORS,
    SECTOR_BYTES,
    exceptions_per_area,
    iterate_exceptions,
)
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.formats.text import clean
from liveos_tui.system.devicemapper import DeviceMapper
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.joining import ViewError, refused
from liveos_tui.system.views import View


def snapshot_status(mapper: DeviceMapper, name: str) -> SnapshotStatus | SnapshotIll:
    """What the kernel says of a snapshot. Raises ViewError when there is none of this name."""
    for device in mapper.status():
        if device.name == name and device.lines:
            status = device.lines[0].status
            if isinstance(status, SnapshotStatus | SnapshotIll):
                return status
    raise ViewError(
        f"The device {clean(name)} is gone.", "Someone has taken it down. Look at the stick again."
    )


class KernelView:
    """A `views.View` of the kernel's. `device` is the open dm device `name`."""

    def __init__(self, mapper: DeviceMapper, name: str, path: Path, device: DirectDevice) -> None:
        self.path = path
        self._mapper = mapper
        self._name = name
        self._device = device

    @property
    def size_bytes(self) -> int:
        """See `View.size_bytes`."""
        return self._device.size_bytes

    def read(self, offset: int, size: int) -> bytes:
        """See `View.read`. Raises ViewError."""
        try:
            return self._device.read(offset, size)
        except OSError as error:
            raise self._refused("read", offset, error) from error

    def write(self, offset: int, data: bytes) -> None:
        """See `View.write`. What precedes the refused chunk was written. Raises ViewError."""
        try:
            self._device.write(offset, data)
        except OSError as error:
            raise self._refused("written", offset, error) from error

    def sync(self) -> None:
        """See `View.sync`. Raises ViewError."""
        try:
            self._device.sync()
        except OSError as error:
            raise self._refused("written out", 0, error) from error

    def status(self) -> SnapshotStatus | SnapshotIll:
        """See `View.status`. Raises LiveosError when the device is gone."""
        return snapshot_status(self._mapper, self._name)

    def _refused(self, done: str, offset: int, error: OSError) -> ViewError:
        try:
            status = self.status()
        except ViewError:
            status = None
        return refused(done, offset, status, error.strerror or str(error))


class KernelTrial:
    """A `views.Trial` of the kernel's.

    `store` is the descriptor of its store, `take_down` removes the device; then the store is read.
    """

    def __init__(
        self,
        path: Path,
        view: View,
        store: int,
        status: Callable[[], SnapshotStatus | SnapshotIll],
        take_down: Callable[[], None],
    ) -> None:
        self.path = path
        self._view = view
        self._store = store
        self._status = status
        self._take_down = take_down

    def changes(self) -> Iterator[tuple[int, bytes]]:
        """See `Trial.changes`. Raises ViewError when the trial's own store was full."""
        status = self._status()
        if isinstance(status, SnapshotIll):
            raise ViewError(
                "There was no room for what the trial changed, or the stick could not be read.",
                "The overlay is as it was. Free some memory, or name another folder for the work.",
                status=status,
            )
        self._take_down()
        return self._differences()

    def _differences(self) -> Iterator[tuple[int, bytes]]:
        # Where an old chunk comes twice, the kernel finds the later exception.
        found = dict(iterate_exceptions(self._read, os.fstat(self._store).st_size))
        chunk_bytes = DEFAULT_CHUNK_SECTORS * SECTOR_BYTES
        for old, new in sorted(found.items()):
            offset = old * chunk_bytes
            # The last chunk may reach beyond the end of the view.
            size = min(chunk_bytes, self._view.size_bytes - offset)
            data = self._read(new * chunk_bytes, size)
            if data != self._view.read(offset, size):
                yield offset, data

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._store, size, offset)
        except OSError as error:
            raise ViewError(
                f"What the trial changed cannot be read: {error.strerror}.",
                "The overlay is as it was.",
            ) from error


def scratch_store_bytes(view_bytes: int) -> int:
    """The size of a store that cannot fill: room for every chunk of a view, and for the list."""
    chunk_bytes = DEFAULT_CHUNK_SECTORS * SECTOR_BYTES
    chunks = -(-view_bytes // chunk_bytes)
    areas = chunks // exceptions_per_area(DEFAULT_CHUNK_SECTORS) + 2
    return (1 + areas + chunks) * chunk_bytes
