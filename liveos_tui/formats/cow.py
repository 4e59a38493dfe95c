"""The COW store of dm-snapshot: what its header and its list of exceptions say.

Counted as the kernel counts (drivers/md/dm-snap-persistent.c: read_exceptions,
insert_exceptions, persistent_usage). Nothing here opens a file: a reader is handed in. The names
of `cow_layout` can be had from here too.
"""

import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from liveos_tui.formats.cow_layout import (
    DEFAULT_CHUNK_SECTORS,
    EXCEPTION_BYTES,
    HEADER_BYTES,
    HEADER_CHUNKS,
    MAGIC,
    MAX_CHUNK_SECTORS,
    SECTOR_BYTES,
    VERSION,
    CowChunkSizeError,
    CowError,
    CowForeignError,
    CowHeader,
    CowTruncatedError,
    CowVersionError,
    area_chunk,
    check_chunk_sectors,
    exceptions_per_area,
    is_metadata_chunk,
    parse_header,
    skip_metadata,
)

__all__ = [
    "DEFAULT_CHUNK_SECTORS",
    "HEADER_BYTES",
    "MAGIC",
    "MAX_CHUNK_SECTORS",
    "SECTOR_BYTES",
    "VERSION",
    "CowChunkSizeError",
    "CowError",
    "CowForeignError",
    "CowHeader",
    "CowSummary",
    "CowTruncatedError",
    "CowVersionError",
    "Read",
    "area_chunk",
    "check_chunk_sectors",
    "exceptions_per_area",
    "is_metadata_chunk",
    "iterate_exceptions",
    "parse_header",
    "skip_metadata",
    "summarise",
]

Read = Callable[[int, int], bytes]
"""Reads bytes of the store: offset and size in bytes; fewer come back only at its end."""

_U64 = (1 << 64) - 1
# An area is one chunk, and a hostile header may say 1 GiB: areas are read in pieces of this size.
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class CowSummary:
    """What a store holds, counted as `dmsetup status` counts it.

    `header` is None for a fresh store. `exceptions` counts the chunks that differ from the base;
    `areas` the metadata areas (the kernel's current_area + 1); `next_free_chunk` is the chunk
    that the next allocation takes. `size_bytes` is the size of the file or device.

    `truncated`: the list of exceptions runs on to the end of the store without an end mark, and
    the kernel refuses to load it (EIO). `beyond_end` and `in_metadata` count exceptions whose data
    chunk lies behind the end, or on metadata. The kernel looks for neither: it loads such a list,
    counts it in its status, and fails reads behind the end. A chunk that comes twice is not looked
    for: that would take memory for each exception.
    """

    header: CowHeader | None
    size_bytes: int
    chunk_sectors: int = DEFAULT_CHUNK_SECTORS
    exceptions: int = 0
    areas: int = 1
    next_free_chunk: int = 2
    truncated: bool = False
    beyond_end: int = 0
    in_metadata: int = 0

    @property
    def total_sectors(self) -> int:
        """Sectors of the whole store; a loop device shows no part of a sector."""
        return self.size_bytes // SECTOR_BYTES

    @property
    def used_sectors(self) -> int:
        """Sectors allocated, as the first figure of `dmsetup status` (kernel: persistent_usage)."""
        return (self.next_free_chunk * self.chunk_sectors) & _U64

    @property
    def metadata_sectors(self) -> int:
        """Sectors of header and areas, as the last figure of `dmsetup status`."""
        return (self.areas + HEADER_CHUNKS) * self.chunk_sectors

    @property
    def used_bytes(self) -> int:
        """`used_sectors` in bytes."""
        return self.used_sectors * SECTOR_BYTES

    @property
    def total_bytes(self) -> int:
        """`total_sectors` in bytes."""
        return self.total_sectors * SECTOR_BYTES

    @property
    def metadata_bytes(self) -> int:
        """`metadata_sectors` in bytes."""
        return self.metadata_sectors * SECTOR_BYTES

    @property
    def valid(self) -> bool:
        """False when the kernel has given the store up; a fresh store is valid."""
        return self.header is None or self.header.valid

    @property
    def full(self) -> bool:
        """Whether the next allocation would fail (kernel: persistent_prepare_exception)."""
        return self.total_sectors < (self.next_free_chunk + 1) * self.chunk_sectors

    @property
    def fragile_size(self) -> bool:
        """Whether the store becomes Invalid when it fills, even with a table that says PO.

        Its size is 1 + k * 257 chunks: the last data chunk fills an area, and the kernel wipes the
        next area before it writes this one. That next area lies behind the end.
        """
        stride = exceptions_per_area(self.chunk_sectors) + 1
        chunks = self.total_sectors // self.chunk_sectors
        return chunks > stride and chunks % stride == HEADER_CHUNKS

    @property
    def status(self) -> str:
        """What the kernel's status says of this store after loading: "784/65536 16", "Invalid"."""
        if not self.valid:
            return "Invalid"
        return f"{self.used_sectors}/{self.total_sectors} {self.metadata_sectors}"

    @property
    def overfull(self) -> bool:
        """Whether the list has more exceptions than the store has chunks: it was made to harm.

        The kernel gives each its own chunk, and takes memory for each when it loads the list.
        """
        return self.exceptions > self.total_sectors // self.chunk_sectors

    @property
    def damage(self) -> str | None:
        """What is wrong with the list of exceptions, in one sentence; None when nothing is."""
        if self.truncated:
            return "The overlay's list of changes runs past its end: the file was cut off."
        if self.overfull:
            return (
                f"The overlay's list of changes is damaged: it has {self.exceptions} entries, more "
                "than the file has chunks."
            )
        if self.beyond_end:
            lost = f"{self.beyond_end} of its {self.exceptions} chunks"
            return f"The overlay was cut off or damaged: {lost} lie behind its end."
        if self.in_metadata:
            wrong = f"{self.in_metadata} of its {self.exceptions} entries"
            return f"The overlay's list of changes is damaged: {wrong} point at the list itself."
        return None


