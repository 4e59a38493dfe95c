"""The overlay's gauge: the larger it may be, the more it shows, the history of the fill at last."""

import itertools
from dataclasses import dataclass

from liveos_tui.console.drawing import (
    BIG_ROWS,
    SMALL_ROWS,
    bar,
    chart,
    columns,
    large,
    large_in_halves,
    scale,
)
from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import EMPTY, Line, Span, right, spread, width_of, wrap
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.views.gauges import ROWS, frame, prose, text_role
from liveos_tui.console.wording import (
    FILL_ROLES,
    amount,
    duration,
    layout_words,
    percent,
    rate,
    size,
    state_word,
)
from liveos_tui.live.model import Overlay, OverlayKind, OverlayState

_HERO_ROWS = SMALL_ROWS + 2
_LARGE_ROWS = BIG_ROWS + 3
_CHART_ROWS = 12
"""Lines of an overlay's gauge: with its percentage in large digits, in larger ones, with a chart of
its history as well."""
_HIGHEST = 30

_SPARKLINE = 18
_AXIS = 9
# Rows of a chart whose middle is told, too.
_LEAST_FOR_MEAN = 9
_LEAST_COLUMN = 18
_WIDE, _WIDE_COLUMN = 120, 25
_GAP = 3
# One point is no history: an overlay that is not in use has none.
_LEAST_HISTORY = 2
_NOW = "now"
_NO_HISTORY = "How it fills shows from the next look on."

# Digits have the colour of the bar that they stand beside.
_DIGITS = {
    Role.GOOD: Role.GOOD,
    Role.WARNING: Role.WARNING,
    Role.DANGER: Role.ILL,
}


def rows(seen: Observation | None, most: int, glyphs: Glyphs) -> int:
    """Lines that the overlay's gauge makes good use of, `most` of them at the most."""
    part = seen.system.overlay if seen and seen.system else None
    if seen is None or part is None or part.fraction is None:
        return ROWS
    if part.in_use:
        # The chart has its place before there is one: nothing jumps with the second sample.
        if most >= _CHART_ROWS:
            return min(most, _HIGHEST)
    elif most >= _LARGE_ROWS:
        return _LARGE_ROWS
    return _HERO_ROWS if most >= _HERO_ROWS and glyphs.halves else ROWS


def gauge(seen: Observation | None, width: int, glyphs: Glyphs, height: int = ROWS) -> list[Line]:
    """The overlay: state, fill, how fast it fills, when it is full; in more rows, its history."""
    system = seen.system if seen else None
    if seen is None or system is None:
        return frame("Overlay", (), [], width, glyphs, height)
    part = system.overlay
    word, role = state_word(part.state)
    role = Role.MUTED if seen.old else role
    status: list[Span] = [Span("old: ", Role.MUTED)] if seen.old else []
    status.append(Span(word, role))
    lines: list[Line] = []
    foot: Line = ()
    if part.state is OverlayState.NONE:
        lines = prose("There is no overlay: changes are not kept.", part.unknown, width)
    elif part.fraction is None:
        lines = prose("How full it is, is unknown.", part.unknown, width)
    else:
        fill = Role.FILL_OLD if seen.old else FILL_ROLES.get(role, Role.FILL)
        filled = _Filled(seen, part, part.fraction, fill, role, glyphs)
        status.append(Span(f" {percent(part.fraction)}", Role.STRONG))
        if height >= _LARGE_ROWS:
            lines = filled.large(width - 4, height - 2)
        elif height >= _HERO_ROWS and glyphs.halves:
            lines, foot = filled.hero(width - 4, glyphs.halves), filled.until_full
        else:
            lines = filled.small(width - 4)
    words = layout_words(system.layout, part)
    title = f"Overlay {glyphs.separator} {words}"
    return frame(title, tuple(status), lines, width, glyphs, height, foot=foot)


