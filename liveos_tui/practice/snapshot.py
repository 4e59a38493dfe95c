"""The snapshot target of the device-mapper, in user space.

The second implementation of one format, not a simulation: it reads and writes the COW store as
Linux does (drivers/md/dm-snap.c: snapshot_ctr, snapshot_map, __invalidate_snapshot;
dm-snap-persistent.c: persistent_read_metadata, persistent_prepare_exception,
persistent_commit_exception, persistent_drop_snapshot). The dm lane of tests/vm holds the two
against each other. The one difference: writes are carried out one after the other, as the kernel
does for a program that waits for each of its writes.
"""

from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import (
    ExceptionPair,
    area_bytes,
    area_offset,
    header_chunk,
)
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.practice.files import Backing, BlockIoError


class Snapshot:
    """A base (`origin`, only read) and a COW store that takes what is written.

    `overflow` is the O of a PO table: a store without room refuses writes and stays readable.
    Without it (P), it is marked invalid on disk and nothing can be read any more. Opening a fresh
    store writes its header and its first area, as the kernel does. `chunk_sectors` is the
    table's; the header's wins. Raises CowError for a store that the kernel refuses to load.
    """

    def __init__(
        self,
        origin: Backing,
        store: Backing,
        *,
        overflow: bool,
        chunk_sectors: int = cow.DEFAULT_CHUNK_SECTORS,
    ) -> None:
        self._origin = origin
        self._store = store
        self.overflow = overflow
        self.overflowed = False
        self._exceptions: dict[int, int] = {}
        self._current_area: list[ExceptionPair] = []
        # Exceptions whose chunk is written, but which are in no area on disk yet.
        self._pending: dict[int, int] = {}
        self._area = 0
        self._next_free = 2

        def read(offset: int, size: int) -> bytes:
            return store.read(offset, max(0, min(size, store.size_bytes - offset)))

        summary = cow.summarise(read, store.size_bytes, default_chunk_sectors=chunk_sectors)
        self.chunk_sectors = summary.chunk_sectors
        self._chunk_bytes = summary.chunk_sectors * cow.SECTOR_BYTES
        self.valid = summary.valid
        if summary.header is None:
            self._write_header()
            self._store.write(area_offset(0, self.chunk_sectors), bytes(self._chunk_bytes))
        elif self.valid:
            self._load(read, summary)

    def _load(self, read: cow.Read, summary: cow.CowSummary) -> None:
        pairs = list(cow.iterate_exceptions(read, summary.size_bytes))
        # Where an old chunk comes twice, the kernel finds the later exception.
        self._exceptions = dict(pairs)
        self._area, in_area = divmod(len(pairs), cow.exceptions_per_area(self.chunk_sectors))
        self._current_area = pairs[len(pairs) - in_area :]
        self._next_free = summary.next_free_chunk

    @property
    def status(self) -> SnapshotStatus | SnapshotIll:
        """What `dmsetup status` says of it (kernel: snapshot_status, persistent_usage)."""
        if not self.valid:
            return SnapshotIll.INVALID
        if self.overflowed:
            return SnapshotIll.OVERFLOW
        return SnapshotStatus(
            self._next_free * self.chunk_sectors,
            self._store.size_bytes // cow.SECTOR_BYTES,
            (1 + self._area + 1) * self.chunk_sectors,
        )

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the view: the store's chunks where there are exceptions, else the base's.

        Raises BlockIoError when the store is invalid, and where base or store end too early.
        """
        if not self.valid:
            raise _refused("read", "the store is invalid")
        # Neighbours in the view are often neighbours on the device: one read for each such run.
        runs: list[tuple[Backing, int, int]] = []
        for chunk, start, length in self._parts(offset, size):
            new = self._exceptions.get(chunk)
            device = self._origin if new is None else self._store
            place = (chunk if new is None else new) * self._chunk_bytes + start
            if runs and runs[-1][0] is device and sum(runs[-1][1:]) == place:
                runs[-1] = (device, runs[-1][1], runs[-1][2] + length)
            else:
                runs.append((device, place, length))
        pieces = [device.read(place, length) for device, place, length in runs]
        return b"".join(pieces)

    def write(self, offset: int, data: bytes) -> None:
        """Write to the store; chunks without an exception get one, in the order of the bytes.

        Raises BlockIoError when the store takes no writes, or no more: what fitted was written.
        """
        if not self.valid:
            raise _refused("written", "the store is invalid")
        if self.overflowed:
            raise _refused("written", "the store has overflowed")
        view = memoryview(data)
        try:
            for chunk, start, length in self._parts(offset, len(data)):
                self._write_chunk(chunk, start, bytes(view[:length]))
                view = view[length:]
        finally:
            self._commit()

    def sync(self) -> None:
        """Wait until the store is on the medium."""
        self._store.sync()

    def close(self) -> None:
        """Let go of base and store."""
        self._store.close()
        self._origin.close()

    def _parts(self, offset: int, size: int) -> list[tuple[int, int, int]]:
        """The chunks of a stretch: chunk, start within it, bytes."""
        parts = []
        end = offset + size
        while offset < end:
            chunk, start = divmod(offset, self._chunk_bytes)
            length = min(self._chunk_bytes - start, end - offset)
            parts.append((chunk, start, length))
            offset += length
        return parts

    def _write_chunk(self, chunk: int, start: int, piece: bytes) -> None:
        new = self._exceptions.get(chunk)
        if new is not None:
            self._store.write(new * self._chunk_bytes + start, piece)
            return
        new = self._allocate()
        if new is None:
            self._commit()
            raise self._no_room()
        try:
            self._copy_out(chunk, new, start, piece)
        except BlockIoError:
            # Kernel: copy_callback, pending_complete. An I/O error ends PO stores, too.
            self._commit()
            self._invalidate()
            raise
        if self._entries_left == 1:
            # What came before must not share the fate of the one that fills the area.
            self._commit()
        self._pending[chunk] = new
        if self._entries_left == 0:
            self._commit()

    def _allocate(self) -> int | None:
        """The next free chunk; None when the store, as large as it is now, has no room for it."""
        if self._store.size_bytes // cow.SECTOR_BYTES < (self._next_free + 1) * self.chunk_sectors:
            return None
        new = self._next_free
        self._next_free = cow.skip_metadata(new + 1, self.chunk_sectors)
        return new

    def _copy_out(self, chunk: int, new: int, start: int, piece: bytes) -> None:
        """Write a chunk that has no exception yet: the base's bytes with `piece` over them.

        A whole chunk is written as it is. Where the base ends within the chunk, what lies behind
        stays as it is in the store (kernel: start_full_bio, start_copy).
        """
        if len(piece) < self._chunk_bytes:
            place = chunk * self._chunk_bytes
            length = max(0, min(self._chunk_bytes, self._origin.size_bytes - place))
            self._store.write(new * self._chunk_bytes, self._origin.read(place, length))
        self._store.write(new * self._chunk_bytes + start, piece)

    @property
    def _entries_left(self) -> int:
        """Exceptions for which the current area has room, the pending ones counted."""
        count = len(self._current_area) + len(self._pending)
        return cow.exceptions_per_area(self.chunk_sectors) - count

    def _commit(self) -> None:
        """Put exceptions into the area on disk (kernel: persistent_commit_exception).

        Before an area that is full is written, the next one is wiped, so that the list has an end;
        a store that ends there becomes invalid, and this area is not written.
        """
        if not self._pending or not self.valid:
            return
        pairs = [*self._current_area, *self._pending.items()]
        area_is_full = self._entries_left == 0
        try:
            if area_is_full:
                self._store.write(
                    area_offset(self._area + 1, self.chunk_sectors), bytes(self._chunk_bytes)
                )
            self._store.write(
                area_offset(self._area, self.chunk_sectors), area_bytes(pairs, self.chunk_sectors)
            )
        except BlockIoError:
            self._invalidate()
            raise
        self._exceptions.update(self._pending)
        self._pending.clear()
        if area_is_full:
            self._area += 1
        self._current_area = [] if area_is_full else pairs

    def _no_room(self) -> BlockIoError:
        if self.overflow:
            self.overflowed = True
            return _refused("written", "the store is full and has overflowed")
        self._invalidate()
        return _refused("written", "the store is full and has become invalid")

    def _invalidate(self) -> None:
        self.valid = False
        self._write_header()

    def _write_header(self) -> None:
        header = cow.CowHeader(valid=self.valid, chunk_sectors=self.chunk_sectors)
        self._store.write(0, header_chunk(header))


def _refused(done: str, why: str) -> BlockIoError:
    return BlockIoError(
        f"The snapshot cannot be {done}: {why}.",
        "Look at the overlay's state; recover it, or give it more room.",
    )
