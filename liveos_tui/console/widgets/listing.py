"""A list with a heading that is walked with the arrow keys."""

import sys
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from liveos_tui.console.lines import EMPTY, Brush, Line, Span, both_ends, parted, width_of
from liveos_tui.console.theme import Role
from liveos_tui.console.widgets.focusable import Focusable

Entries = Callable[[int], Sequence[tuple[str, list[Line]]]]
"""Gives the entries for a width: a key that stays the same, and its lines.

The first three cells of each entry are left to the marker.
"""

Head = Callable[[int], Sequence[Line]]
"""Gives the lines above the entries, for a width."""


class Listing(Focusable):
    """Entries of one or more lines; one is selected; as many as fit are shown around it.

    The terminal's own cursor stands on the selected entry, for braille displays and speech.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Moved(Message):
        """Another entry is selected."""

    class Chosen(Message):
        """Enter was pressed on the entry `key`."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Left(Message):
        """The arrow keys went beyond the first (-1) or the last (1) entry of `listing`."""

        def __init__(self, listing: "Listing", direction: int) -> None:
            super().__init__()
            self.listing = listing
            self.direction = direction

    unmarked = 0
    """Cells of the first three that are left out, because a frame stands there."""

    marked_cells: int | None = None
    """Cells of the selected entry that have another ground; None for all of them."""

    def __init__(
        self,
        brush: Brush,
        head: Head,
        entries: Entries,
        nothing: Head,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(brush, id=id)
        self._head = head
        self._entries = entries
        self._nothing = nothing
        self._selected: str | None = None
        self._index = 0
        self._keys: list[str] = []
        self._top = 0
        self._marker_row = 0

    @property
    def selected(self) -> str | None:
        """The key of the selected entry; None for an empty list."""
        return self._keys[self._index] if self._keys else None

    def wanted_height(self, width: int) -> int:
        """Rows that would show everything."""
        entries = self._entries(width)
        rows = sum(len(lines) for _, lines in entries) or len(self._nothing(width))
        return len(self._head(width)) + rows

    def select(self, key: str) -> None:
        """Select the entry `key`, if there is one."""
        self._selected = key
        self.paint()

    def view(self, width: int, height: int) -> Sequence[Line]:
        """The heading, and the entries around the selected one."""
        entries = self._entries(width)
        head = list(self._head(width))
        self._follow([key for key, _ in entries])
        self._marker_row = len(head)
        if not entries:
            return [*head, *self._nothing(width)]
        room = max(1, height - len(head))
        body: list[Line] = []
        first: list[int] = []
        for number, (_, lines) in enumerate(entries):
            first.append(len(body))
            body += self._marked(lines, width) if number == self._index else lines
        start, end = first[self._index], first[self._index] + len(entries[self._index][1])
        self._top = min(self._top, start)
        if end > self._top + room:
            self._top = min(start, end - room)
        self._top = max(0, min(self._top, len(body) - room))
        self._marker_row = len(head) + start - self._top
        if len(body) > room and head:
            last = max(n for n, row in enumerate(first) if row < self._top + room) + 1
            begin = max(n for n, row in enumerate(first) if row <= self._top) + 1
            note: Line = (Span(f"{begin}-{last} of {len(entries)} ", Role.MUTED),)
            head[0] = both_ends(head[0], note, width)
        return [*head, *body[self._top : self._top + room]]

    def _follow(self, keys: list[str]) -> None:
        """Keep the selection on its entry when the list changes around it."""
        if self._selected in keys:
            self._index = keys.index(self._selected)
        else:
            self._index = max(0, min(self._index, len(keys) - 1))
        self._keys = keys
        self._selected = keys[self._index] if keys else self._selected

    def _marked(self, lines: list[Line], width: int) -> list[Line]:
        if not self.has_focus or not lines:
            return lines
        room = width if self.marked_cells is None else min(width, self.marked_cells)
        start, rest = parted(lines[0], room)
        text = "".join(span.text for span in start)
        marked = f" {self.brush.glyphs.marker} "[self.unmarked :] + text[3 - self.unmarked :]
        pad = " " * max(0, room - width_of((Span(marked),)))
        return [(Span(marked + pad, Role.SELECTED), *rest), *lines[1:]]

    @property
    def cursor(self) -> Offset:
        """Beside the selected entry."""
        return Offset(1, self._marker_row)

    def focus_changed(self) -> None:
        """Enter may do something now, or nothing any more."""
        self.post_message(self.Moved())

    def action_move(self, step: int) -> None:
        """To the next or the previous entry, or out of the list."""
        index = self._index + step
        if 0 <= index < len(self._keys):
            self._go(index)
        else:
            self.post_message(self.Left(self, step))

    def action_page(self, step: int) -> None:
        """Half a screen on or back."""
        if self._keys:
            stride = max(1, self.size.height // 2)
            self._go(max(0, min(self._index + step * stride, len(self._keys) - 1)))

    def action_edge(self, index: int) -> None:
        """To the first or the last entry."""
        if self._keys:
            self._go(index % len(self._keys))

    def _go(self, index: int) -> None:
        self._selected = self._keys[index]
        self.paint()
        self.post_message(self.Moved())

    def action_choose(self) -> None:
        """Open the selected entry."""
        if self._keys:
            self.post_message(self.Chosen(self._keys[self._index]))


class Page(Focusable):
    """Text that is scrolled with the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", show=False),
        Binding("down,j", "scroll_by(1)", show=False),
        Binding("pageup,b", "turn(-1)", show=False),
        Binding("pagedown,space", "turn(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(1)", show=False),
    ]

    def __init__(
        self, brush: Brush, text: Callable[[int], list[Line]], *, at_end: bool = False
    ) -> None:
        super().__init__(brush)
        self._text = text
        # More than there is: bounded when it is drawn.
        self._top = sys.maxsize if at_end else 0

    def view(self, width: int, height: int) -> Sequence[Line]:
        """The part that fits; its last row says whether there is more."""
        lines = self._text(width)
        room = height - 1
        if len(lines) <= height:
            self._top = 0
            return lines
        self._top = max(0, min(self._top, len(lines) - room))
        shown = lines[self._top : self._top + room]
        last = self._top + len(shown)
        more = "end" if last == len(lines) else "more below"
        where = f"lines {self._top + 1}-{last} of {len(lines)}, {more}"
        return [*shown, *([EMPTY] * (room - len(shown))), (Span(f" {where}", Role.MUTED),)]

    def action_scroll_by(self, rows: int) -> None:
        """Some rows on or back."""
        self._top = max(0, self._top + rows)
        self.paint()

    def action_turn(self, pages: int) -> None:
        """A page on or back, with one row that stays."""
        self.action_scroll_by(pages * max(1, self.size.height - 2))

    def action_edge(self, end: int) -> None:
        """To the beginning or the end."""
        self._top = 0
        self.action_scroll_by(end * len(self._text(self.size.width)))
