"""What a machine has written to a disk, write by write, as QEMU's filter `blklogwrites` logs it.

The disk as it was before, plus the first N writes, is the disk that a power cut after the Nth write
leaves, byte by byte: no other moment can differ. A disk with a cache of its own may have lost some
of the writes since the last flush, too.

The format is that of the kernel's dm-log-writes (Documentation/admin-guide/device-mapper/
log-writes.rst): a sector for the head, then for each write a sector (sector, count, flags, length;
u64 each) and its data.
"""

import random
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from states import copy_sparse

SECTOR = 512
_ENTRY = struct.Struct("<4Q")
_FLUSH, _FORCED, _DISCARD = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `sector` on the disk, `data_at` in the log. `end` is where it ends in the log.

    `flush`: everything before it is on the medium, with `forced` the write itself too.
    """

    sector: int
    sectors: int
    data_at: int
    end: int
    flush: bool
    forced: bool
    discard: bool


def writes(log: Path) -> tuple[Write, ...]:
    """All writes that are complete in the log, in their order."""
    found = []
    size = log.stat().st_size
    position = SECTOR
    with log.open("rb") as file:
        while position + SECTOR <= size:
            file.seek(position)
            sector, sectors, flags, _ = _ENTRY.unpack(file.read(_ENTRY.size))
            discard = bool(flags & _DISCARD)
            end = position + SECTOR + (0 if discard else sectors * SECTOR)
            if end > size:
                break
            found.append(
                Write(
                    *(sector, sectors, position + SECTOR, end),
                    *(bool(flags & _FLUSH), bool(flags & _FORCED), discard),
                )
            )
            position = end
    return tuple(found)


def pieces(write: Write) -> Iterator[Write]:
    """Each sector of a write alone: when the power goes, a disk may have written just that."""
    for number in range(write.sectors):
        at = write.data_at + number * SECTOR
        yield replace(write, sector=write.sector + number, sectors=1, data_at=at)


def before(all_writes: Sequence[Write], log_bytes: int) -> int:
    """How many writes were complete when the log had this size."""
    return sum(write.end <= log_bytes for write in all_writes)


def unflushed(all_writes: Sequence[Write], count: int) -> range:
    """Which of the first `count` writes a disk with a cache may not have on its medium."""
    flushes = (index for index in range(count - 1, -1, -1) if all_writes[index].flush)
    return range(next(flushes, 0), count)


def some_lost(all_writes: Sequence[Write], count: int, seed: int) -> list[int]:
    """The first `count` writes without a random half of those that were not flushed."""
    chance = random.Random(seed)
    loose = unflushed(all_writes, count)
    kept = [index for index in loose if all_writes[index].forced or chance.random() < 0.5]
    return [*range(loose.start), *kept]


def first_gap(kept: Sequence[int]) -> int:
    """How many of these writes come one by one, from the first of all."""
    return next((at for at, index in enumerate(kept) if at != index), len(kept))


def replay(
    disk: Path,
    log: Path,
    all_writes: Sequence[Write],
    kept: Iterable[int],
    target: Path,
    piece: Write | None = None,
) -> Path:
    """The disk with these writes, in this order, as a file of its own; `target` is returned.

    `piece`: of the write that comes after them, see `pieces`.
    """
    copy_sparse(disk, target)
    with log.open("rb") as source, target.open("r+b") as image:
        for write in (*(all_writes[index] for index in kept), *((piece,) if piece else ())):
            _apply(source, image, write)
    return target


def _apply(source: BinaryIO, image: BinaryIO, write: Write) -> None:
    if write.discard:
        return
    source.seek(write.data_at)
    image.seek(write.sector * SECTOR)
    image.write(source.read(write.sectors * SECTOR))


class LaidOut:
    """A disk in the file `target` that is laid out as one cut after the other leaves it.

    `target` holds the disk as it was before. Nobody else writes to it. Cuts that keep more and more
    writes cost no more than what they add.
    """

    def __init__(self, target: Path, log: Path, all_writes: Sequence[Write]) -> None:
        self._target, self._log, self._writes = target, log, all_writes
        self._solid = 0
        self._over: list[tuple[int, bytes]] = []

    def lay_out(self, kept: Sequence[int], piece: Write | None = None) -> None:
        """Have the disk hold these writes, which are in their order, and this piece of another.

        Raises ValueError where they have a gap earlier than those of the last time.
        """
        solid = first_gap(kept)
        if solid < self._solid:
            raise ValueError(f"{self._solid} writes are on the disk, and {solid} are wanted")
        with self._log.open("rb") as source, self._target.open("r+b") as image:
            for at, data in reversed(self._over):
                image.seek(at)
                image.write(data)
            self._over.clear()
            for index in range(self._solid, solid):
                _apply(source, image, self._writes[index])
            self._solid = solid
            loose = [self._writes[index] for index in kept[solid:]]
            for write in (*loose, *((piece,) if piece else ())):
                image.seek(write.sector * SECTOR)
                self._over.append((image.tell(), image.read(write.sectors * SECTOR)))
                _apply(source, image, write)
