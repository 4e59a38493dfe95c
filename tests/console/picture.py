"""A screen as a picture: SVG that is the same bytes on every machine and looks so in every viewer.

Letters are outlines (tests/data/letters), frames and bars are shapes that fill their cells: no font
of a machine is asked for, and no row shows a gap. A letter that has no outline raises KeyError.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style

WIDTH, HEIGHT = 10, 20
"""A cell."""
_EDGE = 14
"""Around the screen, in the colour of its ground."""

_LETTERS = Path(__file__).parents[1] / "data" / "letters" / "letters.json"

# The colours of the Linux console (vt.c), which makes bold bright and dim dark grey.
_CONSOLE = (
    *("000000", "aa0000", "00aa00", "aa5500", "0000aa", "aa00aa", "00aaaa", "aaaaaa"),
    *("555555", "ff5555", "55ff55", "ffff55", "5555ff", "ff55ff", "55ffff", "ffffff"),
)
_DARK_GREY, _GREY, _BLACK = 8, 7, 0

# Corners, drawn with a line of 1; straight lines are boxes.
_CORNERS = {
    "┌": "M5 20V10H10",
    "┐": "M0 10H5V20",
    "└": "M5 0V10H10",
    "┘": "M0 10H5V0",
    "╭": "M5 20V15a5 5 0 0 1 5-5",
    "╮": "M0 10a5 5 0 0 1 5 5V20",
    "╰": "M5 0V5a5 5 0 0 0 5 5",
    "╯": "M0 10a5 5 0 0 0 5-5V0",
}
# Left, top, width and height of what is filled.
_BLOCKS = {
    "─": (0, 9.5, WIDTH, 1),
    "│": (4.5, 0, 1, HEIGHT),
    "█": (0, 0, WIDTH, HEIGHT),
    "▀": (0, 0, WIDTH, HEIGHT / 2),
    **{c: (0, 0, WIDTH * n / 8, HEIGHT) for n, c in enumerate("▏▎▍▌▋▊▉", 1)},
    **{c: (0, HEIGHT * (8 - n) / 8, WIDTH, HEIGHT * n / 8) for n, c in enumerate("▁▂▃▄▅▆▇", 1)},
}
_SHADES = {"░": 0.25, "▒": 0.5}


class _Cell(NamedTuple):
    """One cell: its character, colours (six hexadecimal digits) and weight."""

    text: str
    ink: str
    ground: str
    bold: bool
    underlined: bool


@cache
def _outlines() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(_LETTERS.read_text(encoding="utf-8"))
    return found


def svg(rows: Sequence[Iterable[Segment]], *, title: str) -> str:
    """The picture of a screen. `rows` are the segments of each row, from the top."""
    cells = [_cells(row) for row in rows]
    width, height = max(map(len, cells)) * WIDTH, len(cells) * HEIGHT
    # Its keys are on the ground of the screen, and always there.
    ground = cells[-1][-1].ground
    used: dict[str, str] = {}
    body = [line for number, row in enumerate(cells) for line in _row(row, number, ground, used)]
    outer = (width + 2 * _EDGE, height + 2 * _EDGE)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {outer[0]} {outer[1]}" '
            f'width="{outer[0]}" height="{outer[1]}" role="img">',
            f"<title>{escape(title)}</title>",
            "<defs>",
            *(f'<path id="{name}" d="{path}"/>' for name, path in sorted(used.items())),
            "</defs>",
            f'<rect width="{outer[0]}" height="{outer[1]}" rx="10" fill="#{ground}"/>',
            f'<g transform="translate({_EDGE} {_EDGE})" shape-rendering="geometricPrecision">',
            *body,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _cells(row: Iterable[Segment]) -> list[_Cell]:
    cells = []
    for text, style, _ in row:
        ink, ground, bold = _colours(style or Style())
        for character in text:
            underlined = bool(style and style.underline)
            cells.append(_Cell(character, ink, ground, bold, underlined))
            # A wide letter has the cell after it as well.
            cells += [_Cell(" ", ink, ground, bold, underlined)] * (cell_len(character) - 1)
    return cells


def _colours(style: Style) -> tuple[str, str, bool]:
    """Ink, ground, and whether the letter itself is bold, which it is not on the Linux console."""
    true_colour = any(c and c.type is ColorType.TRUECOLOR for c in (style.color, style.bgcolor))
    bold = bool(style.bold)
    if true_colour:
        ink, ground = _hexadecimal(style.color, _GREY), _hexadecimal(style.bgcolor, _BLACK)
    else:
        number = style.color.number if style.color and style.color.number is not None else _GREY
        number += 8 if bold and number < 8 else 0
        if style.dim and not bold:
            number = _DARK_GREY
        ink, ground, bold = _CONSOLE[number], _hexadecimal(style.bgcolor, _BLACK), False
    if style.reverse:
        ink, ground = ground, ink
    return ink, ground, bold


def _hexadecimal(colour: Color | None, default: int) -> str:
    if colour is not None and colour.triplet is not None:
        return colour.triplet.hex.removeprefix("#")
    number = colour.number if colour is not None else None
    return _CONSOLE[default if number is None else number]


def _row(row: list[_Cell], number: int, ground: str, used: dict[str, str]) -> list[str]:
    """The grounds, shapes and letters of one row, told as its text."""
    top = number * HEIGHT
    boxes: list[tuple[float, float, float, float, str, float]] = []
    corners: dict[str, list[str]] = {}
    letters: dict[str, list[str]] = {}
    for column, cell in enumerate(row):
        left = column * WIDTH
        if cell.ground != ground:
            boxes.append((left, 0, WIDTH, HEIGHT, cell.ground, 1))
    for column, cell in enumerate(row):
        left = column * WIDTH
        if cell.underlined:
            boxes.append((left, HEIGHT - 2, WIDTH, 1, cell.ink, 1))
        if cell.text in _BLOCKS:
            x, y, width, height = _BLOCKS[cell.text]
            boxes.append((left + x, y, width, height, cell.ink, 1))
        elif cell.text in _SHADES:
            boxes.append((left, 0, WIDTH, HEIGHT, cell.ink, _SHADES[cell.text]))
        elif cell.text in _CORNERS:
            name = f"c{ord(cell.text):x}"
            used[name] = _CORNERS[cell.text]
            corners.setdefault(cell.ink, []).append(f'<use href="#{name}" x="{left}"/>')
        elif cell.text != " ":
            name = f"{'b' if cell.bold else 'r'}{ord(cell.text):x}"
            used[name] = _outlines()["bold" if cell.bold else "regular"][cell.text]
            letters.setdefault(cell.ink, []).append(f'<use href="#{name}" x="{left}"/>')
    if not (boxes or corners or letters):
        return []
    shapes = {*_BLOCKS, *_CORNERS, *_SHADES}
    words = " ".join("".join(" " if c.text in shapes else c.text for c in row).split())
    return [
        f'<g transform="translate(0 {top})" aria-label="{escape(words)}">',
        *(_rectangle(*box) for box in _joined(boxes)),
        *(f'<g fill="none" stroke="#{ink}">{"".join(c)}</g>' for ink, c in corners.items()),
        *(f'<g fill="#{ink}">{"".join(uses)}</g>' for ink, uses in letters.items()),
        "</g>",
    ]


Box = tuple[float, float, float, float, str, float]
"""Left, top, width, height, colour, opacity."""


def _joined(boxes: list[Box]) -> list[Box]:
    """Boxes that touch each other in a row as one, so that no viewer draws a line between them."""
    joined: list[Box] = []
    for box in boxes:
        if joined:
            x, y, width, height, ink, opacity = joined[-1]
            if box[0] == x + width and (box[1], *box[3:]) == (y, height, ink, opacity):
                joined[-1] = (x, y, width + box[2], height, ink, opacity)
                continue
        joined.append(box)
    return joined


def _rectangle(x: float, y: float, width: float, height: float, ink: str, opacity: float) -> str:
    lighter = f' opacity="{opacity:g}"' if opacity < 1 else ""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} fill="#{ink}"{lighter} />'


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"Source SHA-256"


def fingerprint(text: str) -> str:
    """What a PNG says of the SVG that it was made from."""
    return sha256(text.encode()).hexdigest()


def signed(png: bytes, text: str) -> bytes:
    """A PNG that says from which SVG it was made, in a tEXt chunk behind its header."""
    end = len(_SIGNATURE) + 25
    data = b"tEXt" + _KEYWORD + b"\0" + fingerprint(text).encode()
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return png[:end] + chunk + png[end:]


def source_of(png: bytes) -> str | None:
    """The fingerprint that a PNG bears, None for one without."""
    at = len(_SIGNATURE)
    while at + 12 <= len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"tEXt":
            keyword, _, value = png[at + 8 : at + 8 + length].partition(b"\0")
            if keyword == _KEYWORD:
                return value.decode()
        at += 12 + length
    return None
