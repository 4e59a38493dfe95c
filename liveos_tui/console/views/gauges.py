"""The gauges of file systems: root, home, stick; and what the overlay's gauge shares with them."""

from dataclasses import dataclass

from liveos_tui.console.drawing import bar, box
from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Line, Span, spread, wrap
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import amount, percent, size
from liveos_tui.live.model import HomeState, Usage

ROWS = 4
"""Lines of a gauge: a frame, a bar, the figures."""

_NOT_KNOWN = "not known"
_SEE_BELOW = "Why is told below."


def root(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """The file system inside base and overlay: it can be full while the overlay is not."""
    if seen is None or seen.system is None:
        return frame("Root", (), [], width, glyphs)
    part = seen.system.root
    # A longer status than a percentage leaves less room for the name.
    name = "Root file system" if part.usage.fraction is not None or width >= 32 else "Root"
    extra = [part.filesystem or ""]
    if part.read_only:
        extra.insert(0, "read-only")
    return _usage(_Usage(name, part.usage, part.unknown, extra), seen, width, glyphs)


def home(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """home.img, where there is one."""
    if seen is None or seen.system is None:
        return frame("Home", (), [], width, glyphs)
    part = seen.system.home
    match part.state:
        case HomeState.NONE:
            rows: list[Line] = [(Span("no home.img", Role.MUTED),)]
            return frame("Home", (Span("none", Role.MUTED),), rows, width, glyphs)
        case HomeState.LOCKED:
            rows = prose("It is encrypted: open it to see its room.", None, width)
            return frame("Home", (Span("locked", Role.STRONG),), rows, width, glyphs)
        case HomeState.UNMOUNTED:
            extra = ["not mounted"]
        case HomeState.UNREADABLE:
            extra = ["unreadable"]
        case _:
            extra = []
    gauge = _Usage("Home", part.usage, part.unknown, extra)
    return _usage(gauge, seen, width, glyphs)


def host(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """The stick's own file system: room for the overlay to grow into."""
    name = "Stick"
    if seen is None or seen.system is None:
        return frame(name, (), [], width, glyphs)
    part = seen.system.host
    filesystem = seen.system.target.filesystem or ""
    usage = part.usage
    if usage.free_bytes is None:
        gauge = _Usage(name, usage, part.unknown, [filesystem])
    else:
        free = f"{amount(usage.free_bytes)} free"
        gauge = _Usage(name, usage, part.unknown, [filesystem], free)
    return _usage(gauge, seen, width, glyphs)


@dataclass(frozen=True, slots=True)
class _Usage:
    """A gauge of a file system: `figures` in place of used and total, `extra` where it fits."""

    name: str
    usage: Usage
    unknown: str | None
    extra: list[str]
    figures: str = ""


def _usage(gauge: _Usage, seen: Observation, width: int, glyphs: Glyphs) -> list[Line]:
    usage = gauge.usage
    fraction = usage.fraction
    if fraction is None:
        rows = prose("", gauge.unknown or _NOT_KNOWN, width)
        return frame(gauge.name, (Span("unknown", Role.MUTED),), rows, width, glyphs)
    text = gauge.figures or f"{size(usage.used_bytes or 0)} of {size(usage.total_bytes or 0)}"
    parts = [text, *(part for part in gauge.extra if part)]
    rows = [
        bar(fraction, width - 4, Role.FILL_OLD if seen.old else Role.FILL, glyphs),
        (Span(spread(parts, width - 4), text_role(seen)),),
    ]
    status = (Span(percent(fraction), text_role(seen) if seen.old else Role.STRONG),)
    return frame(gauge.name, status, rows, width, glyphs)


def text_role(seen: Observation) -> Role:
    """The role of figures, which may be old."""
    return Role.MUTED if seen.old else Role.TEXT


def prose(text: str, reason: str | None, width: int) -> list[Line]:
    """A sentence and a reason where figures would be.

    A reason that has no room here stands among the findings.
    """
    rows = wrap(f"{text} {reason or ''}", width - 4)
    if len(rows) > ROWS - 2:
        rows = wrap(f"{text} {_SEE_BELOW}", width - 4)
    return [(Span(row),) for row in rows]


def frame(
    name: str,
    status: Line,
    lines: list[Line],
    width: int,
    glyphs: Glyphs,
    rows: int = ROWS,
    *,
    foot: Line = (),
) -> list[Line]:
    """A gauge of `rows` lines, with a name at its left and a status at its right."""
    padded = [*lines, *([()] * (rows - 2 - len(lines)))]
    return box(name, status, padded, width, glyphs, foot=foot)
