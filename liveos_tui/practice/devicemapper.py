"""The device-mapper in user space: the same tables, the same COW format, on plain files.

For practising, for tests, and for a copy of a stick on a machine that has no device-mapper.
Devices live as long as the `UserSpaceDeviceMapper` that made them. What a table calls a device is
the path of a file, or `/dev/mapper/NAME` of another device made here; a character that cannot
stand in a table is written as `device_word` writes it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.dmtable import (
    DeviceStatus,
    DeviceTable,
    LinearTable,
    MirrorLeg,
    MirrorTable,
    Persistence,
    SnapshotTable,
    TableLine,
    parse_table,
)
from liveos_tui.formats.text import clean
from liveos_tui.practice.device import Device, Linear, Segment
from liveos_tui.practice.files import Backing, BlockFile, copy_sparse
from liveos_tui.practice.mirror import Mirror
from liveos_tui.practice.snapshot import Snapshot

_MAPPER = "/dev/mapper/"
_UNFIT = re.compile(r"[^!-\[\]-~]")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_COMPARE_BYTES = 1 << 20
# DM_CHUNK_SIZE_DEFAULT_SECTORS: what the kernel takes where a table says 0.
_KERNEL_CHUNK_SECTORS = 32


class DeviceMapperError(LiveosError):
    """Something that a device-mapper refuses: a name, a table, the order of calls."""


def device_word(path: Path | str) -> str:
    r"""A path as a word of a table: what would break the word as `\xNN`, as dmsetup writes it."""
    return _UNFIT.sub(
        lambda match: "".join(
            f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape")
        ),
        str(path),
    )


def device_path(word: str) -> Path:
    """The path that `device_word` was given."""
    data = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), word).encode("latin-1")
    return Path(data.decode("utf-8", "surrogateescape"))


class UserSpaceDeviceMapper:
    """A `system.devicemapper.DeviceMapper` of plain files. A context manager: removes its devices.

    Beyond the protocol it reads and writes devices, since no program can open them.
    """

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}

    def __enter__(self) -> "UserSpaceDeviceMapper":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The last device can only have others below it, never above.
        for device in reversed(self._devices.values()):
            _close([*device.live, *device.loaded])
        self._devices.clear()

    def create(self, name: str, table: str | None = None, *, read_only: bool = False) -> None:
        """See `DeviceMapper.create`. Raises DeviceMapperError, CowError, LiveosError."""
        if not name or "/" in name or name in self._devices:
            raise DeviceMapperError(f"The device {clean(name)!r} exists already, or cannot be.")
        device = Device(name, read_only)
        if table is not None:
            device.live = self._build(table, device)
            device.suspended = False
        self._devices[name] = device

    def load(self, name: str, table: str) -> None:
        """See `DeviceMapper.load`. The store of an active device cannot be taken over."""
        device = self._device(name)
        segments = self._build(table, device)
        _close(device.loaded)
        device.loaded = segments

    def suspend(self, name: str) -> None:
        """See `DeviceMapper.suspend`. What was written is on the medium when it returns."""
        device = self._device(name)
        device.sync()
        device.suspended = True

    def resume(self, name: str) -> None:
        """See `DeviceMapper.resume`."""
        device = self._device(name)
        if device.loaded:
            _close(device.live)
            device.live, device.loaded = device.loaded, []
        if not device.live:
            raise DeviceMapperError(f"The device {clean(name)} has no table.", "Load one first.")
        device.suspended = False

    def remove(self, name: str) -> None:
        """See `DeviceMapper.remove`. Refused while another device uses it."""
        device = self._device(name)
        if device.users:
            raise DeviceMapperError(
                f"The device {clean(name)} is in use.", "Remove the device on top of it first."
            )
        device.sync()
        _close([*device.live, *device.loaded])
        del self._devices[name]

    def status(self) -> tuple[DeviceStatus, ...]:
        """See `DeviceMapper.status`."""
        return tuple(
            DeviceStatus(name, tuple(segment.status for segment in device.live))
            for name, device in self._devices.items()
        )

    def table(self) -> tuple[DeviceTable, ...]:
        """See `DeviceMapper.table`. The chunk size is the store's, as the kernel prints it."""
        return tuple(
            DeviceTable(name, tuple(segment.line for segment in device.live))
            for name, device in self._devices.items()
        )

    def size_bytes(self, name: str) -> int:
        """Size of a device in bytes."""
        return self._device(name).size_bytes

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Bytes of a device. Raises BlockIoError as a kernel's device gives EIO."""
        return self._device(name).read(offset, size)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Write to a device. Raises BlockIoError as a kernel's device gives EIO."""
        self._device(name).write(offset, data)

    def sync(self, name: str) -> None:
        """Wait until what was written to a device is on the medium. Raises BlockIoError."""
        self._device(name).sync()

    def copy(self, name: str, seconds: float) -> None:
        """Have a mirror copy for about so long: nothing here goes on by itself."""
        for segment in self._device(name).live:
            if isinstance(segment.target, Mirror):
                segment.target.copy(seconds)

    def materialise(self, name: str, path: Path) -> None:
        """Write all of a device to a new sparse file, for programs to work on."""
        copy_sparse(self._device(name), path)

    def write_back(self, name: str, path: Path, chunk_bytes: int = 4096) -> int:
        """Write to a device what differs in a materialised file, from its start to its end.

        Returns how many chunks were written. Raises BlockIoError at the first that was refused.
        """
        device = self._device(name)
        file = BlockFile(path, writable=False)
        written = 0
        try:
            for offset in range(0, device.size_bytes, _COMPARE_BYTES):
                size = min(_COMPARE_BYTES, device.size_bytes - offset)
                new, old = file.read(offset, size), device.read(offset, size)
                for start, end in _changed(old, new, chunk_bytes):
                    device.write(offset + start, new[start:end])
                    written += -(-(end - start) // chunk_bytes)
        finally:
            file.close()
        return written

    def _device(self, name: str) -> Device:
        if name not in self._devices:
            raise DeviceMapperError(f"There is no device {clean(name)!r}.")
        return self._devices[name]

    def _build(self, table: str, device: Device) -> list[Segment]:
        """Open what a table names. Raises DeviceMapperError for a table that cannot be."""
        segments: list[Segment] = []
        try:
            for line in (line for found in parse_table(table) for line in found.lines):
                if line.start_sectors * SECTOR_BYTES != (segments[-1].end if segments else 0):
                    raise DeviceMapperError("A table has a gap between two of its targets.")
                segments.append(self._segment(line, read_only=device.read_only))
        except BaseException:
            _close(segments)
            raise
        if not segments:
            raise DeviceMapperError("A table needs one target at least.")
        return segments

    def _segment(self, line: TableLine, *, read_only: bool) -> Segment:
        match line.table:
            case LinearTable(word, offset_sectors):
                backing = self._open(word, writable=not read_only)
                return Segment(line, Linear(backing, offset_sectors * SECTOR_BYTES))
            case SnapshotTable(origin, store, "P" | "PO" as kind, chunk_sectors, (), False):
                return self._snapshot(line, origin, store, kind, chunk_sectors, read_only=read_only)
            case MirrorTable(
                (MirrorLeg(source, 0), MirrorLeg(target, 0)),
                (_, "sync"),
                "core",
                ("handle_errors",),
            ) as table:
                region_sectors = table.region_sectors or 0
                return self._mirror(line, source, target, region_sectors, read_only=read_only)
            case table:
                raise DeviceMapperError(
                    f"The target {clean(str(table.target))} {clean(str(table))} is not known here.",
                    "In user space there are linear, snapshot (P or PO), and mirror with two legs, "
                    "a core log, sync and handle_errors.",
                )

    def _snapshot(
        self,
        line: TableLine,
        origin_word: str,
        store_word: str,
        kind: Persistence,
        chunk_sectors: int,
        *,
        read_only: bool,
    ) -> Segment:
        if origin_word == store_word:
            raise DeviceMapperError("The COW store cannot be its own origin.")
        origin = self._open(origin_word, writable=False)
        try:
            store = self._open(store_word, writable=not read_only, exclusive=not read_only)
            try:
                snapshot = Snapshot(
                    origin,
                    store,
                    overflow=kind == "PO",
                    chunk_sectors=chunk_sectors or _KERNEL_CHUNK_SECTORS,
                )
            except BaseException:
                store.close()
                raise
        except BaseException:
            origin.close()
            raise
        effective = SnapshotTable(origin_word, store_word, kind, snapshot.chunk_sectors)
        return Segment(TableLine(line.start_sectors, line.length_sectors, effective), snapshot)

    def _mirror(
        self,
        line: TableLine,
        source_word: str,
        target_word: str,
        region_sectors: int,
        *,
        read_only: bool,
    ) -> Segment:
        size_bytes = line.length_sectors * SECTOR_BYTES
        # _check_region_size of dm-log.c.
        if not 2 <= region_sectors <= line.length_sectors or region_sectors.bit_count() != 1:
            raise DeviceMapperError(f"A mirror cannot have regions of {region_sectors} sectors.")
        source = self._open(source_word, writable=not read_only)
        try:
            # Written in any case: that the mirror is read-only keeps nobody from copying.
            target = self._open(target_word, writable=True, exclusive=True)
        except BaseException:
            source.close()
            raise
        words = source_word, target_word
        mirror = Mirror(source, target, words, size_bytes, region_sectors * SECTOR_BYTES)
        if min(source.size_bytes, target.size_bytes) < size_bytes:
            mirror.close()
            raise DeviceMapperError("A leg of the mirror is smaller than the mirror.")
        return Segment(line, mirror)

    def _open(self, word: str, *, writable: bool, exclusive: bool = False) -> Backing:
        if word.startswith(_MAPPER):
            below = self._device(word.removeprefix(_MAPPER))
            below.users += 1
            return below
        return BlockFile(device_path(word), writable=writable, exclusive=exclusive)


def _changed(old: bytes, new: bytes, chunk_bytes: int) -> Iterator[tuple[int, int]]:
    """Runs of chunks that differ, each as start and end in bytes."""
    if old == new:
        return
    start = None
    for at in range(0, len(new), chunk_bytes):
        differs = old[at : at + chunk_bytes] != new[at : at + chunk_bytes]
        if differs and start is None:
            start = at
        elif not differs and start is not None:
            yield start, at
            start = None
    if start is not None:
        yield start, len(new)


def _close(segments: list[Segment]) -> None:
    for segment in segments:
        segment.target.close()
