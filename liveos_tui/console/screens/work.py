"""The work screen: a plan before it is begun, while it is carried out, and what came of it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from liveos_tui.console.lines import Line, Span
from liveos_tui.console.screens.dialog import CANCEL
from liveos_tui.console.screens.working import Entry, WorkingScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import notes, phases, proposal, questions, results, steps
from liveos_tui.console.views.steps import LOOK, RESULT


class Work(WorkingScreen):
    """Steps at the left, the selected one at the right, below them how to undo and to leave."""

    AUTO_FOCUS = "#steps"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all_steps", show=False),
        Binding("b", "step_back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Title, steps and the selected one, notes, keys."""
        yield self.title_line()
        with Horizontal(id="work"):
            yield self.steps
            yield self.pane
        yield self.note
        yield self.bottom

    # What is shown.

    def paint(self) -> None:
        """Redraw what has changed, after making room for the notes."""
        noted = len(self.note_lines(self.app.size.width))
        self.note.styles.height = max(notes.ROWS, noted)
        super().paint()

    def steps_title(self) -> tuple[str, Line]:
        """How many steps are behind."""
        plan, log = self.conduct.plan, self.conduct.log
        if plan is None or log is None:
            return "Steps", ()
        return "Steps", (Span(f"{log.done} of {len(plan.steps)}", Role.MUTED),)

    def entries(self, width: int) -> list[Entry]:
        """The look, the steps, the result."""
        conduct = self.conduct
        return steps.entries(conduct.plan, conduct.log, self.looked, width, self.brush.glyphs)

    def pane_title(self) -> tuple[str, Line]:
        """The selected step."""
        plan, key = self.conduct.plan, self.steps.selected
        if plan is None or key in {LOOK, None}:
            return "Look at it", ()
        if key == RESULT:
            end = self.conduct.log.end if self.conduct.log else None
            return "Result", (Span(*results.JOB_WORDS[end.state]),) if end else ()
        return f"{int(key) + 1}  {plan.steps[int(key)].title}", ()

    def pane_text(self, width: int, height: int) -> list[Line]:
        """What the selected step does, is doing or has done."""
        plan, log, key = self.conduct.plan, self.conduct.log, self.steps.selected
        width = min(width, phases.READABLE)
        if plan is None or key in {LOOK, None}:
            if self.proposal is not None:
                return proposal.look(self.proposal, width)
            return proposal.about(plan, width) if plan is not None else []
        if key == RESULT and log is not None:
            job = self.job
            return results.result(
                log,
                width,
                resume=job is not None and job.can_resume,
                roll_back=job is not None and job.can_roll_back,
            )
        index = int(key)
        step = plan.steps[index]
        if log is None or log.steps[index].state is None:
            return steps.pending(step, width)
        return steps.told(
            step,
            log.steps[index],
            width,
            height,
            self.brush.glyphs,
            beat=self.beat,
            running=log.running == index and log.end is None,
        )

    def sentences(self, status: str) -> list[notes.Note]:
        """What is next, what undoing and leaving do."""
        return notes.of_steps(self.conduct.plan, self.conduct.log, status)

    # Keys.

    def action_all_steps(self) -> None:
        """Every step that is left, without a stop but for the confirmation."""
        self.advance(everything=True)

    def action_step_back(self) -> None:
        """Undo the last step of a waiting job, after a question."""
        conduct = self.conduct
        last, job_id, plan = conduct.last_done, conduct.job_id, conduct.plan
        if self.busy or last is None or job_id is None or plan is None:
            return

        def answered(key: str) -> None:
            if key != CANCEL[0]:
                conduct.stepped_back()
                self.following = True
                self.ask("Undoing", lambda: self.workshop.step_back(job_id), lambda _: None)

        step = plan.steps[last]
        self.question(
            "Back",
            lambda width: questions.step_back(step, last + 1, width),
            ("back", "Undo the step"),
            answered,
        )
