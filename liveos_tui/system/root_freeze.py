"""Freezing the running root: a device that keeps its state of one moment, while it goes on.

The root (`live-rw`) is a snapshot of its base with its overlay as the store. Frozen, it is this:

    live-rw    snapshot-origin REAL         the system; what it writes goes to REAL
    REAL       snapshot BASE OVERLAY PO 8   what live-rw was: the same base, the same overlay
    FROZEN     snapshot REAL SCRATCH P 8    what the system overwrites is kept in SCRATCH

REAL and FROZEN bear the job's name (`joining.part_name`), so that they are found when the worker
was killed. Between the tables of live-rw and REAL the kernel hands the exceptions of the overlay
over: they are in one of the two at any time, and a snapshot that has given them away calls itself
Invalid. Source: drivers/md/dm-snap.c, __validate_exception_handover, snapshot_preresume,
snapshot_resume.

The states between, and how `revive` lets a suspended root go on from each; W is a table that
waits for the next resume:

    live-rw            REAL        way on
    snapshot, W origin W snapshot  back: drop the tables that wait, REAL's last, as the kernel does
                                   not resume a snapshot while another waits for its exceptions
    snapshot, W origin snapshot    forward: the exceptions are with REAL; resume brings the origin
    origin             snapshot    resume
    origin, W snapshot snapshot    back (a thaw): drop the table that waits, then resume REAL, which
                                   may be suspended, then live-rw
    snapshot           snapshot    forward (a thaw whose resume came too early): suspend REAL,
                                   resume brings the exceptions
"""

