"""A block of lines that has the keyboard at times, and takes the terminal's cursor along."""

from textual import events
from textual.geometry import Offset, Region

from liveos_tui.console.widgets.painted import Painted


class Focusable(Painted, can_focus=True):
    """While it has the focus, the terminal's own cursor stands at `cursor`.

    Braille displays and speech follow that cursor.
    """

    @property
    def cursor(self) -> Offset:
        """The place of the cursor, in cells from this widget's corner."""
        return Offset(0, 0)

    def focus_changed(self) -> None:
        """Called after the focus has come or gone."""

    def paint(self) -> None:
        """Redraw what differs, and take the terminal's cursor along."""
        super().paint()
        self.place_cursor()

    def place_cursor(self) -> None:
        """Put the terminal's cursor where it belongs."""
        # A widget on a screen below keeps its focus, but the cursor belongs to the screen on top.
        if self.has_focus and self.size and self.screen.is_active:
            here = self.cursor
            place = self.region.offset + here
            if place != self.app.cursor_position:
                self.app.cursor_position = place
                # The cursor is moved at the end of a frame, so there has to be one.
                self.refresh(Region(here.x, here.y, 1, 1))

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show or hide what tells the focus."""
        # Not in `on_focus`: that is called before Textual has set `has_focus`.
        super().watch_has_focus(_has_focus)
        self.paint()
        self.focus_changed()

    def on_resize(self, _event: events.Resize) -> None:
        """The cursor's place may be another one."""
        self.call_after_refresh(self.place_cursor)
