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

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.dmtable import (
    SnapshotIll,
    SnapshotOriginTable,
    SnapshotStatus,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.text import clean
from liveos_tui.system.dm_control import DmControl, device_path
from liveos_tui.system.leftovers import kill_users
from liveos_tui.system.root_devices import (
    RootNames,
    scratch_loop,
    snapshot_over,
    snapshot_state,
    take_down,
    write_out,
)
from liveos_tui.system.root_guard import WATCHDOG_SECONDS, guarded
from liveos_tui.system.runner import Runner

Instant = Callable[[str], None]
"""Called with the name of each moment that is passed: tests have the process end there."""

_AS_BEFORE = "The running system is as it was."


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


def end_users(control: DmControl, name: str) -> None:
    """End the programs that have a device of the job open."""
    info = control.info(name)
    if info is not None and info.open_count:
        kill_users(device_path(info.number))


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
