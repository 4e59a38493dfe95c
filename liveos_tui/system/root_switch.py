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

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.dmtable import (
    LinearTable,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.ext4 import SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET
from liveos_tui.formats.text import clean
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.dm_control import DmControl, DmError, device_path
from liveos_tui.system.files import read_small
from liveos_tui.system.loops import detach, file_identity, loop_of, loops_of
from liveos_tui.system.overlay_names import OverlayNames
from liveos_tui.system.root_devices import (
    RootNames,
    number_of,
    snapshot_over,
    take_down,
    write_out,
)
from liveos_tui.system.root_freeze import Instant, is_frozen
from liveos_tui.system.root_guard import WATCHDOG_SECONDS, guarded
from liveos_tui.system.root_trackers import Ahead, Exceptions, drop_trackers
from liveos_tui.system.runner import Runner
from liveos_tui.system.second_overlay import SecondOverlay

LIVE_BASE = "live-base"
"""dracut's device of the base alone, which installers read."""

_AS_BEFORE = "The running system is as it was."


@dataclass(frozen=True, slots=True)
class Switched:
    """How a switch went: chunks copied before and in the pause, and how long the system stood."""

    pause_seconds: float
    ahead_chunks: int
    paused_chunks: int


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
        drop_trackers(control, names)
        stick = OverlayNames(stack, folder, overlay, second)
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
        stack.callback(drop_trackers, control, names)
        ahead = Ahead(control, runner, names, scratch, scratch_bytes)
        ahead.copy(store, source.read, progress, stop)
        stop()
        tracker = stack.enter_context(Exceptions(control, ahead.last))
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
            raise LiveosError("The running root did not go over to the new image.", _AS_BEFORE)
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
    drop_trackers(control, names)
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


def _revive(control: DmControl, names: RootNames, stick: OverlayNames) -> None:
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


def _old_table(control: DmControl, names: RootNames) -> SnapshotTable:
    match control.table(names.real):
        case (TableLine(_, _, SnapshotTable() as table),):
            return table
    raise LiveosError("The root is not frozen.", _AS_BEFORE)


def _check_overlays(
    control: DmControl, runner: Runner, names: RootNames, old: SnapshotTable, stick: OverlayNames
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
