"""One set of roles, two looks: what a piece of text means decides its colour, in one place.

Plain keeps to what every text console shows: default background, the eight dark colours and bold;
blue only as a background under white, because blue letters on black cannot be read; no bright
backgrounds, which vanish on the Linux console; nothing dim, which is dark grey there, and black on
black where its font has 512 glyphs, as Fedora's has. Without colour only bold and reverse are left.

High contrast is either look in black, white and few bright colours, on a ground of its own: what
the terminal has for a default may be grey on grey.
"""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from types import MappingProxyType

from rich.style import Style

from liveos_tui.system.terminal import Contrast, Look, TerminalProfile


class Role(Enum):
    """What a piece of text is for. A colour stands for one role's meaning and is never alone."""

    TEXT = auto()
    STRONG = auto()
    MUTED = auto()
    HEADING = auto()
    BAR = auto()
    """The line at the top of every screen."""
    BAR_STRONG = auto()
    KEY = auto()
    """What can be pressed."""
    FRAME = auto()
    GOOD = auto()
    NOTICE = auto()
    WARNING = auto()
    DANGER = auto()
    ILL = auto()
    """As DANGER, for a number that is too large to have a ground of its own."""
    FILL = auto()
    """The used part of a gauge that nobody has judged."""
    FILL_GOOD = auto()
    FILL_WARNING = auto()
    FILL_DANGER = auto()
    FILL_OLD = auto()
    TRACK = auto()
    """The free part of a gauge."""
    HISTORY = auto()
    """What was used before: an amount that nobody judges any more."""
    SELECTED = auto()
    """Where the keyboard is."""
    FIELD = auto()
    """A field that can be typed into, while something else has the focus."""
    CARET = auto()
    """The place in a field where the next letter goes."""
    ALERT = auto()
    """A line that cannot be missed."""


# The rich look's palette: dark and quiet, every text at least 4.5:1 on its background. One meaning
# each: blue is the keyboard (keys, where it is), slate an amount, green, amber and red a judgement.
_GROUND = "#11151a"
_RAISED = "#1b222b"
_TRACK = "#252d37"
_TEXT = "#d5dbe3"
_BRIGHT = "#f4f6f9"
_MUTED = "#8a95a3"
_FRAME = "#3d4a59"
_KEY = "#7fb2e5"
_KEYBOARD = "#2c4763"
_AMOUNT = "#7389a3"
_GOOD = "#8fc77c"
_WARNING = "#e6c069"
_DANGER = "#f08a80"
_ALARM = "#a52a2a"

_RICH_ON_GROUND = {
    Role.TEXT: Style(color=_TEXT),
    Role.STRONG: Style(color=_BRIGHT, bold=True),
    Role.MUTED: Style(color=_MUTED),
    Role.HEADING: Style(color=_BRIGHT, bold=True),
    Role.BAR: Style(color=_TEXT, bgcolor=_RAISED),
    Role.BAR_STRONG: Style(color=_BRIGHT, bgcolor=_RAISED, bold=True),
    Role.KEY: Style(color=_KEY, bold=True),
    Role.FRAME: Style(color=_FRAME),
    Role.GOOD: Style(color=_GOOD, bold=True),
    Role.NOTICE: Style(color=_BRIGHT, bold=True),
    Role.WARNING: Style(color=_WARNING, bold=True),
    Role.DANGER: Style(color=_BRIGHT, bgcolor=_ALARM, bold=True),
    Role.ILL: Style(color=_DANGER, bold=True),
    Role.FILL: Style(color=_AMOUNT, bgcolor=_TRACK),
    Role.FILL_GOOD: Style(color=_GOOD, bgcolor=_TRACK),
    Role.FILL_WARNING: Style(color=_WARNING, bgcolor=_TRACK),
    Role.FILL_DANGER: Style(color=_DANGER, bgcolor=_TRACK),
    Role.FILL_OLD: Style(color=_MUTED, bgcolor=_TRACK),
    Role.TRACK: Style(color=_MUTED, bgcolor=_TRACK),
    Role.HISTORY: Style(color=_AMOUNT),
    Role.SELECTED: Style(color=_BRIGHT, bgcolor=_KEYBOARD, bold=True),
    Role.FIELD: Style(color=_TEXT, bgcolor=_RAISED),
    Role.CARET: Style(color=_GROUND, bgcolor=_BRIGHT),
    Role.ALERT: Style(color=_BRIGHT, bgcolor=_ALARM, bold=True),
}

_HIGH_TRACK = "#333333"
_HIGH_KEY = "#8fd0ff"
_HIGH_AMOUNT = "#b8c7d9"
_HIGH_DANGER = "#ff9d94"

