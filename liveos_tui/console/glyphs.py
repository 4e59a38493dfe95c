"""The characters that frames, bars and markers are made of, for each kind of terminal."""

from dataclasses import dataclass

from liveos_tui.system.terminal import Look, TerminalProfile


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One terminal's characters. `steps` are the fills of one cell, from the least to a full one.

    `halves` are the upper and the lower half of a cell, where there are such. `ascii_only` says
    that every other character has to be replaced before it is drawn.
    """

    horizontal: str
    vertical: str
    corners: tuple[str, str, str, str]
    full: str
    track: str
    across: tuple[str, ...]
    upward: tuple[str, ...]
    marker: str
    dots: str
    separator: str
    halves: tuple[str, str] | None = None
    ascii_only: bool = False


ASCII = Glyphs(
    "-", "|", ("+", "+", "+", "+"), "#", ".", ("#",), ("#",), ">", "...", "-", ascii_only=True
)

# Only what the fonts of all stock text consoles have (the 437 code page's share of Unicode): no
# eighth blocks, rounded corners, arrows, ellipsis or braille.
SAFE = Glyphs("─", "│", ("┌", "┐", "└", "┘"), "█", "░", ("█",), ("█",), "»", "...", "·")

RICH = Glyphs(
    "─",
    "│",
    ("╭", "╮", "╰", "╯"),
    "█",
    " ",
    tuple("▏▎▍▌▋▊▉█"),
    tuple("▁▂▃▄▅▆▇█"),
    "›",  # noqa: RUF001
    "…",
    "·",
    ("▀", "▄"),
)

SAFE_CHARACTERS = frozenset("─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬█░▒·°»«" + "".join(map(chr, range(32, 127))))
"""Everything that the plain look may draw by itself."""


def glyphs(terminal: TerminalProfile) -> Glyphs:
    """The characters for `terminal`."""
    if not terminal.unicode:
        return ASCII
    return RICH if terminal.look is Look.RICH else SAFE
