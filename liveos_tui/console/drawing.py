"""Frames, bars and charts as lines. Pure: the same arguments give the same lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Line, Span, clip, cut, width_of
from liveos_tui.console.theme import Role


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and highest value that a chart shows."""

    low: int
    high: int


def box(
    title: str,
    status: Line,
    rows: Sequence[Line],
    width: int,
    glyphs: Glyphs,
    *,
    foot: Line = (),
) -> list[Line]:
    """`rows` in a frame `width` cells wide, with a title at its left and a status at its right.

    `foot` stands at the right of the lower edge.
    """
    top_left, top_right, bottom_left, bottom_right = glyphs.corners
    edge = glyphs.horizontal
    inner = width - 2
    end: Line = (Span(" "), *status, Span(" "), Span(edge, Role.FRAME)) if status else ()
    end = cut(end, max(0, inner - 4), "")
    name = f" {clip(title, max(0, inner - width_of(end) - 4), glyphs.dots)} "
    filling = edge * (inner - 1 - width_of((Span(name),)) - width_of(end))
    lines: list[Line] = [
        (
            Span(top_left + edge, Role.FRAME),
            Span(name, Role.HEADING),
            Span(filling, Role.FRAME),
            *end,
            Span(top_right, Role.FRAME),
        )
    ]
    for row in rows:
        kept = cut(row, inner - 2, glyphs.dots)
        pad = " " * (inner - 1 - width_of(kept))
        side = Span(glyphs.vertical, Role.FRAME)
        lines.append((side, Span(" "), *kept, Span(pad), side))
    note: Line = (Span(" "), *cut(foot, max(0, inner - 4)), Span(" ")) if foot else ()
    left = inner - width_of(note) - (1 if foot else 0)
    lines.append(
        (
            Span(bottom_left + edge * left, Role.FRAME),
            *note,
            Span((edge if foot else "") + bottom_right, Role.FRAME),
        )
    )
    return lines


_DIGITS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
}
BIG_ROWS = 5
"""Rows of a large number."""
SMALL_ROWS = 3
"""Rows of one that is drawn in halves of cells."""


def large(number: int, glyphs: Glyphs) -> list[str]:
    """A number in `BIG_ROWS` rows, each of its dots two cells wide."""
    dots = {"#": glyphs.full * 2, " ": "  "}
    return [
        "  ".join("".join(dots[dot] for dot in _DIGITS[digit][row]) for digit in str(number))
        for row in range(BIG_ROWS)
    ]


def large_in_halves(number: int, halves: tuple[str, str], full: str) -> list[str]:
    """A number in `SMALL_ROWS` rows, two dots in each cell."""
    cells = {("#", "#"): full, ("#", " "): halves[0], (" ", "#"): halves[1], (" ", " "): " "}
    rows = []
    for row in range(0, BIG_ROWS + 1, 2):
        pairs = [
            zip(_DIGITS[digit][row], (*_DIGITS[digit], "   ")[row + 1], strict=True)
            for digit in str(number)
        ]
        rows.append(" ".join("".join(cells[pair] for pair in digit) for digit in pairs))
    return rows


def moving_bar(beat: int, width: int, role: Role, glyphs: Glyphs) -> Line:
    """A bar for work of unknown length: a piece that is elsewhere at each `beat`."""
    piece = max(1, width // 5)
    start = beat % max(1, width - piece + 1)
    return (
        Span(glyphs.track * start, Role.TRACK),
        Span(glyphs.full * piece, role),
        Span(glyphs.track * max(0, width - piece - start), Role.TRACK),
    )


def bar(fraction: float, width: int, role: Role, glyphs: Glyphs) -> Line:
    """A bar that is `fraction` full. A trace of use shows, and only a full one looks full."""
    if width <= 0:
        return ()
    steps = len(glyphs.across)
    filled = round(min(1.0, max(0.0, fraction)) * width * steps)
    if fraction > 0:
        filled = max(1, filled)
    if fraction < 1:
        filled = min(width * steps - 1, filled)
    whole, part = divmod(filled, steps)
    text = glyphs.full * whole + (glyphs.across[part - 1] if part else "")
    return (Span(text, role), Span(glyphs.track * (width - len(text)), Role.TRACK))


def scale(values: Sequence[int], total: int | None) -> Scale:
    """What a chart of `values` shows: their range, widened so that a trickle looks like one.

    `total` is what could be filled; a change below a twenty-fifth of it stays flat to the eye.
    """
    low, high = min(values, default=0), max(values, default=0)
    least = max(1, (total or high) // 25)
    if high - low < least:
        high = low + least
    return Scale(low, high)


def columns(history: Sequence[tuple[float, int]], width: int) -> list[int]:
    """`history` as at most `width` values, evenly spaced in time: the last one known at each."""
    if not history or width <= 0:
        return []
    start, end = history[0][0], history[-1][0]
    if end <= start:
        return [history[-1][1]]
    count = min(width, len(history))
    values = []
    index = 0
    for column in range(1, count + 1):
        moment = start + (end - start) * column / count
        while index + 1 < len(history) and history[index + 1][0] <= moment:
            index += 1
        values.append(history[index][1])
    return values


def chart(values: Sequence[int], shown: Scale, height: int, glyphs: Glyphs) -> list[str]:
    """Columns for `values`, `height` rows from the top. The lowest value still leaves a mark."""
    steps = len(glyphs.upward)
    span = shown.high - shown.low
    heights = [max(1, ceil((v - shown.low) / span * height * steps)) for v in values]
    rows = []
    for row in range(height - 1, -1, -1):
        base = row * steps
        rows.append(
            "".join(" " if h <= base else glyphs.upward[min(steps, h - base) - 1] for h in heights)
        )
    return rows
