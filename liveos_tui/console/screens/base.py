"""What all screens have: a title, keys at the bottom, and values that are handed to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from liveos_tui.console.lines import Brush
from liveos_tui.console.views import bars
from liveos_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from liveos_tui.console.app import Console


class ConsoleScreen(Screen[None]):
    """A screen of the console. `paint` shows the console's present values."""

    # Rows from which there is one to spare above the keys.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (28, "-tall")]  # noqa: RUF012

    def __init__(self, brush: Brush) -> None:
        super().__init__()
        self.brush = brush
        self.bottom = Painted(brush, lambda width, _: [bars.keys(self.hints(), width)], id="keys")

    @property
    def console(self) -> "Console":
        """The application, which holds the values."""
        return cast("Console", self.app)

    @property
    def now(self) -> datetime:
        """The time of day that is shown."""
        return self.console.clock()

    def hints(self) -> Sequence[bars.Key]:
        """The keys that do something here."""
        return ()

    def paint(self) -> None:
        """Redraw what has changed."""
        for painted in self.query(Painted):
            painted.paint()

    def on_screen_resume(self) -> None:
        """Values may have changed while another screen was shown."""
        self.paint()
