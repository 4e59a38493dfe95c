"""Comparing a new image with the view that it was made of, by another way than it was made."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import CancelledError, UnreadableError
from liveos_tui.formats.free_blocks import Range
from liveos_tui.formats.text import clean
from liveos_tui.system.files import read_whole
from liveos_tui.system.read_ahead import ReadAhead
from liveos_tui.system.views import View

_PIECE_BYTES = 1 << 20
_ZEROS = bytes(_PIECE_BYTES)
_HINT = "Nothing was exchanged: the old image and the overlay are as they were."


@dataclass(frozen=True, slots=True)
class Difference:
    """The first byte that is not as it should be, and what is wrong with it."""

    offset: int
    words: str


def first_difference(
    new: Path,
    view: View,
    used: Sequence[Range],
    *,
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Difference | int:
    """The first difference between a file and a view; without any, how many bytes were compared.

    Bytes that are not in use may be zeros in the file. The view is read through its device (or what
    stands for it), not as it was read for making the file. Raises UnreadableError, CancelledError.
    """
    try:
        descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(
            f"The new image cannot be opened: {error.strerror}.", _HINT
        ) from error
    try:
        size_bytes = os.lseek(descriptor, 0, os.SEEK_END)
        if size_bytes != view.size_bytes:
            words = f"it has {size_bytes} bytes, and the view {view.size_bytes}"
            return Difference(min(size_bytes, view.size_bytes), words)
        return _compare(descriptor, view, used, on_progress, cancelled)
    finally:
        os.close(descriptor)


def _compare(
    descriptor: int,
    view: View,
    used: Sequence[Range],
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Difference | int:
    size_bytes, compared = view.size_bytes, 0
    ranges = _RangesIn(used)
    with (
        ThreadPoolExecutor(1, "read-back") as reads,
        ReadAhead([(descriptor, 0, size_bytes)]) as ahead,
    ):
        # The new image is decompressed while the old one is.
        following = reads.submit(_read, descriptor, 0, min(_PIECE_BYTES, size_bytes))
        for at in range(0, size_bytes, _PIECE_BYTES):
            if cancelled():
                raise CancelledError("Cancelled.")
            size = min(_PIECE_BYTES, size_bytes - at)
            parts = ranges.within(at, at + size)
            old = view.read(at, size) if parts else b""
            piece = following.result()
            end = at + size
            following = reads.submit(_read, descriptor, end, min(_PIECE_BYTES, size_bytes - end))
            if (old or _ZEROS[:size]) != piece:
                found = _difference(at, piece, old or view.read(at, size), parts)
                if found is not None:
                    return found
            compared += sum(last - first for first, last in parts)
            ahead.passed(end)
            on_progress(end, size_bytes)
    return compared


def _difference(at: int, piece: bytes, old: bytes, parts: Sequence[Range]) -> Difference | None:
    """What differs in a piece that is not the view's own, nor zeros where it may be."""
    place = 0
    for first, last in [*((a - at, b - at) for a, b in parts), (len(piece), len(piece))]:
        free, was = piece[place:first], old[place:first]
        if free not in (_ZEROS[: len(free)], was):
            found = enumerate(zip(free, was, strict=True))
            byte = next((n for n, (a, b) in found if a and a != b), None)
            if byte is not None:
                words = "there are bytes where nothing is in use"
                return Difference(at + place + byte, words)
        if piece[first:last] != old[first:last]:
            pairs = zip(piece[first:last], old[first:last], strict=True)
            byte = next(n for n, (a, b) in enumerate(pairs) if a != b)
            return Difference(at + first + byte, "what is in use is not the same")
        place = last
    return None


def _read(descriptor: int, offset: int, size: int) -> bytes:
    try:
        data = read_whole(descriptor, offset, size)
    except OSError as error:
        raise UnreadableError(
            f"The new image cannot be read back at byte {offset}: {clean(str(error.strerror))}.",
            _HINT,
        ) from error
    if len(data) != size:
        raise UnreadableError(f"The new image ends at byte {offset + len(data)}.", _HINT)
    return data


class _RangesIn:
    """Cuts ranges to pieces, which are asked for in order."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = ranges
        self._index = 0

    def within(self, start: int, end: int) -> list[Range]:
        """The parts of ranges that lie in a piece."""
        return list(self._cut(start, end))

    def _cut(self, start: int, end: int) -> Iterator[Range]:
        while self._index < len(self._ranges) and self._ranges[self._index][1] <= start:
            self._index += 1
        for index in range(self._index, len(self._ranges)):
            first, last = self._ranges[index]
            if first >= end:
                return
            yield max(first, start), min(last, end)
