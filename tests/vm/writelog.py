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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def replay(
    disk: Path, log: Path, all_writes: Sequence[Write], kept: Iterable[int], target: Path
) -> Path:
    """The disk with these writes, in this order, as a file of its own; `target` is returned."""
    copy_sparse(disk, target)
    with log.open("rb") as source, target.open("r+b") as image:
        for index in kept:
            write = all_writes[index]
            if write.discard:
                continue
            source.seek(write.data_at)
            image.seek(write.sector * SECTOR)
            image.write(source.read(write.sectors * SECTOR))
    return target
