"""A field of one line that is typed into."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.geometry import Offset
from textual.message import Message

from liveos_tui.console.lines import Brush, Line, Span, clip
from liveos_tui.console.theme import Role
from liveos_tui.console.widgets.focusable import Focusable

# Longer than any name that is asked for.
_LONGEST = 200


class Field(Focusable):
    """A caption and what was typed after it; `value` is the text.

    Only printable characters get in. While it has the focus, letters are text and not keys.
    """

    class Submitted(Message):
        """Enter was pressed."""

    class Changed(Message):
        """Another text stands in it."""

    def __init__(
        self,
        brush: Brush,
        caption: str,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(brush, id=id)
        self._caption = caption
        self.value = value
        self._at = len(value)
        self._start = 0

    def put(self, value: str) -> None:
        """Replace the text."""
        self.value, self._at = value, len(value)
        self.paint()

    @property
    def cursor(self) -> Offset:
        """Where the next character goes."""
        return Offset(cell_len(self._caption) + 3 + cell_len(self.value[self._start : self._at]), 0)

    def view(self, width: int, _height: int) -> Sequence[Line]:
        """The caption, the end of the text where it is too long, and the room that is left."""
        room = max(1, width - cell_len(self._caption) - 5)
        self._start = min(self._start, self._at)
        while cell_len(self.value[self._start : self._at]) >= room:
            self._start += 1
        shown = clip(self.value[self._start :], room, "")
        marker = self.brush.glyphs.marker if self.has_focus else " "
        filled = shown + "_" * (room - cell_len(shown))
        caption = Span(f"{self._caption} {marker} ")
        if not self.has_focus:
            return [(caption, Span(filled, Role.FIELD))]
        here = self._at - self._start
        return [
            (
                caption,
                Span(filled[:here], Role.SELECTED),
                Span(filled[here : here + 1], Role.CARET),
                Span(filled[here + 1 :], Role.SELECTED),
            )
        ]

    def on_key(self, event: events.Key) -> None:
        """Take what is typed; leave alone what leads out of the field."""
        before = self.value
        match event.key:
            case "left":
                self._at = max(0, self._at - 1)
            case "right":
                self._at = min(len(self.value), self._at + 1)
            case "home":
                self._at = 0
            case "end":
                self._at = len(self.value)
            case "backspace":
                self._remove(self._at - 1)
            case "delete":
                self._remove(self._at)
            case "ctrl+u":
                self.value, self._at = "", 0
            case "enter":
                self.post_message(self.Submitted())
            case _:
                if not event.is_printable or event.character is None:
                    return
                self._insert(event.character)
        event.stop()
        event.prevent_default()
        self.paint()
        if self.value != before:
            self.post_message(self.Changed())

    def on_paste(self, event: events.Paste) -> None:
        """Take the printable part of the first line."""
        event.stop()
        self._insert("".join(filter(str.isprintable, event.text.split("\n", 1)[0])))
        self.paint()
        self.post_message(self.Changed())

    def _insert(self, text: str) -> None:
        text = text[: _LONGEST - len(self.value)]
        self.value = self.value[: self._at] + text + self.value[self._at :]
        self._at += len(text)

    def _remove(self, index: int) -> None:
        if 0 <= index < len(self.value):
            self.value = self.value[:index] + self.value[index + 1 :]
            self._at = index
