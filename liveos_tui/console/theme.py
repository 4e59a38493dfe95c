"""One set of roles, two looks: what a piece of text means decides its colour, in one place.

Plain keeps to what every text console shows: default background, the eight dark colours, bold and
dim; blue only as a background under white, because blue letters on black cannot be read; no bright
backgrounds, which vanish on the Linux console. Without colour only bold, dim and reverse are left.
"""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from types import MappingProxyType

from rich.style import Style

from liveos_tui.system.terminal import Look, TerminalProfile


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
    FRAME = auto()
    GOOD = auto()
    NOTICE = auto()
    WARNING = auto()
    DANGER = auto()
    FILL = auto()
    """The used part of a gauge that nobody has judged."""
    FILL_GOOD = auto()
    FILL_WARNING = auto()
    FILL_DANGER = auto()
    FILL_OLD = auto()
    TRACK = auto()
    """The free part of a gauge."""
    HISTORY = auto()
    SELECTED = auto()
    FIELD = auto()
    """A field that can be typed into, while something else has the focus."""
    ALERT = auto()
    """A line that cannot be missed."""


# The rich look's palette: dark, quiet, every text at least 4.5:1 on its background.
_GROUND = "#11151a"
_RAISED = "#1b222b"
_TRACK = "#27303b"
_TEXT = "#d5dbe3"
_BRIGHT = "#f4f6f9"
_MUTED = "#8a95a3"
_FRAME = "#3d4a59"
_ACCENT = "#7fb2e5"
_GOOD = "#8fc77c"
_WARNING = "#e6c069"
_DANGER = "#f08a80"
_ALARM = "#a52a2a"

GROUND = {Look.PLAIN: ("ansi_default", "ansi_default"), Look.RICH: (_GROUND, _TEXT)}
"""Background and text colour of a whole screen, for each look."""

_RICH_ON_GROUND = {
    Role.TEXT: Style(color=_TEXT),
    Role.STRONG: Style(color=_BRIGHT, bold=True),
    Role.MUTED: Style(color=_MUTED),
    Role.HEADING: Style(color=_ACCENT, bold=True),
    Role.BAR: Style(color=_TEXT, bgcolor=_RAISED),
    Role.BAR_STRONG: Style(color=_BRIGHT, bgcolor=_RAISED, bold=True),
    Role.KEY: Style(color=_ACCENT, bold=True),
    Role.FRAME: Style(color=_FRAME),
    Role.GOOD: Style(color=_GOOD, bold=True),
    Role.NOTICE: Style(color=_ACCENT, bold=True),
    Role.WARNING: Style(color=_WARNING, bold=True),
    Role.DANGER: Style(color=_BRIGHT, bgcolor=_ALARM, bold=True),
    Role.FILL: Style(color=_ACCENT, bgcolor=_TRACK),
    Role.FILL_GOOD: Style(color=_GOOD, bgcolor=_TRACK),
    Role.FILL_WARNING: Style(color=_WARNING, bgcolor=_TRACK),
    Role.FILL_DANGER: Style(color=_DANGER, bgcolor=_TRACK),
    Role.FILL_OLD: Style(color=_MUTED, bgcolor=_TRACK),
    Role.TRACK: Style(color=_MUTED, bgcolor=_TRACK),
    Role.HISTORY: Style(color=_ACCENT),
    Role.SELECTED: Style(color=_BRIGHT, bgcolor="#2c4763", bold=True),
    Role.FIELD: Style(color=_TEXT, bgcolor=_RAISED),
    Role.ALERT: Style(color=_BRIGHT, bgcolor=_ALARM, bold=True),
}

# Textual gives its own background only to cells that no widget draws.
_RICH = {role: Style(bgcolor=_GROUND) + style for role, style in _RICH_ON_GROUND.items()}

_PLAIN = {
    Role.TEXT: Style(),
    Role.STRONG: Style(bold=True),
    Role.MUTED: Style(dim=True),
    Role.HEADING: Style(bold=True),
    Role.BAR: Style(color="white", bgcolor="blue"),
    Role.BAR_STRONG: Style(color="white", bgcolor="blue", bold=True),
    Role.KEY: Style(color="cyan", bold=True),
    Role.FRAME: Style(color="cyan"),
    Role.GOOD: Style(color="green", bold=True),
    Role.NOTICE: Style(bold=True),
    Role.WARNING: Style(color="yellow", bold=True),
    Role.DANGER: Style(color="white", bgcolor="red", bold=True),
    Role.FILL: Style(color="cyan"),
    Role.FILL_GOOD: Style(color="green"),
    Role.FILL_WARNING: Style(color="yellow"),
    Role.FILL_DANGER: Style(color="red"),
    Role.FILL_OLD: Style(dim=True),
    Role.TRACK: Style(dim=True),
    Role.HISTORY: Style(color="cyan"),
    Role.SELECTED: Style(color="white", bgcolor="blue", bold=True),
    Role.FIELD: Style(),
    Role.ALERT: Style(color="white", bgcolor="red", bold=True),
}

_REVERSED = Style(reverse=True)
_REVERSED_BOLD = Style(reverse=True, bold=True)
_COLOURLESS = {
    Role.BAR: _REVERSED,
    Role.BAR_STRONG: _REVERSED_BOLD,
    Role.DANGER: _REVERSED_BOLD,
    Role.SELECTED: _REVERSED,
    Role.ALERT: _REVERSED_BOLD,
}


@lru_cache(maxsize=4)
def styles(terminal: TerminalProfile) -> Mapping[Role, Style]:
    """The style of every role on `terminal`."""
    if not terminal.colour:
        plain = {role: Style(bold=s.bold, dim=s.dim) for role, s in _PLAIN.items()}
        return MappingProxyType(plain | _COLOURLESS)
    return MappingProxyType(_RICH if terminal.look is Look.RICH else _PLAIN)
