"""Lists and texts in a frame."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Offset

from liveos_tui.console.drawing import box
from liveos_tui.console.lines import Brush, Line, Span
from liveos_tui.console.theme import Role
from liveos_tui.console.widgets.focusable import Focusable
from liveos_tui.console.widgets.listing import Entries, Listing
from liveos_tui.console.widgets.painted import Painted

Title = Callable[[], tuple[str, Line]]
"""Gives the title of a frame and the status at its right."""


class FramedListing(Listing):
    """A list without a heading, in a frame. The first two cells are left to the marker."""

    unmarked = 1

    def __init__(
        self,
        brush: Brush,
        title: Title,
        entries: Entries,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(brush, lambda _: (), entries, lambda _: (), id=id)
        self._title = title

    @property
    def cursor(self) -> Offset:
        """Beside the selected entry, inside the frame."""
        return super().cursor + Offset(1, 1)

    def view(self, width: int, height: int) -> Sequence[Line]:
        """The frame around as many entries as fit."""
        room = height - 2
        rows = list(super().view(width - 4, room))
        title, status = self._title()
        return box(title, status, rows + [()] * (room - len(rows)), width, self.brush.glyphs)


class Pane(Painted):
    """Text in a frame; what does not fit is reached with `turn`.

    `text` gives the lines for a width and a height. The frame says where there is more.
    """

    def __init__(
        self,
        brush: Brush,
        title: Title,
        text: Callable[[int, int], list[Line]],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(brush, id=id)
        self._title = title
        self._text = text
        self._top = 0

    def wanted_height(self, width: int) -> int:
        """Rows that would show everything."""
        return len(self._text(width - 4, 0)) + 2

    def turn(self, direction: int) -> None:
        """A page on (1) or back (-1), with one row that stays."""
        self.scroll_rows(direction * max(1, self.size.height - 3))

    def scroll_rows(self, rows: int) -> None:
        """Some rows on or back."""
        self._top = max(0, self._top + rows)
        self.paint()

    def to_top(self) -> None:
        """To the beginning."""
        self._top = 0

    def view(self, width: int, height: int) -> Sequence[Line]:
        """The frame around the part that fits."""
        room = height - 2
        lines = self._text(width - 4, room)
        self._top = max(0, min(self._top, len(lines) - room))
        shown = lines[self._top : self._top + room]
        title, status = self._title()
        foot = self._foot(self._top > 0, self._top + room < len(lines))
        rows = shown + [()] * (room - len(shown))
        return box(title, status, rows, width, self.brush.glyphs, foot=foot)

    @staticmethod
    def _foot(above: bool, below: bool) -> Line:
        words = [word for word, there in (("PgUp", above), ("PgDn", below)) if there]
        return (Span("more: " + " ".join(words), Role.MUTED),) if words else ()


class ReadingPane(Pane, Focusable, can_focus=True):
    """Text in a frame that has the keyboard at times: the arrow keys go on by one row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", show=False),
        Binding("down", "scroll_rows(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(1)", show=False),
    ]

    @property
    def cursor(self) -> Offset:
        """On the first letter inside the frame."""
        return Offset(2, 1)

    def action_scroll_rows(self, rows: int) -> None:
        """Some rows on or back."""
        self.scroll_rows(rows)

    def action_edge(self, end: int) -> None:
        """To the beginning or the end."""
        self.to_top()
        self.scroll_rows(end * self.wanted_height(self.size.width))