@dataclass(frozen=True, slots=True)
class _Filled:
    """An overlay whose fill is known: `fill` is the colour of its bar, `role` of its state."""

    seen: Observation
    part: Overlay
    fraction: float
    fill: Role
    role: Role
    glyphs: Glyphs

    def small(self, width: int) -> list[Line]:
        """The bar, its history at its right if there is one, the figures."""
        figures = self._figures()
        # Before what is only said of some: that it is read-only, or in memory.
        figures[3:3] = [span.text for span in self.until_full]
        return [
            self._bar_with_history(width, 1)[0],
            (Span(spread(figures, width), self._text),),
        ]

    def hero(self, width: int, halves: tuple[str, str]) -> list[Line]:
        """The percentage beside a thick bar and the figures."""
        number = large_in_halves(int(self.fraction * 100), halves, self.glyphs.full)
        beside = f"{number[0]} % "
        room = width - len(beside) - 1
        rows = self._bar_with_history(room, SMALL_ROWS - 1)
        rows.append((Span(spread(self._figures(), room), self._text),))
        signs = ["   "] * (SMALL_ROWS - 1) + [" % "]
        return [
            (Span(digits, self._digits), Span(f"{sign} ", self._digits), *row)
            for digits, sign, row in zip(number, signs, rows, strict=True)
        ]

    def large(self, width: int, height: int) -> list[Line]:
        """The percentage in large digits, when it is full; beside it bar, figures, history."""
        column = self._column(_WIDE_COLUMN if width >= _WIDE else _LEAST_COLUMN)
        left = max(_LEAST_COLUMN, *(width_of(row) for row in column)) + _GAP
        beside = self._beside(width - left - 1, height - 1)
        rows: list[Line] = [()]
        for row, more in itertools.zip_longest(column, beside, fillvalue=EMPTY):
            rows.append((Span(" "), *row, Span(" " * (left - width_of(row))), *more))
        return rows[:height]

    def _column(self, width: int) -> list[Line]:
        number = large(int(self.fraction * 100), self.glyphs)
        lines: list[Line] = [(Span(row, self._digits),) for row in number]
        lines[-1] = (*lines[-1], Span(" %", self._digits))
        for span in self.until_full:
            lines += [(), *((Span(row, span.role),) for row in wrap(span.text, width))]
        return lines

    @property
    def until_full(self) -> Line:
        """When it is full; nothing where it does not fill."""
        seconds = self.part.seconds_until_full
        return (Span(f"full in {duration(seconds)}", self.role),) if seconds is not None else ()

    def _beside(self, width: int, height: int) -> list[Line]:
        line = bar(self.fraction, width, self.fill, self.glyphs)
        figures: Line = (Span(spread(self._figures(), width), self._text),)
        if height < _CHART_ROWS - 3 or not self.part.in_use:
            return [line, line, line, (), figures]
        if len(self.seen.history) < _LEAST_HISTORY:
            return [line, line, figures, (), (Span(_NO_HISTORY, Role.MUTED),)]
        return [line, line, figures, (), *self._chart(width, height - 5), self._times(width)]

    def _chart(self, width: int, height: int) -> list[Line]:
        """The history, the present at the right; beside it highest, lowest, and mean of both."""
        values = columns(self.seen.history, width - _AXIS)
        shown = scale(values, self.part.total_bytes)
        left = width - len(values) - 1
        labels = [" " * left] * height
        labels[0] = right(size(shown.high), left)
        labels[-1] = right(size(shown.low), left)
        if height >= _LEAST_FOR_MEAN:
            labels[height // 2] = right(size((shown.low + shown.high) // 2), left)
        past = Role.MUTED if self.seen.old else Role.HISTORY
        return [
            (Span(f"{label} ", Role.MUTED), Span(row[:-1], past), Span(row[-1], self._digits))
            for label, row in zip(labels, chart(values, shown, height, self.glyphs), strict=True)
        ]

    def _times(self, width: int) -> Line:
        history = self.seen.history
        count = len(columns(history, width - _AXIS))
        words = _ago(history[-1][0] - history[0][0])
        gap = count - len(words) - len(_NOW)
        if gap < 1:
            return (Span(right(_NOW, width), Role.MUTED),)
        return (Span(right(words + " " * gap + _NOW, width), Role.MUTED),)

    @property
    def _text(self) -> Role:
        return text_role(self.seen)

    @property
    def _digits(self) -> Role:
        return Role.MUTED if self.seen.old else _DIGITS.get(self.role, Role.TEXT)

    def _figures(self) -> list[str]:
        """What there is to say, the most important first."""
        part = self.part
        used, total = part.used_bytes or 0, part.total_bytes or 0
        figures = [f"{size(used)} of {size(total)}", f"{amount(part.left_bytes)} left"]
        if part.rate_bytes_per_second is not None:
            figures.append(rate(part.rate_bytes_per_second))
        elif part.in_use:
            figures.append("rate not known yet")
        if not part.in_use:
            figures.append("not in use")
        if part.read_only:
            figures.append("read-only")
        if part.kind is OverlayKind.TEMPORARY:
            figures.append("in memory")
        return figures

    def _bar_with_history(self, width: int, height: int) -> list[Line]:
        """The bar; where cells have eighths, the history stands at its right if there is one."""
        values = columns(self.seen.history, _SPARKLINE)
        if len(self.glyphs.upward) == 1 or len(values) < _LEAST_HISTORY:
            return [bar(self.fraction, width, self.fill, self.glyphs)] * height
        spark = chart(values, scale(values, self.part.total_bytes), height, self.glyphs)
        line = bar(self.fraction, width - _SPARKLINE - 2, self.fill, self.glyphs)
        past = Role.MUTED if self.seen.old else Role.HISTORY
        return [(*line, Span("  " + row.rjust(_SPARKLINE), past)) for row in spark]


def _ago(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
