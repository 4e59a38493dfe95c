"""Bytes of a COW store: what the user-space device-mapper, plans and tests write.

Source: Linux drivers/md/dm-snap-persistent.c (write_header, write_exception, zero_disk_area).
Positions are bytes from the start of the store; nothing here opens a file.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from liveos_tui.formats.cow_layout import (
    SECTOR_BYTES,
    CowHeader,
    area_chunk,
    exceptions_per_area,
    skip_metadata,
)

ExceptionPair = tuple[int, int]
"""Old chunk (in the base) and new chunk (in the store)."""


def header_chunk(header: CowHeader) -> bytes:
    """Chunk 0 as the kernel writes it: the header, then zeros."""
    return header.to_bytes().ljust(header.chunk_bytes, b"\0")


def area_bytes(exceptions: Sequence[ExceptionPair], chunk_sectors: int) -> bytes:
    """One metadata area: its exceptions, then zeros, one chunk long.

    Raises ValueError for more exceptions than an area holds, and for a new chunk of 0, which is
    the mark of the end.
    """
    capacity = exceptions_per_area(chunk_sectors)
    if len(exceptions) > capacity:
        raise ValueError(f"an area of {chunk_sectors} sectors holds {capacity} exceptions")
    if any(new == 0 for _, new in exceptions):
        raise ValueError("chunk 0 is the header: no exception can point at it")
    packed = struct.pack(f"<{2 * len(exceptions)}Q", *chain.from_iterable(exceptions))
    return packed.ljust(chunk_sectors * SECTOR_BYTES, b"\0")


def area_offset(area: int, chunk_sectors: int) -> int:
    """Where metadata area `area` (from 0) starts, in bytes."""
    return area_chunk(area, chunk_sectors) * chunk_sectors * SECTOR_BYTES


def allocate(chunk_sectors: int, start: int = 2) -> Iterator[int]:
    """Data chunks in the order in which the kernel allocates them, from `start` on, endlessly."""
    chunk = skip_metadata(start, chunk_sectors)
    while True:
        yield chunk
        chunk = skip_metadata(chunk + 1, chunk_sectors)


def store_metadata(
    header: CowHeader, exceptions: Iterable[ExceptionPair]
) -> Iterator[tuple[int, bytes]]:
    """Header and all areas of a store as (offset in bytes, bytes), to be written in this order.

    The last area is never a full one: behind a full area lies an empty one, as the kernel leaves
    it, so that the list has an end. The header comes last, so that a store that was not written to
    its end is not taken for a whole one.
    """
    chunk_sectors = header.chunk_sectors
    capacity = exceptions_per_area(chunk_sectors)
    rest = iter(exceptions)
    area, pairs = 0, list(islice(rest, capacity))
    while True:
        yield area_offset(area, chunk_sectors), area_bytes(pairs, chunk_sectors)
        if len(pairs) < capacity:
            break
        area, pairs = area + 1, list(islice(rest, capacity))
    yield 0, header_chunk(header)
