"""The Jobs screen: everything that was begun here or on the stick, alive or not."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveos_tui.console.drawing import box
from liveos_tui.console.lines import EMPTY, Brush, Line, Span
from liveos_tui.console.screens.asking import AskingScreen
from liveos_tui.console.screens.confirm import Confirm
from liveos_tui.console.screens.dialog import CANCEL, Choice
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars, jobs, questions
from liveos_tui.console.widgets.listing import Listing
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.folder import ALIVE
from liveos_tui.jobs.workshop import Job, Workshop

_SENTENCE = "A job goes on whether or not this console is open."


class Jobs(AskingScreen):
    """A table of jobs, and all that is known of the selected one."""

    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,j", "app.back", show=False),
        Binding("c", "cancel", show=False),
        Binding("r", "resume", show=False),
        Binding("u", "roll_back", show=False),
        Binding("f", "forget", show=False),
        Binding("L", "leave", show=False),
    ]

    def __init__(self, brush: Brush, workshop: Workshop) -> None:
        super().__init__(brush, workshop)
        self._said = ""
        self.table = Listing(
            brush, lambda width: [jobs.header(width)], self._rows, self._nothing, id="table"
        )

    def compose(self) -> ComposeResult:
        """Title, a sentence, the table, the details, the keys."""
        brush, glyphs = self.brush, self.brush.glyphs
        yield Painted(
            brush,
            lambda width, _: [bars.title(("Jobs",), (), self.now, width, glyphs)],
            id="title",
        )
        yield Painted(brush, self._sentence, id="sentence")
        yield self.table
        details = Painted(brush, self._details, id="job")
        details.styles.height = jobs.DETAIL_ROWS + 2
        yield details
        yield self.bottom

    @property
    def selected(self) -> Job | None:
        """The job that keys are about."""
        return next((job for job in self.console.jobs if job.id == self.table.selected), None)

    def _sentence(self, width: int, _height: int) -> Sequence[Line]:
        if text := self.waiting_words or self._said:
            return [EMPTY, *bars.notice(text, width, self.brush.glyphs)]
        return [EMPTY, (Span(f" {_SENTENCE}", Role.MUTED),)]

    def _rows(self, width: int) -> Sequence[tuple[str, list[Line]]]:
        now, glyphs = self.now, self.brush.glyphs
        # Those of the stick that is looked at come first; each group has its newest on top.
        listed = {job.id: job for job in (*self.console.own_jobs, *self.console.jobs)}
        return [(each, [jobs.row(job, now, width, glyphs)]) for each, job in listed.items()]

    def _nothing(self, _width: int) -> list[Line]:
        return jobs.nothing(self.console.jobs_known, self.brush.glyphs)

    def _details(self, width: int, _height: int) -> Sequence[Line]:
        job, glyphs = self.selected, self.brush.glyphs
        rows = jobs.details(job, width - 4, glyphs)
        rows += [EMPTY] * (jobs.DETAIL_ROWS - len(rows))
        return box("Details", (), rows, width, glyphs)

    def hints(self) -> Sequence[bars.Key]:
        """What can be done with the selected job."""
        hints = []
        if job := self.selected:
            possible = {
                ("Enter", "Open"): True,
                ("c", "Cancel"): job.state in ALIVE,
                ("r", "Go on"): job.can_resume,
                ("u", "Go back"): job.can_roll_back,
                ("f", "Forget"): job.can_be_forgotten,
                ("L", "Leave it"): job.can_resume,
            }
            hints = [hint for hint, can in possible.items() if can]
        return [*hints, ("Esc", "Back"), ("F1", "Help"), ("F3", "Redraw"), ("q", "Quit")]

    def on_listing_moved(self, _message: Listing.Moved) -> None:
        """Show what is known of the other job."""
        self._said = ""
        self.paint()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Show the job."""
        for job in self.console.jobs:
            if job.id == message.key:
                self.console.show_job(job)
                return
        self._tell("This job is not listed any more.")

    def _selected_if(self, key: str, can: Callable[[Job], bool]) -> Job | None:
        """The selected job, where `key` does something to it; else it is told why not."""
        job = self.selected
        if job is None or can(job):
            return job
        self._tell(jobs.why_not(key, job, in_list=True))
        return None

    def _tell(self, text: str) -> None:
        self._said = text
        self.paint()

    def action_cancel(self) -> None:
        """Have a live job end."""
        if job := self._selected_if("c", lambda job: job.state in ALIVE):
            self._do("Cancelling", lambda: self.workshop.cancel(job.id))

    def action_leave(self) -> None:
        """Leave a job as it is: it is not offered again."""
        if job := self._selected_if("L", lambda job: job.can_resume):
            target = self.console.target_of(job)
            self._do("Leaving it", lambda: self.workshop.leave(job.id, target))

    def action_resume(self) -> None:
        """Go on with a job after a question, and show it."""
        job = self._selected_if("r", lambda job: job.can_resume)
        if job is None:
            return
        target = self.console.target_of(job)

        def confirmed() -> None:
            self.ask(
                "Going on",
                lambda: self.workshop.resume(job.id, target),
                lambda job_id: self._show(job, job_id),
            )

        self.app.push_screen(Confirm(self.brush, self.workshop, questions.going_on(job), confirmed))

    def action_roll_back(self) -> None:
        """Undo a job, after a question."""
        job = self._selected_if("u", lambda job: job.can_roll_back)
        if job is None:
            return
        target = self.console.target_of(job)

        def answered(key: str) -> None:
            if key != CANCEL[0]:
                self.ask(
                    "Going back",
                    lambda: self.workshop.roll_back(job.id, target),
                    lambda job_id: self._show(job, job_id),
                )

        self.app.push_screen(
            Choice(
                self.brush,
                self.workshop,
                job.plan.title,
                "Go back",
                lambda width: questions.roll_back(job.plan, width, job.id),
                [CANCEL, ("back", "Undo it all")],
                answered,
            )
        )

    def action_forget(self) -> None:
        """Give up the way back of a job that has ended, after the stick's name was typed."""
        job = self._selected_if("f", lambda job: job.can_be_forgotten)
        if job is None:
            return
        target = self.console.target_of(job)

        def told(freed: str) -> None:
            self._said = freed

        def confirmed() -> None:
            words = "Removing what it kept"
            self.ask(words, lambda: self.workshop.forget(job.id, target), told)

        question = questions.forgetting(job)
        self.app.push_screen(Confirm(self.brush, self.workshop, question, confirmed))

    def _do(self, words: str, call: Callable[[], None]) -> None:
        def done(_nothing: None) -> None:
            self._said = ""

        self.ask(words, call, done)

    def _show(self, job: Job, job_id: str) -> None:
        if self.is_active:
            self.console.show_started(job, job_id, on_top=True)

    def refused(self, error: LiveosError) -> None:
        """Say why."""
        self._said = f"{error.message} {error.hint}".strip()
