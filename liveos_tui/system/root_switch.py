"""Switching a frozen root to a new base, with an overlay of what has changed since.

The new base equals the frozen view, so base and overlay of the switched root are: the new base, and
a copy of every chunk that was written since the freeze. Which these are is in the scratch store of
the frozen view; but it has each only once, by its first write. So before they are copied a tracker
is begun, another snapshot of REAL: what is written while they are copied, the first time or again,
is in its store. Then the tracker's chunks are copied, under the next tracker, and so on until it
is little. The rest is copied while the root is suspended.

The suspended part, and what `revive` does after each instant; OVERLAY and SECOND are the two names
on the stick, W is the new table, which waits for the next resume:

    instant     live-rw     names       the watchdog
    suspended   origin      as before   resumes: all is as before
    copied      origin      as before   the same
    loaded      origin, W   as before   drops W and resumes: all is as before
    exchanged   origin, W   exchanged   syncs the stick and resumes: W is the table, the switch is
                                        done but for what is taken down after it
    synced      origin, W   exchanged   the same
    resumed     W's         exchanged   nothing to do

The new table is loaded before the names are exchanged, since a load can fail, and an exchange that
was made is then nothing but a resume away from its end. Whether it was made is told by the stick
itself: by the file that bears the overlay's name. The exchange is on the medium before the root
goes on: from then on the system writes into SECOND only. At every instant both files hold
everything that was synced, the old overlay on the new image as on the old one, so a power cut may
find either.

If the stick does not take the sync after the exchange, the names are exchanged back and the old
table goes on.
"""

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, CowError, iterate_exceptions
from liveos_tui.formats.dmtable import (
    LinearTable,
    SnapshotStatus,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.ext4 import SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET
from liveos_tui.formats.text import clean
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.dm_control import DmControl, DmError, device_path
from liveos_tui.system.files import Folder, read_small
from liveos_tui.system.leftovers import unmount
from liveos_tui.system.loops import detach, file_identity, loop_of, loops_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.root_freeze import (
    Instant,
    RootNames,
    is_frozen,
    number_of,
    scratch_loop,
    snapshot_over,
    snapshot_state,
    take_down,
    write_out,
)
from liveos_tui.system.root_guard import WATCHDOG_SECONDS, guarded
from liveos_tui.system.runner import Runner
from liveos_tui.system.second_overlay import SecondOverlay

LIVE_BASE = "live-base"
"""dracut's device of the base alone, which installers read."""

# As little as this is copied while the root is suspended, without another tracker.
_FEW_CHUNKS = 256
_EXCHANGE = 2
_AS_BEFORE = "The running system is as it was."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Switched:
    """How a switch went: chunks copied before and in the pause, and how long the system stood."""

    pause_seconds: float
    ahead_chunks: int
    paused_chunks: int


@contextmanager
def new_base(runner: Runner, job: str, image: Path, member: str | None) -> Iterator[Path]:
    """A loop device on the new base: `image`, or the file `member` in it.

    As dracut has it: the image's mount is out of sight once the loop device is there, and lasts as
    long as that does, which is as long as a dm device is on it.
    """
    if member is None:
        with loop_of(runner, image, read_only=True) as loop:
            yield loop
        return
    forget_base(runner, job)
    folder = RUN_FOLDER / f"root-{job}"
    RUN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        options = "ro,nosuid,nodev,noexec,loop"
        runner.run(["mount", "-o", options, str(image), str(folder)], timeout=30.0)
        try:
            # To see that it is a plain file, reached without a link.
            with Folder(folder).open(member):
                pass
            with loop_of(runner, folder / member, read_only=True) as loop:
                yield loop
        finally:
            runner.run(["umount", "--lazy", str(folder)], timeout=30.0)
    finally:
        with suppress(OSError):
            folder.rmdir()


def forget_base(runner: Runner, job: str) -> None:
    """Take down the mount that a killed process has left of `new_base`."""
    folder = RUN_FOLDER / f"root-{job}"
    if folder.is_dir():
        while folder.is_mount():
            unmount(runner, folder)
        with suppress(OSError):
            folder.rmdir()


def switch(
    control: DmControl,
    runner: Runner,
    names: RootNames,
    base: Path,
    folder: Path,
    overlay: str,
    second: str,
    scratch_bytes: int,
    scratch: Path | None = None,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    stop: Callable[[], None] = lambda: None,
    instant: Instant = lambda _: None,
    seconds: float = WATCHDOG_SECONDS,
) -> Switched:
    """Have the frozen root use the device `base`, and `second` for its overlay.

    `overlay` and `second` are names in `folder`, which is on the stick; `second` is a file of which
    every block is there. They are exchanged, so the file in use bears the overlay's name. The
    trackers' stores have at most `scratch_bytes` each, and lie where the frozen view has its own.
    `progress` is called with bytes done and in all, `stop` may raise until the root is suspended.
    Raises LiveosError; then the root is frozen as it was, unless `is_switched` says that it was too
    late for that. What is left of the old one is taken down by `finish`.
    """
    with _as_liveos_error(), ExitStack() as stack:
        old = _old_table(control, names)
        _drop_trackers(control, names)
        stick = _Names(stack, folder, overlay, second)
        _check_overlays(control, runner, names, old, stick)
        _check_base(control, names, old, base)
        loop = stack.enter_context(loop_of(runner, folder / second, read_only=False))
        _direct_as(runner, old.cow, loop)
        line = control.table(names.real)[0]
        new = snapshot_over(line, number_of(base), number_of(loop), old.persistence)
        real = control.number(names.real)
        source = DirectDevice(device_path(real), writable=False)
        stack.callback(source.close)
        store = SecondOverlay(
            stick.second_file, stick.size_bytes, old.chunk_sectors, source.size_bytes
        )
        store.list_all()
        _try_table(control, names, new)
        # From here on trackers are taken down, however it ends.
        stack.callback(_drop_trackers, control, names)
        ahead = _Ahead(control, runner, names, scratch, scratch_bytes)
        ahead.copy(store, source.read, progress, stop)
        stop()
        tracker = stack.enter_context(_Exceptions(control, ahead.last))
        root = control.number(names.root)
        write_out(root)
        # A slow stick has as long as it took for what was written before.
        patience = max(seconds, 4 * ahead.last_seconds)
        with guarded(lambda: _revive(control, names, stick), patience) as guard:
            began = time.monotonic()
            control.suspend(names.root)
            instant("suspended")
            rest = tracker.chunks()
            store.copy(source.read, rest, lambda _: None)
            store.list_all()
            instant("copied")
            control.load(names.root, (new,))
            instant("loaded")
            with guard.on_stick():
                stick.exchange()
                instant("exchanged")
                stick.sync()
            instant("synced")
            control.resume(names.root, seen=True)
            pause = time.monotonic() - began
            instant("resumed")
        if control.table(names.root) != (new,):
            raise LiveosError("The root did not take the new table.", _AS_BEFORE)
        return Switched(pause, ahead.copied, len(rest))


def is_switched(control: DmControl, names: RootNames) -> bool:
    """Whether the root has been switched, and what it was before is still there."""
    root, real = control.info(names.root), control.info(names.real)
    if root is None or real is None or root.suspended or not real.active:
        return False
    table = control.table(names.root)
    return (
        len(table) == 1
        and isinstance(table[0].table, SnapshotTable)
        and table != control.table(names.real)
    )


def finish(
    control: DmControl, runner: Runner, names: RootNames, old_image: Path | None = None
) -> tuple[str, ...]:
    """Take down what the root was before it was switched; what that was.

    `old_image` is the compressed image that the old base lies in. Can be called again until all is
    gone: what knows of the rest goes last. Raises LiveosError.
    """
    if not is_switched(control, names):
        return ()
    old = _old_table(control, names)
    gone = []
    match control.table(names.root):
        case (TableLine(_, _, SnapshotTable(new_origin)),):
            if _repoint_live_base(control, old.origin, new_origin):
                gone.append(f"the old base of {LIVE_BASE}")
    _drop_trackers(control, names)
    take_down(control, names.frozen)
    # In use, a loop device is let go of when it is used no more.
    for loop in (*_loops_named(old.origin, old.cow), *_loops_of(runner, old_image)):
        detach(runner, loop)
        gone.append(f"loop {loop}")
    take_down(control, names.real)
    return tuple(gone)


@contextmanager
def _as_liveos_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LiveosError(
            f"The root was not switched: {error.strerror}.",
            f"{_AS_BEFORE} The stick may be failing, or gone.",
        ) from error


class _Names:
    """The two names on the stick, prepared so that to exchange them reads nothing."""

    def __init__(self, stack: ExitStack, folder: Path, overlay: str, second: str) -> None:
        try:
            self._folder = os.open(folder, _FOLDER)
            stack.callback(os.close, self._folder)
            self.second_file = os.open(second, _FILE, dir_fd=self._folder)
            stack.callback(os.close, self.second_file)
            status = os.fstat(self.second_file)
            now = os.stat(overlay, dir_fd=self._folder, follow_symlinks=False)
        except OSError as error:
            raise LiveosError(
                f"The overlays cannot be opened: {error.strerror}.", _AS_BEFORE
            ) from error
        self._overlay, self._second = os.fsencode(overlay), os.fsencode(second)
        self.overlay_path, self.second_path = folder / overlay, folder / second
        self.size_bytes = status.st_size
        self.has_holes = status.st_blocks * SECTOR_BYTES < status.st_size
        self._new = (status.st_dev, status.st_ino)
        self.same = (now.st_dev, now.st_ino) == self._new
        self._libc = ctypes.CDLL(None, use_errno=True)
        # Looked up once: the first look at a name in the library reads it.
        self._rename, self._syncfs = self._libc.renameat2, self._libc.syncfs
        self.exchanged()

    def exchanged(self) -> bool:
        """Whether the second file bears the overlay's name."""
        status = os.stat(self._overlay, dir_fd=self._folder, follow_symlinks=False)
        return (status.st_dev, status.st_ino) == self._new

    def exchange(self) -> None:
        """Exchange the names, at once. Raises OSError."""
        folder = self._folder
        if self._rename(folder, self._second, folder, self._overlay, _EXCHANGE) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def sync(self) -> None:
        """Wait until the names are on the medium. Raises OSError.

        syncfs alone does not have the device write out its cache on vfat; fsync of a folder does.
        """
        if self._syncfs(self._folder) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        os.fsync(self._folder)


def _revive(control: DmControl, names: RootNames, stick: _Names) -> None:
    """Let a suspended root go on; see the table above. Raises DmError, OSError."""
    root = control.info(names.root)
    if root is None or not root.suspended:
        return
    if stick.exchanged():
        try:
            stick.sync()
        except OSError:
            stick.exchange()
            with suppress(OSError):
                stick.sync()
    if root.waiting and not stick.exchanged():
        control.clear(names.root)
    control.resume(names.root, seen=True)


class _Exceptions:
    """The chunks that a snapshot of REAL has kept: those that were written since. Context manager.

    What is needed to ask for them is open, so that nothing is read in the pause.
    """

    def __init__(self, control: DmControl, name: str) -> None:
        self._control = control
        self._name = name
        match control.table(name):
            case (TableLine(_, _, SnapshotTable() as table),):
                self._store = DirectDevice(device_path(table.cow), writable=False)
            case _:
                raise LiveosError(f"{name} is gone.", _AS_BEFORE)

    def __enter__(self) -> "_Exceptions":
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def chunks(self) -> list[int]:
        """Their numbers, as far as they were written when it was called. Raises LiveosError."""
        try:
            chunks = [old for old, _ in iterate_exceptions(self._read, self._store.size_bytes)]
        except (OSError, CowError) as error:
            raise LiveosError(f"The scratch store cannot be read: {error}.", _AS_BEFORE) from error
        # Asked afterwards: one that is lost by now may have been lost before the last of them.
        if not isinstance(snapshot_state(self._control, self._name), SnapshotStatus):
            raise LiveosError(
                "The scratch store is full: what was written since is not known in full.",
                f"{_AS_BEFORE} Begin anew with a larger scratch store, or when less is written.",
            )
        return chunks

    def _read(self, offset: int, size: int) -> bytes:
        return self._store.read(offset, min(size, self._store.size_bytes - offset))


class _Ahead:
    """Copying while the system runs, each round under a tracker of its own.

    `last` is the tracker that knows what is still to be copied, `copied` how many chunks were, and
    `last_seconds` how long the last round has taken.
    """

    def __init__(
        self,
        control: DmControl,
        runner: Runner,
        names: RootNames,
        scratch: Path | None,
        scratch_bytes: int,
    ) -> None:
        self._control = control
        self._runner = runner
        self._names = names
        self._scratch = scratch
        self._scratch_bytes = scratch_bytes
        self.last = names.frozen
        self.copied = 0
        self.last_seconds = 0.0

    def copy(
        self,
        store: SecondOverlay,
        read: Callable[[int, int], bytes],
        progress: Callable[[int, int], None],
        stop: Callable[[], None],
    ) -> None:
        for tracker in self._names.trackers:
            stop()
            before, self.last = self.last, tracker
            self._track(tracker)
            # What is written from here on is in the tracker.
            with _Exceptions(self._control, before) as known:
                chunks = known.chunks()
            if before != self._names.frozen:
                take_down(self._control, before)
            self._done, began = 0, time.monotonic()

            def done(count: int, total: int = len(chunks)) -> None:
                self._done += count
                progress(self._done * store.chunk_bytes, total * store.chunk_bytes)
                stop()

            store.copy(read, chunks, done)
            store.list_all()
            self.copied += len(chunks)
            self.last_seconds = time.monotonic() - began
            if len(chunks) <= _FEW_CHUNKS:
                return

    def _track(self, name: str) -> None:
        control, names = self._control, self._names
        line = control.table(names.real)[0]
        real, root = control.number(names.real), control.number(names.root)
        size_bytes, folder = self._scratch_bytes, self._scratch
        with scratch_loop(self._runner, names, root, size_bytes, folder, less=True) as scratch:
            control.create(name)
            control.load(name, (snapshot_over(line, real, scratch, "P"),))
            control.resume(name)


def _old_table(control: DmControl, names: RootNames) -> SnapshotTable:
    match control.table(names.real):
        case (TableLine(_, _, SnapshotTable() as table),):
            return table
    raise LiveosError("The root is not frozen.", _AS_BEFORE)


def _check_overlays(
    control: DmControl, runner: Runner, names: RootNames, old: SnapshotTable, stick: _Names
) -> None:
    """The root is frozen; its overlay is the one that is to be exchanged; the second is unused."""
    if not is_frozen(control, names):
        raise LiveosError("The root is not frozen, or its scratch store is full.", _AS_BEFORE)
    used = loops_of(runner, file_identity(stick.overlay_path))
    if device_path(old.cow) not in used:
        raise LiveosError(
            f"{clean(stick.overlay_path.name)} is not the overlay of the running root.", _AS_BEFORE
        )
    if stick.same or stick.has_holes or loops_of(runner, file_identity(stick.second_path)):
        raise LiveosError(
            f"{clean(stick.second_path.name)} has holes, or is in use: it can be no overlay.",
            _AS_BEFORE,
        )


def _check_base(control: DmControl, names: RootNames, old: SnapshotTable, base: Path) -> None:
    """The new base is as large as the old one, and has the file system of the frozen view."""
    frozen = device_path(control.number(names.frozen))
    found = []
    for device in (base, frozen, device_path(old.origin)):
        opened = DirectDevice(device, writable=False)
        try:
            found.append((opened.size_bytes, opened.read(SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES)))
        except OSError as error:
            raise LiveosError(
                f"{clean(str(device))} cannot be read: {error.strerror}.", _AS_BEFORE
            ) from error
        finally:
            opened.close()
    (new_bytes, new_super), (_, frozen_super), (old_bytes, _) = found
    if new_bytes != old_bytes or new_super != frozen_super:
        raise LiveosError(
            "The new image is not what the frozen view is.",
            f"{_AS_BEFORE} Make the image anew.",
        )


def _try_table(control: DmControl, names: RootNames, new: TableLine) -> None:
    """See that the kernel takes the new table, on a device of its own."""
    name = names.trackers[0]
    take_down(control, name)
    control.create(name)
    try:
        control.load(name, (new,))
    finally:
        control.remove(name)


def _repoint_live_base(control: DmControl, old: str, new: str) -> bool:
    """Have dracut's `live-base` show the new base, if it shows the old one."""
    if control.info(LIVE_BASE) is None:
        return False
    match control.table(LIVE_BASE):
        case (TableLine(0, length, LinearTable(origin, 0)),) if origin == old:
            line = TableLine(0, length, LinearTable(new, 0))
            control.load(LIVE_BASE, (line,), read_only=True)
            control.resume(LIVE_BASE, seen=True)
            return True
    return False


def _drop_trackers(control: DmControl, names: RootNames) -> None:
    for name in names.trackers:
        take_down(control, name)


def _direct_as(runner: Runner, old: str, loop: Path) -> None:
    """Have the loop device go past the cache of its file if the old overlay's does."""
    if (read_small(Path("/sys/dev/block", old, "loop/dio")) or "").strip() == "1":
        runner.run(["losetup", "--direct-io=on", str(loop)], timeout=10.0)


def _loops_named(*numbers: str) -> list[Path]:
    found = []
    for number in numbers:
        with suppress(DmError):
            path = device_path(number)
            if path.name.startswith("loop"):
                found.append(path)
    return found


def _loops_of(runner: Runner, image: Path | None) -> tuple[Path, ...]:
    return loops_of(runner, file_identity(image)) if image is not None and image.exists() else ()
