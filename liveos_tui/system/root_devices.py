"""What freezing and switching the running root share: names, tables, scratch stores."""

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS
from liveos_tui.formats.dmtable import (
    Persistence,
    SnapshotIll,
    SnapshotStatus,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.mountinfo import parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.system.dm_control import DmControl
from liveos_tui.system.files import read_small
from liveos_tui.system.joining import part_name
from liveos_tui.system.loops import loop_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.runner import Runner

_AS_BEFORE = "The running system is as it was."


@dataclass(frozen=True, slots=True)
class RootNames:
    """The dm devices of one job: the running root, and those that bear the job's name.

    `trackers` record what is written while a switch copies.
    """

    root: str
    real: str
    frozen: str
    trackers: tuple[str, ...]


def root_names(root: str, name: str) -> RootNames:
    """The names for the job `name`. Raises LiveosError for what can be no name."""
    trackers = tuple(part_name(name, f"track{number}") for number in range(5))
    return RootNames(root, part_name(name, "real"), part_name(name, "frozen"), trackers)


def snapshot_state(control: DmControl, name: str) -> SnapshotStatus | SnapshotIll:
    """What a snapshot says of itself; UNKNOWN for what is none."""
    match control.status(name):
        case (SnapshotStatus() | SnapshotIll() as state,):
            return state
    return SnapshotIll.UNKNOWN


def snapshot_over(line: TableLine, origin: str, store: str, persistence: Persistence) -> TableLine:
    """A snapshot of `origin`, with chunks as large as those of `line`."""
    chunk_sectors = DEFAULT_CHUNK_SECTORS
    if isinstance(line.table, SnapshotTable):
        chunk_sectors = line.table.chunk_sectors
    table = SnapshotTable(origin, store, persistence, chunk_sectors)
    return TableLine(0, line.length_sectors, table)


def take_down(control: DmControl, name: str) -> None:
    """Remove a device of the job, if there is one."""
    if control.info(name) is not None:
        control.remove(name)


@contextmanager
def scratch_loop(
    runner: Runner,
    names: RootNames,
    root: str,
    size_bytes: int,
    folder: Path | None,
    *,
    less: bool = False,
) -> Iterator[str]:
    """The number of a loop device on a new file, which goes with what is built on it.

    The file lies in `folder`, or in memory, and has no name any more. Never on the root itself
    (number `root`): to keep what is overwritten there would be another write there. With `less` it
    is no larger than half the room that there is.
    """
    where = folder or RUN_FOLDER
    if folder is None:
        RUN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    file = where / f"{names.frozen}.scratch"
    try:
        device = where.stat().st_dev
        if f"{os.major(device)}:{os.minor(device)}" == root:
            raise LiveosError(
                f"{clean(str(where))} lies on the running root itself.",
                f"{_AS_BEFORE} Name a folder on another disk for the scratch store.",
            )
        space = os.statvfs(where)
        free_bytes = space.f_bavail * space.f_frsize
        if less:
            size_bytes = min(size_bytes, free_bytes // 2)
        if free_bytes < size_bytes:
            raise LiveosError(
                f"{clean(str(where))} has no room for a scratch store of {size_bytes} bytes.",
                f"{_AS_BEFORE} Name a folder on another disk, or take less.",
            )
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LiveosError(
            f"{clean(str(where))} takes no scratch store: {error.strerror}.", _AS_BEFORE
        ) from error
    try:
        os.ftruncate(descriptor, size_bytes)
        with loop_of(runner, file, read_only=False) as loop:
            file.unlink()
            yield number_of(loop)
    finally:
        os.close(descriptor)
        file.unlink(missing_ok=True)


def number_of(device: Path) -> str:
    """A block device's number, "7:5"."""
    status = device.stat()
    if not stat.S_ISBLK(status.st_mode):
        raise LiveosError(f"{clean(str(device))} is no device.", _AS_BEFORE)
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def write_out(number: str) -> None:
    """Have the file system on a device written out, so that suspending it takes less time."""
    libc = ctypes.CDLL(None, use_errno=True)
    mounts = parse_mountinfo(read_small(Path("/proc/self/mountinfo"), 1 << 24) or "")
    for mount in mounts:
        if mount.device == number:
            folder = os.open(mount.mount_point, os.O_RDONLY | os.O_CLOEXEC)
            try:
                for _ in range(2):
                    libc.syncfs(folder)
            finally:
                os.close(folder)
            return
