"""The work screen: a plan before it is begun, while it is carried out, and what came of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from liveos_tui.console.lines import Brush, Line, Span
from liveos_tui.console.screens.conducting import ConductingScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars, notes, proposal, questions, results, steps
from liveos_tui.console.views.steps import LOOK, RESULT
from liveos_tui.console.widgets.framed import FramedListing, Pane
from liveos_tui.console.widgets.listing import Listing
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.console.work import Conduct
from liveos_tui.jobs.workshop import Job, Proposal, Wish, Workshop

if TYPE_CHECKING:
    from textual.timer import Timer

# A bar for work of unknown length moves this often; a slow terminal can follow.
BEAT_SECONDS = 0.5


class Work(ConductingScreen):
    """Steps at the left, the selected one at the right, below them how to undo and to leave.

    Shows the proposal for `wish`, which is asked for when it is not given; or `job`, alive or not,
    which was `stale` before it went on.
    """

    AUTO_FOCUS = "#steps"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", show=False),
        Binding("pageup", "turn(-1)", show=False, priority=True),
        Binding("pagedown", "turn(1)", show=False, priority=True),
    ]

    def __init__(
        self,
        brush: Brush,
        workshop: Workshop,
        target: str,
        *,
        wish: Wish | None = None,
        proposal: Proposal | None = None,
        job: Job | None = None,
        stale: Job | None = None,
    ) -> None:
        super().__init__(brush, workshop, job.plan if job else proposal.plan if proposal else None)
        self._target = target
        self._wish = wish
        self._proposal = proposal
        self._job = job
        self._stale = stale
        self._beat = 0
        self._timer: Timer | None = None
        glyphs = brush.glyphs
        self.steps = FramedListing(
            brush,
            self._steps_title,
            lambda width: steps.entries(
                self.conduct.plan, self.conduct.log, self._looked, width, glyphs
            ),
            id="steps",
        )
        self.pane = Pane(brush, self._pane_title, self._pane_text, id="step")

    def compose(self) -> ComposeResult:
        """Title, steps and the selected one, notes, keys."""
        yield Painted(self.brush, self._title, id="title")
        with Horizontal(id="work"):
            yield self.steps
            yield self.pane
        yield Painted(self.brush, self._note, id="note")
        yield self.bottom

    def on_mount(self) -> None:
        """Ask for the proposal, or listen to the job."""
        self._timer = self.set_interval(BEAT_SECONDS, self.next_beat, pause=True)
        if self._job is not None:
            self.show(self._job, self._stale)
        elif self._proposal is None and self._wish is not None:
            wish = self._wish
            words = f"Looking at {self._target}"
            self.ask(words, lambda: self.workshop.propose(self._target, wish), self._looked_at)

    def on_unmount(self) -> None:
        """Stop to listen. The job goes on."""
        self.stop_listening()

    # What comes.

    @property
    def _looked(self) -> bool:
        return self._proposal is not None or self._job is not None

    def _looked_at(self, answer: Proposal) -> None:
        self._proposal = answer
        self.conduct = Conduct(answer.plan)

    def paint(self) -> None:
        """Redraw what has changed; a worker that is gone ends its job."""
        job = self.job
        if job is not None and self.conduct.interrupted_as(job):
            self.follow()
        if self._timer is not None:
            moving = self.conduct.log is not None and self.conduct.log.running is not None
            (self._timer.resume if moving and not self.conduct.ended else self._timer.pause)()
        super().paint()

    def next_beat(self) -> None:
        """Show that it works."""
        self._beat += 1
        self.pane.paint()

    # What is shown.

    def _title(self, width: int, _height: int) -> list[Line]:
        plan, glyphs = self.conduct.plan, self.brush.glyphs
        if plan is None:
            name = questions.NAMES[self._wish.operation] if self._wish else "Work"
            return [bars.title((name,), (self._target,), self.now, width, glyphs)]
        place = proposal.place_words(plan.place)
        return [bars.title((plan.title,), (place,), self.now, width, glyphs)]

    def _steps_title(self) -> tuple[str, Line]:
        plan, log = self.conduct.plan, self.conduct.log
        if plan is None or log is None:
            return "Steps", ()
        return "Steps", (Span(f"{log.done} of {len(plan.steps)}", Role.MUTED),)

    def _pane_title(self) -> tuple[str, Line]:
        plan, key = self.conduct.plan, self.steps.selected
        if plan is None or key in {LOOK, None}:
            return "Look at it", ()
        if key == RESULT:
            end = self.conduct.log.end if self.conduct.log else None
            return "Result", (Span(*results.JOB_WORDS[end.state]),) if end else ()
        return f"{int(key) + 1}  {plan.steps[int(key)].title}", ()

    def _pane_text(self, width: int, height: int) -> list[Line]:
        plan, log, key = self.conduct.plan, self.conduct.log, self.steps.selected
        if plan is None or key in {LOOK, None}:
            if self._proposal is not None:
                return proposal.look(self._proposal, width)
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
            beat=self._beat,
            running=log.running == index and log.end is None,
        )

    def _note(self, width: int, _height: int) -> Sequence[Line]:
        conduct = self.conduct
        status = self.waiting_words or notes.status(
            conduct.plan,
            conduct.log,
            conduct.next_step,
            cancelling=conduct.cancelling,
            whole=conduct.everything,
        )
        return notes.lines(
            conduct.plan, conduct.log, status, self.trouble, width, self.brush.glyphs
        )

    def hints(self) -> Sequence[bars.Key]:
        """What can be done at this moment."""
        job = self.job if self.conduct.ended else None
        hints = [*self.conduct.keys()]
        if job is not None and job.can_resume:
            hints.append(("r", "Go on"))
        if job is not None and job.can_roll_back:
            hints.append(("u", "Go back"))
        if self.conduct.log is not None:
            hints.append(("l", "Log"))
        return [*hints, ("Esc", "Leave"), ("F1", "Help"), ("F3", "Redraw"), ("q", "Quit")]

    def follow(self) -> None:
        """Keep what happens in view, unless the person reads about something else."""
        if self.following and (key := self.conduct.of_interest) is not None:
            if key != self.steps.selected:
                self.pane.to_top()
            self.steps.select(key)

    def on_listing_moved(self, _message: Listing.Moved) -> None:
        """Read about another step."""
        self.following = self.steps.selected == self.conduct.of_interest
        self.pane.to_top()
        self.pane.paint()

    def on_screen_resume(self) -> None:
        """What waited for this screen to be on top goes on."""
        self.go_on_by_itself()

    # Keys.

    def on_listing_chosen(self, _message: Listing.Chosen) -> None:
        """The next step, or all of them where there is nothing to decide in between."""
        self.advance(everything=self.conduct.at_once)

    def action_turn(self, direction: int) -> None:
        """Read on or back at the right."""
        self.pane.turn(direction)
