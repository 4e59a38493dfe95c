"""The log: everything that the steps of a job have printed."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveos_tui.console.joblog import JobLog
from liveos_tui.console.lines import Brush
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.views import bars
from liveos_tui.console.views.steps import transcript
from liveos_tui.console.widgets.listing import Page
from liveos_tui.console.widgets.painted import Painted


class Log(ConsoleScreen):
    """Opened at its end; what comes is added below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,l,enter", "app.back", show=False)]

    def __init__(self, brush: Brush, log: Callable[[], JobLog]) -> None:
        super().__init__(brush)
        self._log = log

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        glyphs = self.brush.glyphs
        yield Painted(
            self.brush,
            lambda width, _: [
                bars.title((self._log().plan.title,), ("Log",), self.now, width, glyphs)
            ],
            id="title",
        )
        yield Page(
            self.brush, lambda width: transcript(self._log().plan, self._log(), width), at_end=True
        )
        yield self.bottom

    def hints(self) -> Sequence[bars.Key]:
        """How to read on and how to leave."""
        return [("Up Down", "Read on"), ("Esc", "Back"), ("F3", "Redraw"), ("q", "Quit")]