import ctypes
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS
from liveos_tui.formats.dmtable import (
    Persistence,
    SnapshotIll,
    SnapshotOriginTable,
    SnapshotStatus,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.mountinfo import parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.dm_control import DmControl, device_path
from liveos_tui.system.files import read_small
from liveos_tui.system.joining import part_name
from liveos_tui.system.leftovers import kill_users
from liveos_tui.system.loops import loop_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.root_guard import WATCHDOG_SECONDS, guarded
from liveos_tui.system.runner import Runner

Instant = Callable[[str], None]
"""Called with the name of each moment that is passed: tests have the process end there."""

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


def freeze(
    control: DmControl,
    runner: Runner,
    names: RootNames,
    scratch_bytes: int,
    scratch: Path | None = None,
    *,
    instant: Instant = lambda _: None,
    seconds: float = WATCHDOG_SECONDS,
) -> float:
    """Freeze the root; how many seconds the system stood still.

    What it overwrites is kept in a file of at most `scratch_bytes` in the folder `scratch`, or in
    memory. Everything is loaded and checked before the root is suspended. Raises LiveosError; then
    the root is as it was.
    """
    plain = plain_table(control, names.root)
    number = control.number(names.root)
    if control.info(names.real) is not None or control.info(names.frozen) is not None:
        raise LiveosError("The root is frozen by this job already.", _AS_BEFORE)
    with ExitStack() as loops, ExitStack() as undo:
        loop = loops.enter_context(scratch_loop(runner, names, number, scratch_bytes, scratch))
        undo.callback(thaw, control, names)
        real = control.create(names.real).number
        control.load(names.real, (plain,))
        # The parameters of a snapshot of something that has no table yet are looked at as well.
        control.create(names.frozen)
        control.load(names.frozen, (snapshot_over(plain, real, loop, "P"),))
        origin = TableLine(0, plain.length_sectors, SnapshotOriginTable(real))
        control.load(names.root, (origin,))
        write_out(number)
        with guarded(lambda: revive(control, names), seconds):
            began = time.monotonic()
            instant("before")
            control.suspend(names.root)
            instant("suspended")
            control.resume(names.real)
            instant("handed over")
            control.resume(names.frozen)
            instant("frozen")
            control.resume(names.root, seen=True)
            pause = time.monotonic() - began
            instant("resumed")
        undo.pop_all()
    if not is_frozen(control, names):
        thaw(control, names)
        raise LiveosError("The root could not be frozen.", _AS_BEFORE)
    return pause


def is_frozen(control: DmControl, names: RootNames) -> bool:
    """Whether this job has frozen the root and the frozen view can be read."""
    frozen = control.info(names.frozen)
    return (
        is_split(control, names)
        and frozen is not None
        and frozen.active
        and isinstance(snapshot_state(control, names.frozen), SnapshotStatus)
    )


def is_split(control: DmControl, names: RootNames) -> bool:
    """Whether the system writes through REAL, with a frozen view or without one."""
    real, table = control.info(names.real), control.table(names.root)
    return (
        real is not None and len(table) == 1 and table[0].table == SnapshotOriginTable(real.number)
    )


def revive(control: DmControl, names: RootNames) -> None:
    """Let a suspended root go on, frozen or not; see the table above. Raises DmError."""
    root = control.info(names.root)
    if root is None or not root.suspended:
        return
    real = control.info(names.real)
    if not is_split(control, names):
        if real is None or not real.active:
            # Not removed: that would wait for those who look at them, and they for the root.
            for name in (names.root, names.frozen, names.real):
                info = control.info(name)
                if info is not None and info.waiting:
                    control.clear(name)
        elif not root.waiting:
            _suspend_all(control, names)
    else:
        control.clear(names.root)
        control.resume(names.real)
        _resume_views(control, names)
    control.resume(names.root, seen=True)


def thaw(
    control: DmControl,
    names: RootNames,
    *,
    instant: Instant = lambda _: None,
    seconds: float = WATCHDOG_SECONDS,
) -> float | None:
    """Give the root its overlay back and take down all that bears the job's name.

    From every state that a freeze, a thaw, or a switch before its end may have left; nothing
    happens where nothing is left. Programs that still read the frozen view are ended. How many
    seconds the system stood still; None when it did not. Raises LiveosError.
    """
    revive(control, names)
    pause = None
    for view in (names.frozen, *names.trackers):
        end_users(control, view)
    if is_split(control, names):
        plain = control.table(names.real)
        root = control.info(names.root)
        if root is not None and root.waiting:
            control.clear(names.root)
        control.load(names.root, plain)
        write_out(control.number(names.root))
        with guarded(lambda: revive(control, names), seconds):
            began = time.monotonic()
            instant("before")
            control.suspend(names.root)
            instant("suspended")
            _suspend_all(control, names)
            instant("all suspended")
            control.resume(names.root, seen=True)
            pause = time.monotonic() - began
            instant("resumed")
    root = control.info(names.root)
    if root is not None and root.waiting:
        control.clear(names.root)
    # REAL, which the others need, last.
    for name in (*names.trackers, names.frozen, names.real):
        take_down(control, name)
    return pause


class FrozenView:
    """A `views.View` of the frozen root. A context manager. Offsets and sizes are bytes."""

    def __init__(self, control: DmControl, names: RootNames) -> None:
        self._control = control
        self._name = names.frozen
        self.path = device_path(control.number(names.frozen))
        self._device = DirectDevice(self.path, writable=False)
        self._open = True

    def __enter__(self) -> "FrozenView":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the device, which stays. Can be called again."""
        if self._open:
            self._open = False
            self._device.close()

    @property
    def size_bytes(self) -> int:
        """See `View.size_bytes`."""
        return self._device.size_bytes

    def read(self, offset: int, size: int) -> bytes:
        """See `View.read`."""
        try:
            return self._device.read(offset, size)
        except OSError as error:
            self.check()
            raise LiveosError(
                f"The frozen view cannot be read at byte {offset}: {error.strerror}.",
                f"{_AS_BEFORE} The stick may be failing: copy it before anything else.",
            ) from error

    def write(self, offset: int, data: bytes) -> None:  # noqa: ARG002 - a view's own signature
        """Refused: what is frozen stays as it is."""
        raise LiveosError("The frozen view is not written.", _AS_BEFORE)

    def sync(self) -> None:
        """Nothing was written, so there is nothing to wait for."""

    def status(self) -> SnapshotStatus | SnapshotIll:
        """See `View.status`."""
        return snapshot_state(self._control, self._name)

    def fill(self) -> float:
        """How full the scratch store is, 0 to 1."""
        match self.status():
            case SnapshotStatus(allocated, total, _) if total:
                return min(1.0, allocated / total)
        return 1.0

    def check(self) -> None:
        """Raise LiveosError when the view is lost."""
        if isinstance(self.status(), SnapshotIll):
            raise LiveosError(
                "The scratch store is full: the system has overwritten more than it holds.",
                "The frozen view is lost; the running system has noticed nothing. Begin anew with "
                "a larger scratch store, or when less is written.",
            )


# What a switch of the root needs as well.


def plain_table(control: DmControl, root: str) -> TableLine:
    """The table of a root that is a snapshot in good health. Raises LiveosError for any other."""
    info, table = control.info(root), control.table(root)
    if info is None or len(table) != 1 or not isinstance(table[0].table, SnapshotTable):
        raise LiveosError(f"{clean(root)} is no snapshot: it cannot be frozen.", _AS_BEFORE)
    state = snapshot_state(control, root)
    if info.suspended or info.waiting or not isinstance(state, SnapshotStatus):
        words = state if isinstance(state, SnapshotIll) else "in someone else's hands"
        raise LiveosError(f"{clean(root)} is {words}: it cannot be frozen.", _AS_BEFORE)
    return table[0]


def snapshot_state(control: DmControl, name: str) -> SnapshotStatus | SnapshotIll:
    """What a snapshot says of itself; UNKNOWN for what is none."""
    match control.status(name):
        case (SnapshotStatus() | SnapshotIll() as state,):
            return state
    return SnapshotIll.UNKNOWN


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


def end_users(control: DmControl, name: str) -> None:
    """End the programs that have a device of the job open."""
    info = control.info(name)
    if info is not None and info.open_count:
        kill_users(device_path(info.number))


def take_down(control: DmControl, name: str) -> None:
    """Remove a device of the job, if there is one."""
    if control.info(name) is not None:
        control.remove(name)


def snapshot_over(line: TableLine, origin: str, store: str, persistence: Persistence) -> TableLine:
    """A snapshot of `origin`, with chunks as large as those of `line`."""
    chunk_sectors = DEFAULT_CHUNK_SECTORS
    if isinstance(line.table, SnapshotTable):
        chunk_sectors = line.table.chunk_sectors
    table = SnapshotTable(origin, store, persistence, chunk_sectors)
    return TableLine(0, line.length_sectors, table)


def _suspend_all(control: DmControl, names: RootNames) -> None:
    for name in (*names.trackers, names.frozen, names.real):
        info = control.info(name)
        if info is not None and info.active:
            control.suspend(name)


def _resume_views(control: DmControl, names: RootNames) -> None:
    for name in (names.frozen, *names.trackers):
        info = control.info(name)
        if info is not None and info.active:
            control.resume(name)