_RICH_HIGH_ON_GROUND = {
    Role.TEXT: Style(color="#ffffff"),
    Role.STRONG: Style(color="#ffffff", bold=True),
    Role.MUTED: Style(color="#d0d0d0"),
    Role.HEADING: Style(color="#ffffff", bold=True),
    Role.BAR: Style(color="#000000", bgcolor="#ffffff"),
    Role.BAR_STRONG: Style(color="#000000", bgcolor="#ffffff", bold=True),
    Role.KEY: Style(color=_HIGH_KEY, bold=True),
    Role.FRAME: Style(color="#a0a0a0"),
    Role.GOOD: Style(color="#8cff8c", bold=True),
    Role.NOTICE: Style(color="#ffffff", bold=True),
    Role.WARNING: Style(color="#ffe14d", bold=True),
    Role.DANGER: Style(color="#000000", bgcolor=_HIGH_DANGER, bold=True),
    Role.ILL: Style(color=_HIGH_DANGER, bold=True),
    Role.FILL: Style(color=_HIGH_AMOUNT, bgcolor=_HIGH_TRACK),
    Role.FILL_GOOD: Style(color="#8cff8c", bgcolor=_HIGH_TRACK),
    Role.FILL_WARNING: Style(color="#ffe14d", bgcolor=_HIGH_TRACK),
    Role.FILL_DANGER: Style(color=_HIGH_DANGER, bgcolor=_HIGH_TRACK),
    Role.FILL_OLD: Style(color="#d0d0d0", bgcolor=_HIGH_TRACK),
    Role.TRACK: Style(color="#d0d0d0", bgcolor=_HIGH_TRACK),
    Role.HISTORY: Style(color=_HIGH_AMOUNT),
    Role.SELECTED: Style(color="#000000", bgcolor=_HIGH_KEY, bold=True),
    Role.FIELD: Style(color="#ffffff", bgcolor=_HIGH_TRACK),
    Role.CARET: Style(color="#000000", bgcolor="#ffffff"),
    Role.ALERT: Style(color="#000000", bgcolor=_HIGH_DANGER, bold=True),
}

_PLAIN = {
    Role.TEXT: Style(),
    Role.STRONG: Style(bold=True),
    Role.MUTED: Style(),
    Role.HEADING: Style(bold=True),
    Role.BAR: Style(color="white", bgcolor="blue"),
    Role.BAR_STRONG: Style(color="white", bgcolor="blue", bold=True),
    Role.KEY: Style(color="cyan", bold=True),
    Role.FRAME: Style(color="cyan"),
    Role.GOOD: Style(color="green", bold=True),
    Role.NOTICE: Style(bold=True),
    Role.WARNING: Style(color="yellow", bold=True),
    Role.DANGER: Style(color="white", bgcolor="red", bold=True),
    Role.ILL: Style(color="red", bold=True),
    Role.FILL: Style(color="cyan"),
    Role.FILL_GOOD: Style(color="green"),
    Role.FILL_WARNING: Style(color="yellow"),
    Role.FILL_DANGER: Style(color="red"),
    Role.FILL_OLD: Style(),
    Role.TRACK: Style(),
    Role.HISTORY: Style(color="cyan"),
    Role.SELECTED: Style(color="white", bgcolor="blue", bold=True),
    Role.FIELD: Style(),
    Role.CARET: Style(color="black", bgcolor="white"),
    Role.ALERT: Style(color="white", bgcolor="red", bold=True),
}

_PLAIN_HIGH_ON_GROUND = _PLAIN | {
    Role.TEXT: Style(bold=True),
    Role.BAR: Style(color="black", bgcolor="white"),
    Role.BAR_STRONG: Style(color="black", bgcolor="white"),
    Role.FRAME: Style(),
    Role.FILL: Style(bold=True),
    Role.FILL_GOOD: Style(color="green", bold=True),
    Role.FILL_WARNING: Style(color="yellow", bold=True),
    Role.FILL_DANGER: Style(color="red", bold=True),
    Role.TRACK: Style(),
    Role.HISTORY: Style(),
    Role.SELECTED: Style(color="black", bgcolor="white"),
    Role.FIELD: Style(bold=True),
}

_REVERSED = Style(reverse=True)
_REVERSED_BOLD = Style(reverse=True, bold=True)
_COLOURLESS = {role: Style(bold=style.bold) for role, style in _PLAIN.items()} | {
    Role.BAR: _REVERSED,
    Role.BAR_STRONG: _REVERSED_BOLD,
    Role.DANGER: _REVERSED_BOLD,
    Role.SELECTED: _REVERSED,
    Role.CARET: _REVERSED,
    Role.ALERT: _REVERSED_BOLD,
}


def _on(ground: Style, roles: Mapping[Role, Style]) -> dict[Role, Style]:
    """Textual gives its own background only to cells that no widget draws."""
    return {role: ground + style for role, style in roles.items()}


@lru_cache(maxsize=8)
def styles(terminal: TerminalProfile) -> Mapping[Role, Style]:
    """The style of every role on `terminal`."""
    return MappingProxyType(_styles(terminal))


def _styles(terminal: TerminalProfile) -> Mapping[Role, Style]:
    if not terminal.colour:
        return _COLOURLESS
    match terminal.look, terminal.contrast:
        case Look.RICH, Contrast.NORMAL:
            return _on(Style(bgcolor=_GROUND), _RICH_ON_GROUND)
        case Look.RICH, Contrast.HIGH:
            return _on(Style(bgcolor="#000000"), _RICH_HIGH_ON_GROUND)
        case Look.PLAIN, Contrast.NORMAL:
            return _PLAIN
        case _:
            return _on(Style(color="white", bgcolor="black"), _PLAIN_HIGH_ON_GROUND)


def ground(terminal: TerminalProfile) -> tuple[str, str]:
    """Background and text colour of a whole screen, as Textual's style sheets name them."""
    if not terminal.colour:
        return "ansi_default", "ansi_default"
    match terminal.look, terminal.contrast:
        case Look.RICH, Contrast.NORMAL:
            return _GROUND, _TEXT
        case Look.RICH, Contrast.HIGH:
            return "#000000", "#ffffff"
        case Look.PLAIN, Contrast.NORMAL:
            return "ansi_default", "ansi_default"
        case _:
            return "ansi_black", "ansi_white"
