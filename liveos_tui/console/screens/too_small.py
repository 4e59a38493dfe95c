"""What is shown while the terminal is too small for the other screens."""

from collections.abc import Sequence

from textual.app import ComposeResult

from liveos_tui.console.lines import Line, Span, wrap
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.widgets.painted import Painted

WIDTH, HEIGHT = 80, 24
"""The smallest terminal, in cells."""


def fits(width: int, height: int) -> bool:
    """Whether the screens have room."""
    return width >= WIDTH and height >= HEIGHT


class TooSmall(ConsoleScreen):
    """One sentence; it goes by itself when there is room again."""

    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        """The sentence."""
        yield Painted(self.brush, self._sentence, id="too-small")

    def _sentence(self, width: int, height: int) -> Sequence[Line]:
        text = (
            f"This terminal has {width}x{height} cells, the console needs {WIDTH}x{HEIGHT}: "
            "make it larger, or press q to quit."
        )
        return [(Span(row, Role.STRONG),) for row in wrap(text, max(1, width))]
