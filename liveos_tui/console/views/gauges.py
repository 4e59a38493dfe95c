"""The four gauges: overlay, root file system, home, stick."""

from dataclasses import dataclass

from liveos_tui.console.drawing import bar, box, chart, columns, scale
from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Line, Span, spread, wrap_at_most
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import (
    FILL_ROLES,
    duration,
    layout_words,
    percent,
    rate,
    size,
    state_word,
)
from liveos_tui.live.model import HomeState, Overlay, OverlayKind, OverlayState, Usage

ROWS = 4
"""Lines of every gauge: a frame, a bar, the figures."""

_SPARKLINE = 18
# One point is no history: an overlay that is not in use has none.
_LEAST_HISTORY = 2
_NOT_KNOWN = "not known"


def overlay(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """The overlay: state, fill, how fast it fills, when it is full."""
    system = seen.system if seen else None
    if seen is None or system is None:
        return _frame("Overlay", (), [], width, glyphs)
    part = system.overlay
    word, role = state_word(part.state)
    status: list[Span] = [Span(word, role if not seen.old else Role.MUTED)]
    rows: list[Line] = []
    if part.state is OverlayState.NONE:
        rows = _prose("There is no overlay: changes are not kept.", part.unknown, width, glyphs)
    elif part.fraction is None:
        rows = _prose("How full it is, is unknown.", part.unknown, width, glyphs)
    else:
        status.append(Span(f" {percent(part.fraction)}", Role.STRONG))
        fill = Role.FILL_OLD if seen.old else FILL_ROLES.get(role, Role.FILL)
        rows = [
            _bar_with_history(seen, part, fill, width - 4, glyphs),
            (Span(spread(_overlay_figures(part), width - 4), _text_role(seen)),),
        ]
    if seen.old:
        status.insert(0, Span("old: ", Role.MUTED))
    words = layout_words(system.layout, part)
    return _frame(f"Overlay {glyphs.separator} {words}", tuple(status), rows, width, glyphs)


def _overlay_figures(part: Overlay) -> list[str]:
    """What there is to say of an overlay whose fill is known, the most important first."""
    used, total = part.used_bytes or 0, part.total_bytes or 0
    figures = [f"{size(used)} of {size(total)}"]
    if part.seconds_until_full is not None:
        left = f"full in {duration(part.seconds_until_full)}"
        figures += [f"{size(part.left_bytes)} left", left]
    else:
        figures.append(f"{size(part.left_bytes)} left")
    if part.rate_bytes_per_second is not None:
        figures.insert(2, rate(part.rate_bytes_per_second))
    elif part.in_use:
        figures.append("rate not known yet")
    if not part.in_use:
        figures.append("not in use")
    if part.read_only:
        figures.append("read-only")
    if part.kind is OverlayKind.TEMPORARY:
        figures.append("in memory")
    return figures


def _bar_with_history(
    seen: Observation, part: Overlay, fill: Role, width: int, glyphs: Glyphs
) -> Line:
    """The bar; where cells have eighths, the history stands at its right if there is one."""
    fraction = part.fraction or 0.0
    if len(glyphs.upward) == 1:
        return bar(fraction, width, fill, glyphs)
    values = columns(seen.history, _SPARKLINE)
    if len(values) < _LEAST_HISTORY:
        return bar(fraction, width, fill, glyphs)
    spark = chart(values, scale(values, part.total_bytes), 1, glyphs)[0]
    room = width - _SPARKLINE - 2
    return (
        *bar(fraction, room, fill, glyphs),
        Span("  " + spark.rjust(_SPARKLINE), Role.MUTED if seen.old else Role.HISTORY),
    )


def root(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """The file system inside base and overlay: it can be full while the overlay is not."""
    if seen is None or seen.system is None:
        return _frame("Root", (), [], width, glyphs)
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
        return _frame("Home", (), [], width, glyphs)
    part = seen.system.home
    match part.state:
        case HomeState.NONE:
            rows: list[Line] = [(Span("no home.img", Role.MUTED),)]
            return _frame("Home", (Span("none", Role.MUTED),), rows, width, glyphs)
        case HomeState.LOCKED:
            rows = _prose("Encrypted: its room shows once it is open.", part.unknown, width, glyphs)
            return _frame("Home", (Span("locked", Role.STRONG),), rows, width, glyphs)
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
        return _frame(name, (), [], width, glyphs)
    part = seen.system.host
    filesystem = seen.system.target.filesystem or ""
    usage = part.usage
    if usage.free_bytes is None:
        gauge = _Usage(name, usage, part.unknown, [filesystem])
    else:
        free = f"{size(usage.free_bytes)} free"
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
        rows = _prose("", gauge.unknown or _NOT_KNOWN, width, glyphs)
        return _frame(gauge.name, (Span("unknown", Role.MUTED),), rows, width, glyphs)
    text = gauge.figures or f"{size(usage.used_bytes or 0)} of {size(usage.total_bytes or 0)}"
    parts = [text, *(part for part in gauge.extra if part)]
    rows = [
        bar(fraction, width - 4, Role.FILL_OLD if seen.old else Role.FILL, glyphs),
        (Span(spread(parts, width - 4), _text_role(seen)),),
    ]
    status = (Span(percent(fraction), _text_role(seen) if seen.old else Role.STRONG),)
    return _frame(gauge.name, status, rows, width, glyphs)


def _text_role(seen: Observation) -> Role:
    return Role.MUTED if seen.old else Role.TEXT


def _prose(text: str, reason: str | None, width: int, glyphs: Glyphs) -> list[Line]:
    """A sentence and a reason where figures would be."""
    words = " ".join(part for part in (text, reason) if part)
    return [(Span(row),) for row in wrap_at_most(words, width - 4, ROWS - 2, glyphs.dots)]


def _frame(name: str, status: Line, rows: list[Line], width: int, glyphs: Glyphs) -> list[Line]:
    padded = [*rows, *([()] * (ROWS - 2 - len(rows)))]
    return box(name, status, padded, width, glyphs)
