"""The Help screen."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.views import bars
from liveos_tui.console.views.help import page
from liveos_tui.console.views.phases import READABLE
from liveos_tui.console.widgets.listing import Page
from liveos_tui.console.widgets.painted import Painted


class Help(ConsoleScreen):
    """Words, keys and colours, scrolled with the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,enter", "app.back", show=False)
    ]

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        glyphs = self.brush.glyphs
        yield Painted(
            self.brush,
            lambda width, _: [bars.title(("Help",), (), self.now, width, glyphs)],
            id="title",
        )
        yield Page(self.brush, lambda width: page(min(width, READABLE)))
        yield self.bottom

    def hints(self) -> Sequence[bars.Key]:
        """How to read on and how to leave."""
        return [("Up Down", "Read on"), ("Esc", "Back"), ("F3", "Redraw"), ("q", "Quit")]
