r"""What mksquashfs prints: its bar, its lines, its version, its compressors.

The bar (squashfs-tools/progressbar.c) is drawn over itself with "\r", and only on a terminal that
has a width: `[===/      ] 123/456  27%`. With `-percentage` (4.6 and later) it is a line with a
number instead. Of a pseudo-file mksquashfs does not know the size before its end: there the bar's
figures are of what it has got so far.
"""

import re
from dataclasses import dataclass

from liveos_tui.formats.text import clean

_BAR = re.compile(rb"\[[=|/\\-]* *\] +(\d{1,19})/(\d{1,19}) +(\d{1,3})%")
_PERCENTAGE = re.compile(rb"(\d{1,3})")
_VERSION = re.compile(rb"mksquashfs version (\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")
_COMPRESSOR = re.compile(rb"^\t(\w{1,20})(?: \(default\))?\r?$", re.MULTILINE)
_ENDS = re.compile(rb"[\r\n]+")
# A terminal of 65535 columns has longer bars, ours does not.
_LINE_BYTES = 4096

Version = tuple[int, int, int]
"""A version of squashfs-tools: (4, 5, 1)."""

LEVELS = {"gzip": range(1, 10), "lzo": range(1, 10), "zstd": range(1, 23)}
"""The levels of compressors that take one; the others have none."""


@dataclass(frozen=True, slots=True)
class SquashFraction:
    """How far mksquashfs is, 0.0 to 1.0 of the blocks that it knows of."""

    fraction: float


@dataclass(frozen=True, slots=True)
class SquashLine:
    """A line of text, harmless."""

    text: str


SquashEvent = SquashFraction | SquashLine


class MksquashfsOutput:
    """Reads what mksquashfs writes to a pipe or a terminal."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[SquashEvent]:
        """The events of what is complete now."""
        *ended, rest = _ENDS.split(data)
        events = []
        for piece in ended:
            self._add(piece)
            events += self._end()
        self._add(rest)
        return events

    def close(self) -> list[SquashEvent]:
        """The event of a last line without an end."""
        return self._end()

    def _add(self, piece: bytes) -> None:
        self._begun += piece[: _LINE_BYTES + 1]
        if len(self._begun) > _LINE_BYTES:
            self._overlong = True
            self._begun.clear()

    def _end(self) -> list[SquashEvent]:
        raw = bytes(self._begun).replace(b"\t", b"  ").rstrip()
        overlong, self._overlong = self._overlong, False
        self._begun.clear()
        if overlong or not raw:
            return []
        if bar := _BAR.fullmatch(raw):
            done, total = int(bar[1]), int(bar[2])
            return [SquashFraction(min(1.0, done / total) if total else 0.0)]
        if percentage := _PERCENTAGE.fullmatch(raw):
            return [SquashFraction(min(100, int(percentage[1])) / 100)]
        return [SquashLine(clean(raw))]


def parse_version(output: bytes) -> Version | None:
    """The version in what `mksquashfs -version` prints, None where there is none."""
    match = _VERSION.search(output)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def parse_compressors(output: bytes) -> frozenset[str]:
    """The compressors that mksquashfs lists when it is asked for one that it does not have."""
    _, found, listed = output.partition(b"Compressors available:")
    return (
        frozenset(name.decode() for name in _COMPRESSOR.findall(listed)) if found else frozenset()
    )
