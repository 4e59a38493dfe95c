"""Which screen is shown, and the keys that lead from one to the next."""

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from liveos_tui.console.screens.dashboard import Dashboard
from liveos_tui.console.screens.devices import Devices
from liveos_tui.console.screens.grow import Grow
from liveos_tui.console.screens.help import Help
from liveos_tui.console.screens.jobs import Jobs
from liveos_tui.console.screens.merge import Merge
from liveos_tui.console.screens.offer import Offer
from liveos_tui.console.screens.too_small import TooSmall, fits
from liveos_tui.console.screens.work import Work
from liveos_tui.console.watching import Watching
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Job, Proposal, Wish
from liveos_tui.live.model import Operation


def _screen_of(operation: Operation) -> type[Work | Merge]:
    """Phases for what runs for long after one question, steps for the rest."""
    return Merge if operation is Operation.MERGE else Work


class Navigation(Watching):
    """The screens: the dashboard below, others on top of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f10", "quit", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("f1,question_mark", "help", show=False),
        Binding("f3,ctrl+l", "redraw", show=False, priority=True),
    ]

    _fitting = False
    """Whether the size of the terminal is known."""

    def get_default_screen(self) -> Screen[None]:
        """The dashboard; without a target the devices, to choose from."""
        return Devices(self.brush) if self.observation is None else Dashboard(self.brush)

    def watch_target(self, path: str) -> None:
        """Look at `path`, which the person has chosen, and show its dashboard."""
        self.look_at(path)
        self._show(Dashboard)

    def _show(self, kind: type[Dashboard | Devices]) -> None:
        """Go to the screen of this kind: back to it if it is below, else to a new one."""
        if any(isinstance(screen, kind) for screen in self.screen_stack):
            while not isinstance(self.screen, kind):
                self.pop_screen()
        else:
            self.push_screen(kind(self.brush))

    def action_devices(self) -> None:
        """Show the devices, as they are now."""
        self._device_probe.poke()
        self._show(Devices)

    async def action_back(self) -> None:
        """To the screen before."""
        if isinstance(self.screen, TooSmall):
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif isinstance(self.screen, Devices) and self.observation is not None:
            self._show(Dashboard)

    def action_help(self) -> None:
        """Show the help."""
        if not isinstance(self.screen, TooSmall | Help):
            self.push_screen(Help(self.brush))

    def action_jobs(self) -> None:
        """Show the jobs, as they are now."""
        if self.workshop is not None:
            self.look_at_jobs()
            self.push_screen(Jobs(self.brush, self.workshop))

    def action_redraw(self) -> None:
        """Draw every cell again (the kernel may have written over them), and look again now."""
        self.screen.refresh()
        self.look_again()

    # Work.

    def begin(self, operation: Operation) -> None:
        """Show what `operation` would do to the target."""
        if self.workshop is None or self.observation is None:
            return
        target = self.observation.target
        if (job := self.at_work(operation)) is not None:
            self.show_job(job)
        elif operation is Operation.GROW:
            self.push_screen(Grow(self.brush, self.workshop, target))
        else:
            kind = _screen_of(operation)
            # Who asks for a recovery has what seems to be well checked, too.
            wish = Wish(operation, repair=operation is Operation.RECOVER)
            self.push_screen(kind(self.brush, self.workshop, target, wish=wish))

    def show_proposal(self, target: str, wish: Wish, proposal: Proposal) -> None:
        """Show what was proposed, in place of the dialog that is shown."""
        if self.workshop is not None:
            self.switch_screen(
                Work(self.brush, self.workshop, target, wish=wish, proposal=proposal)
            )

    def show_job(self, job: Job) -> None:
        """Show a job, alive or not."""
        if self.workshop is not None:
            kind = _screen_of(job.plan.operation)
            self.push_screen(kind(self.brush, self.workshop, job.plan.place.target, job=job))

    def show_started(self, job: Job, job_id: str, *, on_top: bool = False) -> None:
        """Show `job`, which goes on as `job_id`, on top of what is shown or in place of it."""
        if self.workshop is None:
            return
        going = replace(job, id=job_id, state=JobState.RUNNING, can_resume=False)
        kind = _screen_of(job.plan.operation)
        screen = kind(self.brush, self.workshop, job.plan.place.target, job=going, stale=job)
        if on_top:
            self.push_screen(screen)
        else:
            self.switch_screen(screen)

    def jobs_listed(self, result: tuple[Job, ...] | LiveosError) -> None:
        """Keep the list; an interrupted job that has not been offered yet is offered."""
        super().jobs_listed(result)
        self.offer_interrupted()

    def seen_anew(self) -> None:
        """A device says only when it is read whether a job is its own."""
        self.offer_interrupted()

    def offer_interrupted(self) -> None:
        """At the dashboard: offer the first interrupted job of this stick, once."""
        if self.workshop is None or not isinstance(self.screen, Dashboard):
            return
        for job in self.own_jobs:
            if job.state is JobState.INTERRUPTED and job.id not in self.offered:
                self.offered.add(job.id)
                self.push_screen(Offer(self.brush, self.workshop, job))
                return

    # The size.

    def on_resize(self, event: events.Resize) -> None:
        """Show the one sentence while there is no room for more."""
        if self._fitting:
            self.fit(event.size.width, event.size.height)

    def fit(self, width: int, height: int) -> None:
        """Show the one sentence, or take it away, for this size."""
        self._fitting = True
        small = isinstance(self.screen, TooSmall)
        if fits(width, height) and small:
            self.pop_screen()
        elif not fits(width, height) and not small:
            self.push_screen(TooSmall(self.brush))
