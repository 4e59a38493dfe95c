"""How the new image of a merge is made: a choice before the plan is confirmed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from liveos_tui.console.lines import Brush, Line
from liveos_tui.console.screens.dialog import CANCEL, Dialog
from liveos_tui.console.views import questions
from liveos_tui.console.widgets.field import Field
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.workshop import Proposal, Wish, Workshop
from liveos_tui.plans.actions import Engine


class EngineChoice(Dialog):
    """Two buttons for two engines, and the work folder that they may need.

    `chosen` is called with the new wish and its proposal, which has a plan, after the dialog is
    closed. A choice that cannot be is told here.
    """

    AUTO_FOCUS = "#field"

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        target: str,
        wish: Wish,
        proposal: Proposal,
        chosen: Callable[[Wish, Proposal], None],
    ) -> None:
        super().__init__(
            brush,
            workshop,
            proposal.plan.title if proposal.plan is not None else "Merge",
            "How the new image is made",
            [CANCEL, (Engine.STREAM, "Stream"), (Engine.MIRROR, "Mirror")],
            caption="  Work folder:",
        )
        self._target = target
        self._wish = wish
        self._proposal = proposal
        self._chosen = chosen

    def on_mount(self) -> None:
        """The folder that was named before."""
        if self.field is not None and self._wish.work is not None:
            self.field.put(self._wish.work)

    def body(self, width: int) -> list[Line]:
        """What each engine does, and which one is planned."""
        return questions.engines(self._proposal.plan, width)

    def on_field_submitted(self, _message: Field.Submitted) -> None:
        """With room on the stick only the mirror needs a folder; without, either does."""
        self.pressed(Engine.STREAM if self._proposal.plan is None else Engine.MIRROR)

    def pressed(self, key: str) -> None:
        """Have a plan made for the choice."""
        engine = Engine(key)
        typed = self.field.value.strip() if self.field is not None else ""
        if engine is Engine.MIRROR and not typed:
            self.complain("The mirror needs a folder on another disk: type it first.")
            return
        if typed and not PurePosixPath(typed).is_absolute():
            self.complain("Write the folder from the root on, as /mnt/work.")
            return
        wish = replace(self._wish, engine=engine, work=typed or None)
        self.ask(
            "Planning",
            lambda: self.workshop.propose(self._target, wish),
            lambda proposal: self._answered(wish, proposal),
        )

    def _answered(self, wish: Wish, proposal: Proposal) -> None:
        if proposal.plan is None:
            self.complain(f"{proposal.why_not} {proposal.hint}".strip())
        elif self.is_active:
            self.dismiss()
            self._chosen(wish, proposal)

    def refused(self, error: LiveosError) -> None:
        """Say why, where the complaints stand."""
        self.complain(f"{error.message} {error.hint}".strip())
