"""What was written to a frozen root since, known by snapshots of REAL, and copied ahead."""

import time
from collections.abc import Callable
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowError, iterate_exceptions
from liveos_tui.formats.dmtable import SnapshotStatus, SnapshotTable, TableLine
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.dm_control import DmControl, device_path
from liveos_tui.system.root_devices import (
    RootNames,
    scratch_loop,
    snapshot_over,
    snapshot_state,
    take_down,
)
from liveos_tui.system.runner import Runner
from liveos_tui.system.second_overlay import SecondOverlay

_AS_BEFORE = "The running system is as it was."
# As little as this is copied while the root is suspended, without another tracker.
_FEW_CHUNKS = 256


class Exceptions:
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

    def __enter__(self) -> "Exceptions":
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


class Ahead:
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
        """Copy, round by round, until what is left is little; `stop` may raise."""
        for tracker in self._names.trackers:
            stop()
            before, self.last = self.last, tracker
            self._track(tracker)
            # What is written from here on is in the tracker.
            with Exceptions(self._control, before) as known:
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


def drop_trackers(control: DmControl, names: RootNames) -> None:
    """Take down the trackers that are there."""
    for name in names.trackers:
        take_down(control, name)
