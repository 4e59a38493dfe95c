"""The last question before something is done that is not, or not easily, undone."""

from collections.abc import Callable

from liveos_tui.console.lines import Brush, Line, harmless
from liveos_tui.console.screens.dialog import CANCEL, Dialog
from liveos_tui.console.views.questions import Question
from liveos_tui.console.widgets.field import Field
from liveos_tui.jobs.workshop import Workshop


def nothing() -> None:
    """Nobody wants to know that it was declined."""


class Confirm(Dialog):
    """A button that has to be gone to; where the question has a name, that typed as well.

    `confirmed` is called once, after the dialog is closed; `declined` when nothing is to be done.
    """

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        question: Question,
        confirmed: Callable[[], None],
        declined: Callable[[], None] = nothing,
    ) -> None:
        name = question.name
        super().__init__(
            brush,
            workshop,
            question.title,
            question.heading,
            [CANCEL, ("do", question.verb)],
            caption=None if name is None else f"  Type its name, {name}:",
        )
        self._question = question
        self._confirmed = confirmed
        self._declined = declined

    def body(self, width: int) -> list[Line]:
        """What is about to be done, to which stick, the way back."""
        return self._question.text(width)

    def pressed(self, _key: str) -> None:
        """Go on, where the name is right."""
        name = self._question.name
        if self.field is None or name is None or self._is_name(self.field.value, name):
            self.dismiss()
            self._confirmed()
        elif not self.field.value.strip():
            self.complain(f"Type the stick's name first: {name}.")
        else:
            self.complain(f"That is not its name: it is {name}. Nothing is done.")

    def on_field_submitted(self, _message: Field.Submitted) -> None:
        """Enter in the field presses the button."""
        self.pressed("do")

    def action_give_up(self) -> None:
        """Close it; nothing is done."""
        self.dismiss()
        self._declined()

    def _is_name(self, typed: str, name: str) -> bool:
        # Where only ASCII is shown, what is read is what can be typed.
        shown = harmless(name, self.brush.glyphs.ascii_only)
        return typed.strip() in {name.strip(), shown.strip()}
