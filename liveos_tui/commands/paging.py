"""A long text at a terminal, a screen at a time.

No pager is started: `less` writes a file of its own, and not every stick has it.
"""

import shutil
import unicodedata
from collections.abc import Iterator

from liveos_tui.commands.output import ask, harmless, say

_ASKED_ROWS = 4
"""Rows that stay free below the end, for what is asked there."""

_LEAST_ROWS = 5


def say_in_pages(words: str) -> None:
    """Print a text that a question follows; where it is longer than the screen, in pages.

    Raises LiveosError, KeyboardInterrupt.
    """
    columns, rows = shutil.get_terminal_size()
    lines = harmless(words).splitlines()
    told = 0
    for page in pages(lines, columns, max(rows, _LEAST_ROWS)):
        if told:
            question = f"-- {told} of {len(lines)} lines. Enter: more; q: to the question -- "
            answer = ask(question)
            if answer is None or answer.lower().startswith("q"):
                return
        say("".join(f"{line}\n" for line in page))
        told += len(page)


def pages(lines: list[str], columns: int, rows: int) -> Iterator[list[str]]:
    """`lines` in pages that can be read at once: below each one a row is left, below all more."""
    page: list[str] = []
    left = rows - 1
    for number, line in enumerate(lines):
        room = left - (_ASKED_ROWS - 1 if number == len(lines) - 1 else 0)
        needed = _rows(line, columns)
        if page and needed > room:
            yield page
            page, left = [], rows - 1
        page.append(line)
        left -= needed
    yield page


def _rows(line: str, columns: int) -> int:
    """Rows that a line takes on the terminal."""
    cells = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)
    return max(1, -(-cells // columns))
