"""The last question before something is written to a stick."""

from collections.abc import Callable, Sequence

from liveos_tui.console.lines import Brush, Line, harmless
from liveos_tui.console.screens.dialog import CANCEL, Dialog
from liveos_tui.console.views import questions
from liveos_tui.console.widgets.field import Field
from liveos_tui.jobs.workshop import Workshop
from liveos_tui.plans.model import Confirmation, Plan


class Confirm(Dialog):
    """A button that has to be gone to; where it cannot be undone, the stick's name typed as well.

    `said` is what the last step told: all steps at once leave no time to read it before.
    `confirmed` is called once, after the dialog is closed; `declined` when nothing is to be done.
    """

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        plan: Plan,
        said: Sequence[str],
        confirmed: Callable[[], None],
        declined: Callable[[], None],
    ) -> None:
        typed = plan.confirmation is Confirmation.LABEL
        super().__init__(
            brush,
            workshop,
            plan.title,
            "From here on the stick is written to",
            [CANCEL, ("do", questions.VERBS[plan.operation])],
            caption=f"  Type its name, {plan.place.name}:" if typed else None,
        )
        self._plan = plan
        self._said = said
        self._confirmed = confirmed
        self._declined = declined

    def body(self, width: int) -> list[Line]:
        """What came of the rehearsal, which stick, what is written, the way back."""
        return questions.confirmation(self._plan, self._said, width)

    def pressed(self, _key: str) -> None:
        """Go on, where the name is right."""
        if self.field is None or self._is_its_name(self.field.value):
            self.dismiss()
            self._confirmed()
        elif not self.field.value.strip():
            self.complain(f"Type the stick's name first: {self._plan.place.name}.")
        else:
            self.complain(f"That is not its name: it is {self._plan.place.name}. Nothing is done.")

    def on_field_submitted(self, _message: Field.Submitted) -> None:
        """Enter in the field presses the button."""
        self.pressed("do")

    def action_give_up(self) -> None:
        """Close it; nothing is written."""
        self.dismiss()
        self._declined()

    def _is_its_name(self, typed: str) -> bool:
        name = self._plan.place.name
        # Where only ASCII is shown, what is read is what can be typed.
        shown = harmless(name, self.brush.glyphs.ascii_only)
        return typed.strip() in {name.strip(), shown.strip()}
