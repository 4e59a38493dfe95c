"""The merge screen: the plan first, then phases with bars, what the tools print, the result."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveos_tui.console.lines import Line, Span
from liveos_tui.console.screens.engine import EngineChoice
from liveos_tui.console.screens.working import Entry, WorkingScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars, notes, phases, proposal, results, steps
from liveos_tui.console.views.steps import RESULT
from liveos_tui.console.widgets.framed import Pane, ReadingPane
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Proposal, Wish

# Title and keys, and a pane that still shows some lines.
_OTHER_ROWS = 8


class Merge(WorkingScreen):
    """Before it is begun the plan has the whole screen; then the phases stand above their output.

    All phases follow one confirmation. Leaving leaves the job running.
    """

    AUTO_FOCUS = "#step"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", show=False),
        Binding("e", "engine", show=False),
        Binding("j", "jobs", show=False),
    ]

    pane_kind: ClassVar[type[Pane]] = ReadingPane

    _begun = False
    """Whether the phases were shown when room was made for them last."""

    def compose(self) -> ComposeResult:
        """Title, phases, the plan or the selected phase, notes, keys."""
        self.steps.display = False
        yield self.title_line()
        yield self.steps
        yield self.pane
        yield self.note
        yield self.bottom

    # What is shown.

    def paint(self) -> None:
        """Redraw what has changed, after making room for it."""
        self._make_room()
        super().paint()

    def _make_room(self) -> None:
        """The phases have the rows that they need, the notes too; the pane has the rest."""
        width, height = self.app.size
        conduct = self.conduct
        noted = len(self.note_lines(width))
        begun = conduct.plan is not None and conduct.log is not None
        if conduct.plan is not None:
            self.steps.marked_cells = phases.name_width(conduct.plan)
        wanted = min(self.steps.wanted_height(width) + 2, height - noted - _OTHER_ROWS)
        for part, rows in ((self.note, noted), (self.steps, wanted if begun else 0)):
            part.display = rows > 0
            part.styles.height = rows
        if begun and not self._begun:
            self.set_focus(self.steps)
        self._begun = begun

    def next_beat(self) -> None:
        """Show that it works."""
        super().next_beat()
        self.steps.paint()

    def steps_title(self) -> tuple[str, Line]:
        """How many phases are behind."""
        plan, log = self.conduct.plan, self.conduct.log
        if plan is None or log is None:
            return "Phases", ()
        return "Phases", (Span(f"{log.done} of {len(plan.steps)}", Role.MUTED),)

    def entries(self, width: int) -> list[Entry]:
        """The phases, and the result."""
        plan, log = self.conduct.plan, self.conduct.log
        if plan is None or log is None:
            return []
        return phases.entries(plan, log, width, self.brush.glyphs, beat=self.beat)

    def pane_title(self) -> tuple[str, Line]:
        """The plan, or the selected phase with its program."""
        plan, log, key = self.conduct.plan, self.conduct.log, self.steps.selected
        if plan is None or log is None or key is None:
            return ("The plan" if plan is not None else "Look at it"), ()
        if key == RESULT:
            return "Result", (Span(*results.JOB_WORDS[log.end.state]),) if log.end else ()
        told = log.steps[int(key)]
        runs = log.running == int(key) and log.end is None
        phase = told.progress.phase if told.progress is not None and runs else ""
        program = next((line.text for line in reversed(told.lines) if line.command), "")
        name = program.partition(" ")[0].rpartition("/")[2]
        words = "  ".join(filter(None, (name, phase)))
        return plan.steps[int(key)].title, (Span(words, Role.MUTED),) if words else ()

    def pane_text(self, width: int, height: int) -> list[Line]:
        """The plan; then what the selected phase prints, and what came of it; then the result."""
        plan, log, key = self.conduct.plan, self.conduct.log, self.steps.selected
        if plan is None or log is None or key is None:
            if self.proposal is not None:
                return phases.plan(self.proposal, width)
            return proposal.about(plan, width) if plan is not None else []
        if key == RESULT:
            job = self.job
            return results.result(
                log,
                min(width, phases.READABLE),
                resume=job is not None and job.can_resume,
                roll_back=job is not None and job.can_roll_back,
                forget=job is not None and job.can_be_forgotten,
            )
        index = int(key)
        step, told = plan.steps[index], log.steps[index]
        if told.state is None:
            return steps.pending(step, min(width, phases.READABLE))
        glyphs = self.brush.glyphs
        width = min(width, phases.READABLE)
        return steps.told(step, told, width, height, glyphs, beat=self.beat, running=False)

    def sentences(self, status: str) -> list[notes.Note]:
        """What undoing, cancelling and leaving do."""
        conduct = self.conduct
        # That all phases follow goes without saying.
        said = status if self.waiting_words or conduct.cancelling or conduct.paused else ""
        return notes.of_phases(conduct.plan, conduct.log, said)

    @property
    def _may_choose(self) -> bool:
        """Whether another engine may help: nothing is begun, and there is something to merge."""
        begun = self.conduct.log is not None
        return not begun and self.proposal is not None and not self.proposal.nothing_to_do

    def hints(self) -> Sequence[bars.Key]:
        """What can be done at this moment."""
        hints = list(super().hints())
        if self._may_choose and not self.busy:
            hints.insert(len(self.conduct.keys()), ("e", "Engine"))
        if self.conduct.ended:
            hints.insert(-4, ("j", "Jobs"))
        return hints

    # Keys.

    def action_go_on(self) -> None:
        """Begin, after the confirmation."""
        self.advance(everything=True)

    def action_engine(self) -> None:
        """Choose how the new image is made."""
        if self.busy or not self._may_choose or self.proposal is None or self.wish is None:
            return

        def chosen(wish: Wish, answer: Proposal) -> None:
            self.wish, self.trouble = wish, None
            self.looked_at(answer)
            self.pane.to_top()

        dialog = EngineChoice(
            self.brush, self.workshop, self.target, self.wish, self.proposal, chosen
        )
        self.app.push_screen(dialog)

    def action_jobs(self) -> None:
        """What became of it, and of others."""
        if self.conduct.ended:
            self.console.action_jobs()

    def action_roll_back(self) -> None:
        """Undo everything: at once where it was cancelled, else after a question."""
        job, log = self.job, self.conduct.log
        cancelled = log is not None and log.end is not None and log.end.state is JobState.CANCELLED
        if cancelled and job is not None and job.can_roll_back and not self.busy:
            self.roll_back(job)
        else:
            super().action_roll_back()
