"""A button that is pressed with Enter or the space bar."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from liveos_tui.console.lines import Brush, Line, Span, width_of
from liveos_tui.console.theme import Role
from liveos_tui.console.widgets.focusable import Focusable


class Button(Focusable):
    """One word that does something. The focused one has the marker, and another ground."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", show=False)]

    class Pressed(Message):
        """The button `key` was pressed."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, brush: Brush, key: str, label: str) -> None:
        super().__init__(brush)
        self.key = key
        self._label = label
        self.styles.width = width_of((Span(label),)) + 8

    @property
    def cursor(self) -> Offset:
        """On the marker."""
        return Offset(1, 0)

    def view(self, _width: int, _height: int) -> Sequence[Line]:
        """The word in brackets."""
        if not self.has_focus:
            return [(Span(f"   [ {self._label} ] "),)]
        return [(Span(f" {self.brush.glyphs.marker} [ {self._label} ] ", Role.SELECTED),)]

    def action_press(self) -> None:
        """Tell that it was pressed."""
        self.post_message(self.Pressed(self.key))
