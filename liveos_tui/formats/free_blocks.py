"""Which parts of an ext file system are in use, from what dumpe2fs prints (e2fsprogs/misc).

dumpe2fs works out the bitmaps of groups that were never initialised, as the kernel does. Of a file
system with bigalloc it names the first block of each free cluster's end only: a few free blocks are
then taken for used ones, never the other way round.
"""

import re

from liveos_tui.errors import FormatError
from liveos_tui.formats.lines import LineSplitter

# A group of 64 KiB blocks with every second one free.
_LINE_BYTES = 4 << 20
_FIELDS = {
    b"Block count:": "blocks",
    b"Block size:": "block_bytes",
    b"First block:": "first_block",
}
_FREE = b"  Free blocks: "
_FEATURES = b"Filesystem features:"
_RANGE = re.compile(rb"(\d{1,19})(?:-(\d{1,19}))?")

Range = tuple[int, int]
"""From the first byte to the one after the last."""


class UsedBlocks:
    """Reads the output of `dumpe2fs DEVICE`, in any pieces."""

    def __init__(self) -> None:
        self._lines = LineSplitter(_LINE_BYTES)
        self._numbers: dict[str, int] = {}
        self._free: list[tuple[int, int]] = []
        self._journal_pending = False

    def feed(self, data: bytes) -> None:
        """Take more of the output."""
        for line in self._lines.feed(data):
            self._read(line)

    def ranges(self) -> tuple[Range, ...]:
        """The bytes in use, in order, none touching the next; the output is complete.

        What lies before the first block is in use (a boot sector may be there), what lies behind
        the last is not. While the journal holds changes, everything counts as used: the bitmaps may
        be older than they. Raises FormatError when the output is none of dumpe2fs.
        """
        for line in self._lines.close():
            self._read(line)
        try:
            blocks, block_bytes = self._numbers["blocks"], self._numbers["block_bytes"]
            first_block = self._numbers["first_block"]
        except KeyError as error:
            raise FormatError(f"dumpe2fs did not tell the {error.args[0]}.") from error
        if self._journal_pending:
            return ((0, blocks * block_bytes),)
        used, at = [], 0
        for first, last in sorted(self._free):
            if not first_block <= first <= last < blocks:
                raise FormatError(f"dumpe2fs told of free blocks {first}-{last} of {blocks}.")
            if first > at:
                used.append((at * block_bytes, first * block_bytes))
            at = max(at, last + 1)
        if at < blocks:
            used.append((at * block_bytes, blocks * block_bytes))
        return tuple(used)

    def _read(self, line: bytes) -> None:
        if line.startswith(_FREE):
            for match in _RANGE.finditer(line, len(_FREE)):
                first = int(match[1])
                self._free.append((first, int(match[2] or first)))
        elif line.startswith(_FEATURES):
            self._journal_pending = b" needs_recovery" in line
        else:
            for words, name in _FIELDS.items():
                if line.startswith(words):
                    value = line[len(words) :].strip()
                    if value.isdigit() and len(value) < 20:
                        self._numbers[name] = int(value)
