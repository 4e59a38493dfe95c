"""What the screens of a piece of work share: the plan, its job, and what is told of both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from liveos_tui.console.lines import Brush, Line
from liveos_tui.console.screens.conducting import ConductingScreen
from liveos_tui.console.theme import Role
from liveos_tui.console.views import bars, notes, proposal, questions
from liveos_tui.console.widgets.framed import FramedListing, Pane
from liveos_tui.console.widgets.listing import Listing
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.console.work import Conduct
from liveos_tui.jobs.workshop import Job, Proposal, Wish, Workshop

if TYPE_CHECKING:
    from textual.timer import Timer

# A bar for work of unknown length moves this often; a slow terminal can follow.
BEAT_SECONDS = 0.5

Entry = tuple[str, list[Line]]
"""An entry of the list of steps: its key and its lines."""


class WorkingScreen(ConductingScreen):
    """The list of steps, one of them in a pane, and notes about what leaving and undoing do.

    Shows the proposal for `wish`, which is asked for when it is not given; or `job`, alive or not,
    which was `stale` before it went on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", show=False),
        Binding("pageup", "turn(-1)", show=False, priority=True),
        Binding("pagedown", "turn(1)", show=False, priority=True),
    ]

    pane_kind: ClassVar[type[Pane]] = Pane

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
        self.target = target
        self.wish = wish
        self.proposal = proposal
        self.beat = 0
        """Counts up while something of unknown length is done."""
        self._job = job
        self._stale = stale
        self._timer: Timer | None = None
        self.steps = FramedListing(brush, self.steps_title, self.entries, id="steps")
        self.pane = self.pane_kind(brush, self.pane_title, self.pane_text, id="step")
        self.note = Painted(brush, self._note, id="note")

    def title_line(self) -> Painted:
        """The first line."""
        return Painted(self.brush, self._title, id="title")

    def on_mount(self) -> None:
        """Ask for the proposal, or listen to the job."""
        self._timer = self.set_interval(BEAT_SECONDS, self.next_beat, pause=True)
        if self._job is not None:
            self.show(self._job, self._stale)
        elif self.proposal is None and self.wish is not None:
            wish = self.wish
            words = f"Looking at {self.target}"
            self.ask(words, lambda: self.workshop.propose(self.target, wish), self.looked_at)

    def on_resize(self, _event: events.Resize) -> None:
        """Another size has other rows for everything."""
        self.call_after_refresh(self.paint)

    def on_unmount(self) -> None:
        """Stop to listen. The job goes on."""
        self.stop_listening()

    # What comes.

    @property
    def looked(self) -> bool:
        """Whether there is something to show."""
        return self.proposal is not None or self._job is not None

    def looked_at(self, answer: Proposal) -> None:
        """Show what is proposed."""
        self.proposal = answer
        self.conduct = Conduct(answer.plan)

    def paint(self) -> None:
        """Redraw what has changed; a worker that is gone ends its job."""
        job = self.job
        if job is not None and self.conduct.interrupted_as(job):
            self.follow()
        if self._timer is not None:
            moving = self.conduct.log is not None and self.conduct.log.running is not None
            stands = self.conduct.ended or self.conduct.paused
            (self._timer.resume if moving and not stands else self._timer.pause)()
        super().paint()

    def next_beat(self) -> None:
        """Show that it works."""
        self.beat += 1
        self.pane.paint()

    # What is shown.

    def steps_title(self) -> tuple[str, Line]:
        """The title of the list, and what stands at its right."""
        return "", ()

    def entries(self, _width: int) -> list[Entry]:
        """The list, as `views.steps` names its keys."""
        return []

    def pane_title(self) -> tuple[str, Line]:
        """The title of the pane, and what stands at its right."""
        return "", ()

    def pane_text(self, _width: int, _height: int) -> list[Line]:
        """What the pane shows."""
        return []

    def sentences(self, _status: str) -> list[notes.Note]:
        """What is told below; `status` is what the job is about to do."""
        return []

    def _title(self, width: int, _height: int) -> list[Line]:
        plan, glyphs = self.conduct.plan, self.brush.glyphs
        if plan is None:
            name = questions.NAMES[self.wish.operation] if self.wish else "Work"
            return [bars.title((name,), (self.target,), self.now, width, glyphs)]
        place = proposal.place_words(plan.place)
        return [bars.title((plan.title,), (place,), self.now, width, glyphs)]

    def _note(self, width: int, _height: int) -> Sequence[Line]:
        return self.note_lines(width)

    def note_lines(self, width: int) -> list[Line]:
        """The notes, or why what was asked last could not be done."""
        conduct = self.conduct
        status = self.waiting_words or notes.status(
            conduct.plan,
            conduct.log,
            conduct.next_step,
            cancelling=conduct.cancelling,
            whole=conduct.everything,
        )
        starts = self.busy and conduct.log is None
        if self.said and self.trouble is None:
            return bars.notice(self.said, width, self.brush.glyphs)
        said = [(status, Role.STRONG)] if starts else self.sentences(status)
        return notes.lines(said, self.trouble, width, self.brush.glyphs)

    def hints(self) -> Sequence[bars.Key]:
        """What can be done at this moment."""
        job = self.job if self.conduct.ended else None
        # What was asked for last is on its way: until it is known, nothing else is begun.
        hints = [] if self.busy else [*self.conduct.keys()]
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
        if self.steps.selected is None:
            # It has the focus before it has been drawn.
            return
        if self.said:
            self.said = ""
            self.paint()
        self.following = self.steps.selected == self.conduct.of_interest
        self.pane.to_top()
        self.pane.paint()

    def on_listing_chosen(self, _message: Listing.Chosen) -> None:
        """The next step, or all of them where there is nothing to decide in between."""
        self.advance(everything=self.conduct.at_once)

    def on_screen_resume(self) -> None:
        """What waited for this screen to be on top goes on."""
        self.go_on_by_itself()

    def action_turn(self, direction: int) -> None:
        """Read on or back in the pane."""
        self.pane.turn(direction)
