"""By how much the overlay is to grow: a proposal that can be changed."""

from liveos_tui.console import amount
from liveos_tui.console.lines import Brush, Line
from liveos_tui.console.screens.dialog import CANCEL, Dialog
from liveos_tui.console.views import proposal as proposals
from liveos_tui.console.views import questions
from liveos_tui.console.widgets.field import Field
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.workshop import Proposal, Wish, Workshop
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import GrowFile
from liveos_tui.plans.model import Plan


class Grow(Dialog):
    """Asks the workshop for a proposal, then again for what the person makes of it."""

    AUTO_FOCUS = "#field"

    def __init__(self, brush: Brush, workshop: Workshop, target: str) -> None:
        super().__init__(
            brush,
            workshop,
            "Grow the overlay",
            "By how much",
            [CANCEL, ("plan", "Show the plan")],
            caption="  Grow by:",
        )
        self._target = target
        self._proposal: Proposal | None = None
        self._proposed = ""

    def on_mount(self) -> None:
        """Ask for a proposal."""
        wish = Wish(Operation.GROW)
        words = f"Looking at {self._target}"
        self.ask(words, lambda: self.workshop.propose(self._target, wish), self._prefill)

    def body(self, width: int) -> list[Line]:
        """The stick and its room; or why it cannot grow."""
        if self._proposal is None:
            return []
        if self._proposal.plan is None:
            return proposals.look(self._proposal, width)
        return questions.growth(self._proposal.plan, width)

    def _prefill(self, proposal: Proposal) -> None:
        self._proposal = proposal
        if proposal.plan is None:
            self.complaint = ""
        elif self.field is not None and not self.field.value:
            self._proposed = amount.text_of(_growth(proposal.plan))
            self.field.put(self._proposed)

    def on_field_submitted(self, _message: Field.Submitted) -> None:
        """Enter in the field presses the button."""
        self.pressed("plan")

    def pressed(self, _key: str) -> None:
        """Have a plan made for the amount."""
        if self.field is None or self.busy or self._proposal is None or self._proposal.plan is None:
            return
        typed = self.field.value
        if typed == self._proposed:
            self._show(Wish(Operation.GROW), self._proposal)
            return
        number = amount.parse(typed)
        if number is None:
            self.complain(f"That is no amount: write it as {amount.EXAMPLES}.")
            return
        wish = Wish(Operation.GROW, grow_bytes=number)
        words = f"Planning {typed.strip()}"
        self.ask(
            words,
            lambda: self.workshop.propose(self._target, wish),
            lambda proposal: self._show(wish, proposal),
        )

    def _show(self, wish: Wish, proposal: Proposal) -> None:
        if proposal.plan is None:
            self.complain(f"{proposal.why_not} {proposal.hint}".strip())
        elif self.is_active:
            self.console.show_proposal(self._target, wish, proposal)

    def refused(self, error: LiveosError) -> None:
        """Say why, where the complaints stand."""
        self.complain(f"{error.message} {error.hint}".strip())


def _growth(plan: Plan) -> int:
    return sum(
        step.action.to_bytes - step.action.from_bytes
        for step in plan.steps
        if isinstance(step.action, GrowFile)
    )
