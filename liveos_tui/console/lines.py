"""Lines of text with roles: what the views return and the widgets draw.

Widths are terminal cells, not characters: a letter of East Asia takes two, a combining one none.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from liveos_tui.console.glyphs import Glyphs, glyphs
from liveos_tui.console.theme import Role, styles
from liveos_tui.system.terminal import TerminalProfile


class Span(NamedTuple):
    """A piece of text in one role."""

    text: str
    role: Role = Role.TEXT


Line = tuple[Span, ...]
"""One row of the screen, from the left."""

EMPTY: Line = ()


def width_of(line: Iterable[Span]) -> int:
    """Cells that `line` takes."""
    return sum(cell_len(span.text) for span in line)


def clip(text: str, width: int, dots: str = "...") -> str:
    """`text`, or as much of it as fits with `dots` at its end."""
    if cell_len(text) <= width:
        return text
    if width <= cell_len(dots):
        return set_cell_size(text, max(0, width))
    return set_cell_size(text, width - cell_len(dots)).rstrip() + dots


def clip_start(text: str, width: int, dots: str = "...") -> str:
    """`text`, or as much of its end as fits behind `dots`: what differs between paths."""
    if cell_len(text) <= width:
        return text
    kept = text
    while kept and cell_len(kept) > width - cell_len(dots):
        kept = kept[1:]
    return dots + kept


def cell(text: str, width: int, dots: str = "...") -> str:
    """`text` as a table's cell: clipped or filled up to exactly `width`."""
    return set_cell_size(clip(text, width, dots), width)


def right(text: str, width: int) -> str:
    """`text` at the right end of `width` cells."""
    return " " * max(0, width - cell_len(text)) + clip(text, width)


def both_ends(start: Line, end: Line, width: int, dots: str = "...") -> Line:
    """`start` at the left and `end` at the right of `width`; the start gives way, not the end."""
    room = width - width_of(end)
    kept = cut(start, room, dots)
    return (
        *kept,
        Span(" " * max(0, room - width_of(kept)), kept[-1].role if kept else Role.TEXT),
        *end,
    )


def cut(line: Line, width: int, dots: str = "...") -> Line:
    """`line`, or as much of it as fits with `dots` at its end."""
    if width_of(line) <= width:
        return line
    kept: list[Span] = []
    room = width
    for span in line:
        size = cell_len(span.text)
        if size <= room - cell_len(dots):
            kept.append(span)
            room -= size
        else:
            # The span is longer than its room, or leaves none for the dots that must follow.
            kept.append(Span(clip(span.text + dots, room, dots), span.role))
            break
    return tuple(kept)


def parted(line: Line, width: int) -> tuple[Line, Line]:
    """The first `width` cells of `line`, and the rest, which has what stands on the border."""
    for index, span in enumerate(line):
        size = cell_len(span.text)
        if size > width:
            count = 0
            while cell_len(span.text[: count + 1]) <= width:
                count += 1
            first, second = span.text[:count], span.text[count:]
            return (*line[:index], span._replace(text=first)), (
                span._replace(text=second),
                *line[index + 1 :],
            )
        width -= size
    return line, EMPTY


# A number and its unit are one word.
_TOGETHER = re.compile(r"(?<=\d) (?=%|[KMGT]?i?B\b|(?:second|minute|hour|day)s?\b)")
_JOINT = "\0"


def wrap(text: str, width: int) -> list[str]:
    """`text` in rows of at most `width` cells, broken between words where that is possible."""
    rows: list[str] = []
    row = ""
    for joint in _TOGETHER.sub(_JOINT, text).split():
        word = joint.replace(_JOINT, " ")
        joined = f"{row} {word}" if row else word
        if cell_len(joined) <= width:
            row = joined
            continue
        if row:
            rows.append(row)
        *full, row = chop_cells(word, max(1, width))
        rows.extend(full)
    return [*rows, row] if row else rows


def wrap_at_most(text: str, width: int, rows: int, dots: str = "...") -> list[str]:
    """As `wrap`, in at most `rows` rows; the last one shows by `dots` that there was more."""
    wrapped = wrap(text, width)
    if len(wrapped) <= rows:
        return wrapped
    return [*wrapped[: rows - 1], clip(wrapped[rows - 1] + " " + dots, width, dots)]


def spread(parts: Sequence[str], width: int) -> str:
    """As many of `parts` (most important first) as fit side by side, in wide gaps or narrow."""
    for count in range(len(parts), 1, -1):
        for gap in ("   ", "  "):
            text = gap.join(parts[:count])
            if cell_len(text) <= width:
                return text
    return clip(parts[0], width) if parts else ""


def harmless(text: str, ascii_only: bool) -> str:
    """`text` with nothing that a terminal could act on, in as many cells.

    Everything from outside has passed `clean` long before; this is the last door, because Textual
    hands control characters to the terminal as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() and (c.isascii() or not ascii_only) else "?" * cell_len(c)
        for c in text
    )


class Brush:
    """Draws lines for one terminal."""

    def __init__(self, terminal: TerminalProfile) -> None:
        self.glyphs: Glyphs = glyphs(terminal)
        self._styles = styles(terminal)

    def strip(self, line: Line, width: int) -> Strip:
        """`line` as Textual draws it: exactly `width` cells."""
        segments = []
        room = width
        for text, role in line:
            shown = harmless(text, self.glyphs.ascii_only)
            size = cell_len(shown)
            if size > room:
                shown, size = set_cell_size(shown, room), room
            segments.append(Segment(shown, self._styles[role]))
            room -= size
        if room:
            segments.append(Segment(" " * room, self._styles[Role.TEXT]))
        return Strip(segments, width)
