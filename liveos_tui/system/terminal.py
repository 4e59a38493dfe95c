"""What the terminal can show: which look, which glyphs, how often to draw."""

import os
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.system.files import read_small

CONTRAST_VARIABLE = "LIVEOS_TUI_CONTRAST"
"""Environment variable: "high" is as `--contrast high`."""

_TRUE_COLOUR = frozenset({"truecolor", "24bit"})
_SERIAL_LINES = ("/dev/ttyS", "/dev/ttyAMA", "/dev/ttyUSB", "/dev/ttyACM", "/dev/hvc")


class NoTerminalError(LiveosError):
    """There is no terminal that the console could be shown on."""


class Look(StrEnum):
    """Plain: 16 colours or none, glyphs of every console font. Rich: true colour, eighth blocks."""

    PLAIN = "plain"
    RICH = "rich"


class Contrast(StrEnum):
    """High: black, white and few bright colours, and the terminal's cursor is shown."""

    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class TerminalProfile:
    """How to draw on this terminal.

    `unicode` is False where the locale is not UTF-8: only ASCII is safe there.
    """

    look: Look = Look.PLAIN
    colour: bool = True
    unicode: bool = True
    serial: bool = False
    contrast: Contrast = Contrast.NORMAL

    @property
    def sample_seconds(self) -> float:
        """Seconds between two samples: a serial line is slow, so it gets fewer."""
        return 5.0 if self.serial else 2.0


def profile(
    environment: Mapping[str, str],
    tty: str | None = None,
    look: Look | None = None,
    contrast: Contrast | None = None,
) -> TerminalProfile:
    """Judge a terminal by its environment and the name of its device.

    `look` and `contrast` overrule; whoever always needs high contrast sets CONTRAST_VARIABLE.
    """
    term = environment.get("TERM", "")
    locale = next(
        (environment[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(key)), ""
    )
    # The Linux console is in UTF-8 mode whatever the locale of a root login says.
    utf8 = term == "linux" or (
        not term.startswith("vt") and ("utf-8" in locale.lower() or "utf8" in locale.lower())
    )
    colour = not environment.get("NO_COLOR") and not term.startswith("vt") and term != "dumb"
    serial = bool(tty and tty.startswith(_SERIAL_LINES))
    capable = (
        colour
        and utf8
        and not serial
        and term != "linux"
        and environment.get("COLORTERM", "") in _TRUE_COLOUR
    )
    chosen = look or (Look.RICH if capable else Look.PLAIN)
    wanted = environment.get(CONTRAST_VARIABLE) == Contrast.HIGH
    return TerminalProfile(
        chosen, colour, utf8, serial, contrast or (Contrast.HIGH if wanted else Contrast.NORMAL)
    )


def current(look: Look | None = None, contrast: Contrast | None = None) -> TerminalProfile:
    """The profile of the terminal that standard output is connected to."""
    try:
        tty = os.ttyname(1)
    except OSError:
        tty = None
    return profile(_environment(), tty, look, contrast)


def give_size(descriptor: int) -> None:
    """Have a terminal that does not know its size, as a serial line after a login, be of 80x24.

    Its kernel says 0x0 then, and every library makes something else of that.
    """
    rows, columns = termios.tcgetwinsize(descriptor)
    if not rows or not columns:
        termios.tcsetwinsize(descriptor, (rows or 24, columns or 80))


def _environment() -> Mapping[str, str]:
    """The environment that the person gave.

    In the C locale Python itself sets LC_CTYPE to C.UTF-8 (PEP 538), which says nothing about the
    terminal: the kernel keeps the environment as it was at the start.
    """
    given = read_small(Path("/proc/self/environ"))
    if not given:
        return os.environ
    words = (word.partition("=") for word in given.split("\0"))
    return {key: value for key, _, value in words if key}
