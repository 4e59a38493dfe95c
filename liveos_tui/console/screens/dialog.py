"""Questions: some text, at times a field, and buttons, of which the first one is harmless."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from liveos_tui.console.lines import EMPTY, Brush, Line, Span, wrap_at_most
from liveos_tui.console.screens.asking import AskingScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars
from liveos_tui.console.widgets.button import Button
from liveos_tui.console.widgets.field import Field
from liveos_tui.console.widgets.framed import Pane
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.jobs.workshop import Workshop

CANCEL = ("cancel", "Cancel")

_COMPLAINT_ROWS = 6
# Title, keys, and the buttons with an empty row above and below.
_OTHER_ROWS = 5
_FIELD_ROWS = 2


class Dialog(AskingScreen):
    """The first button has the focus, and is what Esc does."""

    AUTO_FOCUS = "Button"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
        Binding("pageup", "turn(-1)", show=False),
        Binding("pagedown", "turn(1)", show=False),
    ]

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        title: str,
        heading: str,
        buttons: Sequence[tuple[str, str]],
        *,
        caption: str | None = None,
    ) -> None:
        super().__init__(brush, workshop)
        self._title = title
        self._buttons = [Button(brush, key, label) for key, label in buttons]
        self.field = None if caption is None else Field(brush, caption, id="field")
        self.complaint = ""
        """One sentence about what was typed."""
        self._typing = False
        self._complaint_line = Painted(brush, self._complaint, id="complaint")
        self._pane = Pane(
            brush, lambda: (heading, ()), lambda width, _: self.body(width), id="question"
        )

    def body(self, _width: int) -> list[Line]:
        """The text of the question."""
        return []

    def pressed(self, key: str) -> None:
        """The button `key`, which is not the first one, was pressed."""

    def compose(self) -> ComposeResult:
        """Title, text, field, complaint, buttons, keys."""
        brush, glyphs = self.brush, self.brush.glyphs
        yield Painted(
            brush,
            lambda width, _: [bars.title((self._title,), (), self.now, width, glyphs)],
            id="title",
        )
        yield self._pane
        if self.field is not None:
            yield self.field
        yield self._complaint_line
        with Horizontal(id="buttons"):
            yield from self._buttons
        yield Painted(brush, id="rest")
        yield self.bottom

    def _complaint(self, width: int, _height: int) -> Sequence[Line]:
        if self.waiting_words:
            return [(Span(f"  {self.waiting_words}", Role.STRONG),)]
        rows = wrap_at_most(self.complaint, width - 4, _COMPLAINT_ROWS, self.brush.glyphs.dots)
        return [(Span(f"  {row}", Role.WARNING),) for row in rows] or [EMPTY]

    def paint(self) -> None:
        """Redraw what has changed, after making room for the text."""
        width, height = self.app.size
        wanted = self._pane.wanted_height(width)
        room = height - _OTHER_ROWS - (_FIELD_ROWS if self.field is not None else 0)
        complaint = self._complaint(width, height)
        # While there is none its place is kept, so that nothing jumps; but not from the text.
        shown = complaint != [EMPTY] or wanted < room - len(complaint)
        self._complaint_line.display = shown
        wanted = min(wanted, room - len(complaint) - 1 if shown else room)
        for part, rows in ((self._complaint_line, len(complaint)), (self._pane, wanted)):
            if part.styles.height is None or part.styles.height.value != rows:
                part.styles.height = rows
        super().paint()

    def on_mount(self) -> None:
        """Make room for the text."""
        self.paint()

    def on_resize(self, _event: events.Resize) -> None:
        """The text wraps at other places."""
        self.call_after_refresh(self.paint)

    def hints(self) -> Sequence[bars.Key]:
        """How to choose."""
        return [("Tab", "Next"), ("Enter", "Choose"), ("Esc", self._escape_word), *self._common]

    _escape_word = "Cancel"
    _common: ClassVar[list[bars.Key]] = [("F1", "Help"), ("F3", "Redraw"), ("q", "Quit")]

    def complain(self, sentence: str) -> None:
        """Say what is wrong with what was typed, and give the field back."""
        self.complaint = sentence
        if self.field is not None:
            self.field.focus()
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """What is typed while a button has the focus is meant for the field; q still quits.

        A slow line brings a whole name and Enter at once, which are sent to the button while the
        focus is on its way to the field.
        """
        field, typed = self.field, event.character
        if field is None or typed is None or typed == "q":
            return
        if event.key == "enter" and (self._typing or field.has_focus):
            event.stop()
            field.post_message(field.Submitted())
        elif typed.isprintable() and not typed.isspace():
            event.stop()
            self._typing = True
            field.put(field.value + typed)
            field.focus()

    def on_descendant_focus(self) -> None:
        """From here on the one that has the focus gets what is typed."""
        self._typing = False

    def on_field_changed(self) -> None:
        """The complaint was about another text."""
        if self.complaint:
            self.complaint = ""
            self.paint()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        """Do what the button says, unless an answer is waited for."""
        if message.key == self._buttons[0].key:
            self.action_give_up()
        elif not self.busy:
            self.pressed(message.key)

    def action_give_up(self) -> None:
        """Close it; nothing is done."""
        self.dismiss()

    def action_turn(self, direction: int) -> None:
        """Read on or back."""
        self._pane.turn(direction)


class Choice(Dialog):
    """A question with a fixed text; `answered` is told the key of the button, once."""

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        title: str,
        heading: str,
        text: Callable[[int], list[Line]],
        buttons: Sequence[tuple[str, str]],
        answered: Callable[[str], None],
    ) -> None:
        super().__init__(brush, workshop, title, heading, buttons)
        self._text = text
        self._answered = answered
        self._escape_word = buttons[0][1]

    def body(self, width: int) -> list[Line]:
        """The text."""
        return self._text(width)

    def pressed(self, key: str) -> None:
        """Close it, then do what was chosen."""
        self.dismiss()
        self._answered(key)

    def action_give_up(self) -> None:
        """Close it; the first button may mean something all the same."""
        self.dismiss()
        self._answered(self._buttons[0].key)
