"""The Devices screen: everything attached that is, or may be, a LiveOS stick."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveos_tui.console.drawing import box
from liveos_tui.console.lines import EMPTY, Brush, Line, Span, wrap
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars, devices
from liveos_tui.console.widgets.listing import Listing
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.live.model import AttachedDevice

_NO_TARGET = (
    "This system is no live system. Choose the stick that you want to look at: no target is ever "
    "chosen for you."
)
_CHOOSE = "Sticks that come and go are listed by themselves. Looking changes nothing."


class Devices(ConsoleScreen):
    """A table of devices, and all that is known of the selected one."""

    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d", "app.back", show=False),
        Binding("j", "app.jobs", show=False),
    ]

    def __init__(self, brush: Brush) -> None:
        super().__init__(brush)
        self.table = Listing(
            brush,
            lambda width: [devices.header(width)],
            self._rows,
            self._nothing,
            id="table",
        )
        self.details = Painted(brush, self._details, id="details")

    def compose(self) -> ComposeResult:
        """Title, a sentence, the table, the details, the keys."""
        brush, glyphs = self.brush, self.brush.glyphs
        yield Painted(
            brush,
            lambda width, _: [bars.title(("Devices",), (), self.now, width, glyphs)],
            id="title",
        )
        yield Painted(brush, self._sentence, id="sentence")
        yield self.table
        yield self.details
        yield self.bottom

    def _sentence(self, width: int, _height: int) -> Sequence[Line]:
        text = _CHOOSE if self.console.observation else _NO_TARGET
        role = Role.MUTED if self.console.observation else Role.STRONG
        return [EMPTY, *((Span(f" {row}", role),) for row in wrap(text, width - 2))]

    def _listed(self) -> tuple[AttachedDevice, ...]:
        return devices.merged(self.console.devices, self.console.observation)

    def _rows(self, width: int) -> Sequence[tuple[str, list[Line]]]:
        glyphs = self.brush.glyphs
        return [(d.path, [devices.row(d, width, glyphs, model=True)]) for d in self._listed()]

    def _nothing(self, width: int) -> list[Line]:
        rows = devices.nothing(self.console.devices, self.console.observation, self.brush.glyphs)
        return [EMPTY, *((Span(f"   {row}"),) for text in rows for row in wrap(text, width - 4))]

    def _details(self, width: int, _height: int) -> Sequence[Line]:
        glyphs = self.brush.glyphs
        chosen = next((d for d in self._listed() if d.path == self.table.selected), None)
        rows: list[Line] = devices.details(chosen, width - 4, glyphs)
        rows += [EMPTY] * (devices.DETAIL_ROWS - len(rows))
        return box(chosen.path if chosen else "Details", (), rows, width, glyphs)

    def hints(self) -> Sequence[bars.Key]:
        """Back only where there is something to go back to."""
        opens = [("Enter", "Open")] if self.table.selected else []
        back = [("Esc", "Back")] if self.console.observation else []
        jobs = [("j", "Jobs")] if self.console.workshop is not None else []
        return [*opens, *back, *jobs, ("F1", "Help"), ("F3", "Redraw"), ("q", "Quit")]

    def on_listing_moved(self, _message: Listing.Moved) -> None:
        """Show what is known of the other device."""
        self.details.paint()
        self.bottom.paint()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Look at the chosen device."""
        self.console.watch_target(message.key)
