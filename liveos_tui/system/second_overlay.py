"""An overlay that is made in user space: chunks of a view, as the kernel's own store has them."""

import os
from collections.abc import Callable, Iterable, Iterator

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowHeader, exceptions_per_area
from liveos_tui.formats.cow_writer import (
    ExceptionPair,
    allocate,
    area_bytes,
    area_offset,
    header_chunk,
)

Read = Callable[[int, int], bytes]
"""Reads bytes of the view: offset and size."""

_PIECE_BYTES = 1 << 20


class SecondOverlay:
    """A store in the open file `descriptor`, of which every block is there already.

    `view_bytes` is the size of the view that chunks are copied from. What the file holds does not
    matter: all that the kernel reads is written.
    """

    def __init__(
        self, descriptor: int, size_bytes: int, chunk_sectors: int, view_bytes: int
    ) -> None:
        self._descriptor = descriptor
        self._header = CowHeader(chunk_sectors=chunk_sectors)
        self.chunk_bytes = self._header.chunk_bytes
        self._chunks = size_bytes // self.chunk_bytes
        self._view_bytes = view_bytes
        self._free = allocate(chunk_sectors)
        self._pairs: list[ExceptionPair] = []
        self._places: dict[int, int] = {}
        self._listed = 0

    @property
    def chunks(self) -> int:
        """How many chunks it holds."""
        return len(self._pairs)

    def copy(self, read: Read, chunks: Iterable[int], done: Callable[[int], None]) -> None:
        """Copy these chunks of the view, in order; those that it has are written once more.

        Calls `done` with the number of chunks, piece by piece. Raises LiveosError when they do not
        fit, and OSError.
        """
        size, most = self.chunk_bytes, max(1, _PIECE_BYTES // self.chunk_bytes)
        for first, count in _runs(sorted(set(chunks)), most):
            end = min((first + count) * size, self._view_bytes)
            data = memoryview(read(first * size, end - first * size))
            places = [self._place(chunk) for chunk in range(first, first + count)]
            at = 0
            for place, length in _runs(places, most):
                self._write(place * size, data[at * size : (at + length) * size])
                at += length
            done(count)

    def list_all(self) -> None:
        """Write the list of exceptions, as far as it has grown, then the header; sync. OSError."""
        sectors = self._header.chunk_sectors
        per_area = exceptions_per_area(sectors)
        # Behind a full area lies an empty one: the list needs its end.
        for area in range(self._listed // per_area, len(self._pairs) // per_area + 1):
            pairs = self._pairs[area * per_area : (area + 1) * per_area]
            self._write(area_offset(area, sectors), memoryview(area_bytes(pairs, sectors)))
        self._listed = len(self._pairs)
        self._write(0, memoryview(header_chunk(self._header)))
        os.fsync(self._descriptor)

    def _place(self, chunk: int) -> int:
        place = self._places.get(chunk)
        if place is None:
            place = next(self._free)
            # The kernel takes one more chunk only if another fits behind it, and wipes an area
            # before it comes to it.
            if place + 3 > self._chunks:
                raise LiveosError(
                    "The second overlay is too small for what has changed meanwhile.",
                    "The running system is as it was. Make it larger.",
                )
            self._places[chunk] = place
            self._pairs.append((chunk, place))
        return place

    def _write(self, offset: int, data: memoryview) -> None:
        while data:
            done = os.pwrite(self._descriptor, data, offset)
            data, offset = data[done:], offset + done


def _runs(numbers: Iterable[int], most: int) -> Iterator[tuple[int, int]]:
    """Numbers that follow each other, as (first, how many), at most `most` together."""
    first, count = 0, 0
    for number in numbers:
        if count and number == first + count and count < most:
            count += 1
            continue
        if count:
            yield first, count
        first, count = number, 1
    if count:
        yield first, count
