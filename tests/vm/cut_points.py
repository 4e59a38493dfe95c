"""At which writes the power is cut: around every line of a job's journal, and at random ones.

The journal's lines are found in the log of the writes themselves, so these moments are exact: right
before the write that brings a line to the disk, right after it (the file may not have the size for
it yet), and after the flush that follows.
"""

import json
import random
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from writelog import SECTOR, Write, pieces, some_lost

_LINE = re.compile(rb'\{"at": [^\n]*\}(?=\n)')
# The halves of one that lies in two clusters which are apart.
_FIRST_HALF = re.compile(rb"(?:\A|\n)(\{[^\n\0]*)\Z")
_SECOND_HALF = re.compile(rb"([^\n\0]*)\n")
# A journal is smaller than this, and so is a write of it; most others are images.
_MOST_BYTES = 1 << 18
# Of a FAT's directory.
_ENTRY_BYTES = 32


class NotWellError(Exception):
    """A stick that is not as good as without the cut."""


@dataclass(frozen=True, slots=True)
class Point:
    """A line of the journal, in short, and the write that brings it to the disk."""

    write: int
    words: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment, after `count` writes, and which of them are on the disk.

    `back`: the way back is taken after it. `piece`: what there is of the write that comes next.
    """

    words: str
    count: int
    kept: tuple[int, ...]
    back: bool
    piece: Write | None = None


def journal_points(log: Path, writes: Sequence[Write]) -> tuple[Point, ...]:
    """Where each line of a journal comes to the disk."""
    known: set[bytes] = set()
    found = []
    halves = _Halves()
    with log.open("rb") as file:
        for index, write in enumerate(writes):
            if write.flush:
                # A line is synced before the next one is written.
                halves = _Halves()
            if write.discard or not 0 < write.sectors * SECTOR <= _MOST_BYTES:
                continue
            file.seek(write.data_at)
            data = file.read(write.sectors * SECTOR)
            for line in (*_LINE.findall(data), *halves.joined(data)):
                if line not in known:
                    known.add(line)
                    found += [Point(index, words) for words in _words(line)]
    return tuple(found)


class _Halves:
    """Halves of lines in the sectors that were written since the last flush, in any order."""

    def __init__(self) -> None:
        self._firsts: list[bytes] = []
        self._seconds: list[bytes] = []

    def joined(self, data: bytes) -> Iterator[bytes]:
        """Lines that a write makes whole."""
        for at in range(0, len(data), SECTOR):
            sector = data[at : at + SECTOR]
            first = [half[1] for half in [_FIRST_HALF.search(sector)] if half]
            second = [half[1] for half in [_SECOND_HALF.match(sector)] if half]
            # Never both of one sector: it ends the line before, and begins the next one.
            yield from (one + other for one in first for other in self._seconds)
            yield from (one + other for one in self._firsts for other in second)
            self._firsts += first
            self._seconds += second


def step_at(points: Sequence[Point], count: int) -> str:
    """What the journal had told last after so many writes: "3 running"."""
    at = bisect_right([point.write for point in points], count - 1)
    return points[at - 1].words if at else "before the first step"


def around_points(writes: Sequence[Write], points: Sequence[Point]) -> Iterator[Cut]:
    """Before, at and after every line; before the first write of all, and after the last."""
    after = [index + 1 for index, write in enumerate(writes) if write.flush]
    moments: dict[int, str] = {}
    for point in points:
        flushed = next((at for at in after if at > point.write + 1), len(writes))
        for count, when in ((point.write, "before"), (point.write + 1, "at"), (flushed, "after")):
            moments.setdefault(count, f"{when} “{point.words}”")
    moments.setdefault(len(writes), "after all")
    for number, (count, words) in enumerate(sorted(moments.items())):
        yield Cut(f"write {count}, {words}", count, tuple(range(count)), number // 3 % 2 == 1)


def around_exchanges(log: Path, writes: Sequence[Write], names: Sequence[bytes]) -> Iterator[Cut]:
    """Around every write that has two of these names exchange their files, and within it.

    `names` are as a FAT has them: 11 bytes.
    """
    for found in exchanges(log, writes, names):
        for count in range(found - 2, found + 4):
            yield Cut(f"write {count}, the exchange is {found}", count, tuple(range(count)), False)
        for piece in pieces(writes[found]):
            kept = tuple(range(found))
            words = f"write {found}, the exchange, only its sector {piece.sector}"
            yield Cut(words, found, kept, False, piece)


def exchanges(log: Path, writes: Sequence[Write], names: Sequence[bytes]) -> tuple[int, ...]:
    """The writes after which one of these names stands for another file than before."""
    clusters: dict[bytes, bytes] = {}
    found = []
    with log.open("rb") as file:
        for index, write in enumerate(writes):
            if write.discard or not 0 < write.sectors * SECTOR <= _MOST_BYTES:
                continue
            file.seek(write.data_at)
            data = file.read(write.sectors * SECTOR)
            if not any(name in data for name in names):
                continue
            for at in range(0, len(data), _ENTRY_BYTES):
                name, entry = data[at : at + 11], data[at : at + _ENTRY_BYTES]
                if name in names:
                    # The first cluster; a file without any has 0.
                    now = entry[20:22] + entry[26:28]
                    if any(clusters.get(name, b"")) and clusters[name] != now:
                        found.append(index)
                    clusters[name] = now
    return tuple(dict.fromkeys(found))


def at_random(
    writes: Sequence[Write], number: int, *, first: int = 0, seed: int = 1
) -> Iterator[Cut]:
    """Random writes, and as many with a cache that has lost half of what was not flushed."""
    chance = random.Random(seed)
    for index in range(number):
        count = chance.randrange(first, len(writes) + 1)
        yield Cut(f"random write {count}", count, tuple(range(count)), index % 2 == 1)
    for index in range(number):
        count = chance.randrange(first, len(writes) + 1)
        kept = tuple(some_lost(writes, count, index))
        yield Cut(f"write {count} without {count - len(kept)}", count, kept, index % 2 == 1)


def _words(line: bytes) -> Iterator[str]:
    try:
        value = json.loads(line)
    except ValueError:
        return
    match value:
        case {"step": int(step), "state": str(state)}:
            yield f"{step} {state}"
        case {"step": int(step), "note": dict(note)}:
            yield f"{step} notes {', '.join(note)}"
        case {"order": str(word)} | {"end": str(word)}:
            yield word
