"""What the keys do to a piece of work: begin it, lead it on or back, end it, take it up again."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from liveos_tui.console.lines import Brush, Line
from liveos_tui.console.messages import Delivered
from liveos_tui.console.screens.asking import AskingScreen
from liveos_tui.console.screens.confirm import Confirm
from liveos_tui.console.screens.dialog import CANCEL, Choice
from liveos_tui.console.screens.log import Log
from liveos_tui.console.views import jobs, questions
from liveos_tui.console.work import Conduct
from liveos_tui.console.workers import FeedProbe
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import EndEvent, Event, PausedEvent, StepEvent, WaitingEvent
from liveos_tui.jobs.workshop import Job, Workshop
from liveos_tui.plans.model import Plan

_CHANGES = StepEvent | WaitingEvent | PausedEvent | EndEvent
"""What is told when a job does something else than before."""


class ConductingScreen(AskingScreen):
    """Leads one job. `following`: what is shown goes along with what happens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", show=False),
        Binding("p", "pause", show=False),
        Binding("l", "log", show=False),
        Binding("r", "resume", show=False),
        Binding("u", "roll_back", show=False),
    ]

    def __init__(self, brush: Brush, workshop: Workshop, plan: Plan | None) -> None:
        super().__init__(brush, workshop)
        self.conduct = Conduct(plan)
        self.trouble: LiveosError | None = None
        """Why what was asked last could not be done."""
        self.said = ""
        """Why a key did nothing to the job as it is."""
        self.following = True
        self._feed: FeedProbe | None = None
        self._first: Job | None = None

    def show(self, job: Job, stale: Job | None = None) -> None:
        """Listen to a job that is there already."""
        self._first = job
        self.listen(job.id, stale)

    @property
    def job(self) -> Job | None:
        """What the list of jobs says of the job."""
        for job in self.console.jobs:
            if job.id == self.conduct.job_id:
                return job
        # Not listed yet; or not any more, because it was forgotten.
        return None if self.conduct.ended and self.console.jobs_known else self._first

    def follow(self) -> None:
        """Show what happens."""

    # What comes.

    def listen(self, job_id: str, stale: Job | None = None) -> None:
        """Take in all that the job tells, from its first event."""
        self.stop_listening()
        self.trouble, self.said = None, ""
        self.following = True
        self.conduct.begun(job_id, stale)
        console = self.console

        def deliver(result: list[Event] | LiveosError) -> None:
            console.post(Delivered(lambda: self._told(feed, result)))

        feed = FeedProbe(self.workshop, job_id, deliver)
        self._feed = feed
        feed.start()
        self.follow()

    def stop_listening(self) -> None:
        """The job goes on."""
        if self._feed is not None:
            self._feed.stop()

    def _told(self, feed: FeedProbe, result: list[Event] | LiveosError) -> None:
        if feed is not self._feed or not self.is_attached:
            return
        if not isinstance(result, LiveosError):
            # What was said of a key was true of the job as it was.
            if any(isinstance(event, _CHANGES) for event in result):
                self.said = ""
            self.conduct.told(result)
            if self.conduct.ended:
                self.console.look_at_jobs()
        elif (job := self.job) is None or not self.conduct.ended_as(job):
            self.trouble = result
        self.follow()
        # The log may be on top.
        self.console.paint_all()
        self.go_on_by_itself()

    # What is asked of it.

    def advance(self, *, everything: bool) -> None:
        """Do the next step, or all of them; ask before the first one that writes."""
        conduct = self.conduct
        if conduct.ended:
            self._tell_why_not("Enter")
        if self.busy or not conduct.can_advance(everything=everything):
            return
        self.following = True
        if conduct.must_confirm(everything=everything):
            self._confirm(everything=everything)
            return
        plan, log, goal = conduct.plan, conduct.log, conduct.goal(everything=everything)
        if plan is None:
            return
        self.trouble = None
        if log is None:
            allowed = None if goal == len(plan.steps) else goal
            self.ask("Starting", lambda: self.workshop.start(plan, allowed=allowed), self.listen)
            # Said at once: what stood here before it was confirmed is not true any more.
            self.waiting_words = f"Starting {self.brush.glyphs.dots}"
            self.paint()
        elif (job_id := conduct.job_id) is not None and goal is not None:
            self.ask("Going on", lambda: self.workshop.allow(job_id, goal), lambda _: None)

    def _tell_why_not(self, key: str) -> None:
        if (job := self.job) is not None:
            self.said = jobs.why_not(key, job)
            self.paint()

    def _confirm(self, *, everything: bool) -> None:
        plan = self.conduct.plan
        if plan is None:
            return

        def confirmed() -> None:
            self.conduct.confirmed = True
            self.advance(everything=everything)

        def declined() -> None:
            self.conduct.everything = False

        said = self.conduct.log.last_words if self.conduct.log is not None else ()
        question = questions.before_writing(plan, said, self.conduct.job_id)
        self.app.push_screen(Confirm(self.brush, self.workshop, question, confirmed, declined))

    def go_on_by_itself(self) -> None:
        """All steps were asked for, and the job waits for the confirmation in between."""
        if self.conduct.everything and self.conduct.waits and self.is_active:
            self.advance(everything=True)

    def action_cancel(self) -> None:
        """Have the job end at the next point where that does no harm."""
        job_id = self.conduct.job_id
        if job_id is None or self.conduct.ended or self.conduct.cancelling or self.busy:
            return
        self.conduct.cancelling = True
        self.ask("Cancelling", lambda: self.workshop.cancel(job_id), lambda _: None)

    def action_pause(self) -> None:
        """Have the job stand still at the next point where that does no harm, or go on."""
        job_id, conduct, workshop = self.conduct.job_id, self.conduct, self.workshop
        if job_id is None or not conduct.may_pause or conduct.cancelling or self.busy:
            return
        if conduct.paused:
            self.ask("Going on", lambda: workshop.go_on(job_id), lambda _: None)
        else:
            self.ask("Pausing", lambda: workshop.pause(job_id), lambda _: None)

    def action_log(self) -> None:
        """Everything that was printed."""
        if (log := self.conduct.log) is not None:
            self.app.push_screen(Log(self.brush, lambda: self.conduct.log or log))

    def action_resume(self) -> None:
        """Go on with a job that has ended before its last step, after a question."""
        job = self.job
        if not self.conduct.ended or job is None or not job.can_resume:
            self._tell_why_not("r")
            return
        target = self.console.target_of(job)

        def confirmed() -> None:
            self.ask("Going on", lambda: self.workshop.resume(job.id, target), self._restarted)

        self.app.push_screen(Confirm(self.brush, self.workshop, questions.going_on(job), confirmed))

    def action_roll_back(self) -> None:
        """Undo everything, after a question."""
        job = self.job
        if not self.conduct.ended or job is None or not job.can_roll_back:
            self._tell_why_not("u")
            return

        def answered(key: str) -> None:
            if key != CANCEL[0]:
                self.roll_back(job)

        self.question(
            "Go back",
            lambda width: questions.roll_back(job.plan, width, job.id),
            ("back", "Undo it all"),
            answered,
        )

    def roll_back(self, job: Job) -> None:
        """Undo everything that `job` did."""
        target = self.console.target_of(job)
        self.ask("Going back", lambda: self.workshop.roll_back(job.id, target), self._restarted)

    def _restarted(self, job_id: str) -> None:
        self.listen(job_id, self.job)

    def question(
        self,
        heading: str,
        text: Callable[[int], list[Line]],
        button: tuple[str, str],
        answered: Callable[[str], None],
    ) -> None:
        """Ask before something is undone."""
        title = self.conduct.plan.title if self.conduct.plan else ""
        dialog = Choice(self.brush, self.workshop, title, heading, text, [CANCEL, button], answered)
        self.app.push_screen(dialog)

    def refused(self, error: LiveosError) -> None:
        """Say why; nothing has been begun."""
        self.trouble = error
        self.conduct.asking_failed()
