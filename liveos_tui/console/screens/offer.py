"""What is asked when an interrupted job is found."""

from liveos_tui.console.lines import Brush, Line
from liveos_tui.console.screens.dialog import Dialog
from liveos_tui.console.views import questions
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.workshop import Job, Workshop

LATER = ("later", "Decide later")


class Offer(Dialog):
    """Go on, go back, leave it as it is, or decide later: the harmless one has the focus."""

    _escape_word = "Decide later"

    def __init__(self, brush: Brush, workshop: Workshop, job: Job) -> None:
        buttons = [LATER]
        if job.can_resume:
            buttons.append(("resume", "Go on"))
        if job.can_roll_back:
            buttons.append(("roll_back", "Go back"))
        buttons.append(("leave", "Leave it"))
        super().__init__(brush, workshop, job.plan.title, "An interrupted job", buttons)
        self._job = job

    def body(self, width: int) -> list[Line]:
        """What it was, how far it came, what the buttons do."""
        return questions.interrupted(self._job, width)

    def pressed(self, key: str) -> None:
        """Have it done, then show it."""
        job = self._job
        target = self.console.target_of(job)
        match key:
            case "resume":
                self.ask("Going on", lambda: self.workshop.resume(job.id, target), self._show)
            case "roll_back":
                self.ask("Going back", lambda: self.workshop.roll_back(job.id, target), self._show)
            case _:
                self.ask("Leaving it", lambda: self.workshop.leave(job.id, target), self._left)

    def _left(self, _nothing: None) -> None:
        if self.is_active:
            self.dismiss()

    def _show(self, job_id: str) -> None:
        if self.is_active:
            self.console.show_started(self._job, job_id)

    def refused(self, error: LiveosError) -> None:
        """Say why; the other ways are still open."""
        self.complain(f"{error.message} {error.hint}".strip())