def summarise(
    read: Read, size_bytes: int, *, default_chunk_sectors: int = DEFAULT_CHUNK_SECTORS
) -> CowSummary:
    """Count what a store holds; only the header and the metadata areas are read.

    `default_chunk_sectors` is the chunk size of a fresh store (the table's). An invalid store is
    counted as well. Raises CowError for a store without any usable metadata; a damaged list of
    exceptions is told by the summary's fields.
    """
    header = parse_header(read(0, HEADER_BYTES))
    chunk_sectors = header.chunk_sectors if header else default_chunk_sectors
    check_chunk_sectors(chunk_sectors)
    chunk_bytes = chunk_sectors * SECTOR_BYTES
    if size_bytes < 2 * chunk_bytes:
        raise CowTruncatedError(
            f"The overlay has {size_bytes} bytes, less than an empty one needs.",
            "It was cut off, or made too small: a copy from a backup or a new overlay is needed.",
        )
    if header is None:
        return CowSummary(None, size_bytes, chunk_sectors)

    stride = exceptions_per_area(chunk_sectors) + 1
    end_chunk = size_bytes // chunk_bytes
    next_free, exceptions, beyond_end, in_metadata, areas = 2, 0, 0, 0, 0
    walk = _Walk(read, size_bytes, chunk_sectors)
    for area, entries in walk:
        areas = area + 1
        new = entries[1::2]
        if not new:
            continue
        exceptions += len(new)
        highest, lowest = max(new), min(new)
        if highest == _U64:
            # The kernel's counter wraps to 0 here and goes on from there.
            for chunk in new:
                if next_free <= chunk:
                    next_free = (chunk + 1) & _U64
        elif next_free <= highest:
            next_free = highest + 1
        if highest >= end_chunk:
            beyond_end += sum(chunk >= end_chunk for chunk in new)
        # Chunks between the same two areas: nothing to look for, and this is the usual case.
        if (lowest - 2) // stride != (highest - 2) // stride or highest % stride == HEADER_CHUNKS:
            in_metadata += sum(chunk % stride == HEADER_CHUNKS for chunk in new)
    return CowSummary(
        header=header,
        size_bytes=size_bytes,
        chunk_sectors=chunk_sectors,
        exceptions=exceptions,
        areas=max(areas, 1),
        next_free_chunk=skip_metadata(next_free, chunk_sectors),
        truncated=not walk.ended,
        beyond_end=beyond_end,
        in_metadata=in_metadata,
    )


def iterate_exceptions(read: Read, size_bytes: int) -> Iterator[tuple[int, int]]:
    """All exceptions as (old chunk, new chunk), in the order of the list.

    Raises CowError as `summarise` does, and CowTruncatedError after the last exception of a list
    that has no end.
    """
    header = parse_header(read(0, HEADER_BYTES))
    if header is None:
        return
    walk = _Walk(read, size_bytes, header.chunk_sectors)
    for _, entries in walk:
        yield from zip(entries[0::2], entries[1::2], strict=True)
    if not walk.ended:
        raise CowTruncatedError(
            "The overlay's list of changes runs past its end: the file was cut off.",
            "What comes after is lost; a copy from a backup is needed.",
        )


class _Walk:
    """The areas of a store, piece by piece, up to the end of the list.

    Yields the number of the area and the numbers of its exceptions (old, new, old, new ...). Each
    area lies behind the one before, so the walk ends at the end of the store at the latest.
    `ended` says whether the end mark was found.
    """

    def __init__(self, read: Read, size_bytes: int, chunk_sectors: int) -> None:
        self._read = read
        self._size_bytes = size_bytes
        self._chunk_sectors = chunk_sectors
        self.ended = False

    def __iter__(self) -> Iterator[tuple[int, "array[int]"]]:
        chunk_bytes = self._chunk_sectors * SECTOR_BYTES
        area = 0
        # The kernel reads whole areas: one that is cut is not there.
        while (start := area_chunk(area, self._chunk_sectors) * chunk_bytes) + chunk_bytes <= (
            self._size_bytes
        ):
            for offset in range(start, start + chunk_bytes, _PIECE_BYTES):
                size = min(_PIECE_BYTES, start + chunk_bytes - offset)
                data = self._read(offset, size)
                entries = array("Q", data[: len(data) // EXCEPTION_BYTES * EXCEPTION_BYTES])
                if sys.byteorder == "big":
                    entries.byteswap()
                new = entries[1::2]
                if 0 in new:
                    del entries[2 * new.index(0) :]
                    self.ended = True
                yield area, entries
                if self.ended or len(data) < size:
                    return
            area += 1
