"""A widget that is a block of lines, and redraws only those that changed.

A sample every two seconds must cost a slow terminal next to nothing, so the widget compares what it
would draw with what it has drawn, and hands Textual the rows (up to the last changed cell) that
differ. Equal lines cause no frame at all.
"""

from collections.abc import Callable, Sequence

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from liveos_tui.console.lines import EMPTY, Brush, Line, width_of

View = Callable[[int, int], Sequence[Line]]
"""Gives the lines for a width and a height in cells."""


class Painted(Widget):
    """Draws what `view` gives for its size."""

    def __init__(
        self,
        brush: Brush,
        view: View | None = None,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.brush = brush
        self._view = view
        self._lines: list[Line] = []
        self._painted_size = Size(0, 0)

    def view(self, width: int, height: int) -> Sequence[Line]:
        """The lines for this size; fewer leave the rest empty, more are not shown."""
        return self._view(width, height) if self._view else ()

    def paint(self) -> None:
        """Look at the values again and redraw what differs."""
        size = self.size
        if not size or self._painted_size != size or not self.screen.is_active:
            # Not shown, or about to be drawn anew as a whole: for Textual a change on the screen
            # below the top one is a reason to draw every cell of the top one again.
            return
        before, self._lines = self._lines, self._laid_out(size)
        changed = [
            Region(0, y, max(width_of(old), width_of(new)) or 1, 1)
            for y, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old != new
        ]
        if changed:
            self.refresh(*changed)

    def _laid_out(self, size: Size) -> list[Line]:
        self._painted_size = size
        width, height = size
        lines = list(self.view(width, height))[:height]
        return lines + [EMPTY] * (height - len(lines))

    def render_line(self, y: int) -> Strip:
        """One row, as Textual asks for it."""
        size = self.size
        if self._painted_size != size:
            self._lines = self._laid_out(size)
        return self.brush.strip(self._lines[y], size.width)
