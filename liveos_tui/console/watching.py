"""What the console knows: it starts the probes, takes what they deliver, and has it drawn."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from textual.app import App
from textual.message import Message

from liveos_tui.console.layout import style_sheet
from liveos_tui.console.lines import Brush
from liveos_tui.console.messages import Delivered, DevicesListed, TargetSampled
from liveos_tui.console.probes import DeviceProbe, History, Probe, TargetProbe
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.state import DeviceList, Observation, Trouble, TroubleKind
from liveos_tui.console.workers import MENTION_WAITING_SECONDS, JobsProbe
from liveos_tui.errors import ExitCode, LiveosError, TargetGoneError
from liveos_tui.jobs.folder import ALIVE
from liveos_tui.jobs.workshop import Job, Workshop
from liveos_tui.live.model import AttachedDevice, LiveSystem, Operation, TargetKind
from liveos_tui.live.watch import Machine
from liveos_tui.system.terminal import Look, TerminalProfile

# No answer for this long (or three samples) is told: the figures are not of this moment any more.
SILENCE_SECONDS = 10
# How late the clock's minute and a silence may be shown; each turn costs an idle console something.
TICK_SECONDS = 5


class Watching(App[int]):
    """Keeps the values that screens read: `observation`, `devices` and `jobs`."""

    def __init__(
        self,
        machine: Machine,
        target: str | None,
        terminal: TerminalProfile,
        clock: Callable[[], datetime],
        workshop: Workshop | None,
    ) -> None:
        # App.CSS is read from the class; each look has its own ground.
        self.CSS = style_sheet(terminal)  # type: ignore[misc]
        # What Textual makes of NO_COLOR is shades of grey, but for terminals of 16 colours.
        super().__init__(ansi_color=terminal.look is Look.PLAIN or not terminal.colour)
        self.animation_level = "none"
        self.clock = clock
        self.brush = Brush(terminal)
        self.workshop = workshop
        """Plans and carries out; None where nothing can be done, only looked at."""
        self.observation = Observation(target) if target is not None else None
        self.devices = DeviceList()
        self.jobs: tuple[Job, ...] = ()
        self.jobs_known = False
        self.offered: set[str] = set()
        """Interrupted jobs that the person has been asked about."""
        self.failure: LiveosError | None = None
        """Why the target that was asked for could not be opened; the console then ends."""
        self._machine = machine
        self.terminal = terminal
        self._device_probe = DeviceProbe(machine, self._devices_listed)
        self._jobs_probe = JobsProbe(workshop, target, self._jobs_listed) if workshop else None
        self._target_probe: TargetProbe | None = None
        self._former_probes: list[TargetProbe] = []
        self._asked_for = target
        self._quiet_seconds = 0
        self._shown_minute = clock().minute

    def begin_to_look(self) -> None:
        """Start the probes and the clock."""
        self._device_probe.start()
        if self._jobs_probe is not None:
            self._jobs_probe.start()
        if self._asked_for is not None:
            self._start_target_probe(self._asked_for)
        self.set_timer(MENTION_WAITING_SECONDS, self._mention_waiting)
        self.set_interval(TICK_SECONDS, self.tick)

    def look_again(self) -> None:
        """Have all probes look now."""
        for probe in self.probes():
            probe.poke()

    def look_at_jobs(self) -> None:
        """Have the jobs listed now. Any thread may ask."""
        if self._jobs_probe is not None:
            self._jobs_probe.poke()

    def leave(self, code: ExitCode) -> None:
        """End the console. No probe is waited for here, and jobs go on."""
        self.stop_probes()
        self.exit(int(code))

    # What the probes deliver. They run in threads of their own and only post messages.

    def post(self, message: Message) -> None:
        """Post `message` from any thread, at any time."""
        try:
            self.post_message(message)
        except RuntimeError:
            # The event loop has ended; nobody is left to tell.
            return

    def _target_sampled(
        self, probe: TargetProbe, result: LiveSystem | LiveosError, history: History, opened: bool
    ) -> None:
        self.post(TargetSampled(probe, result, history, opened))

    def _devices_listed(self, result: tuple[AttachedDevice, ...] | LiveosError) -> None:
        self.post(DevicesListed(result))

    def _jobs_listed(self, result: tuple[Job, ...] | LiveosError) -> None:
        self.post(Delivered(lambda: self.jobs_listed(result)))

    def on_delivered(self, message: Delivered) -> None:
        """Hand over what a screen asked for."""
        message.deliver()

    def on_target_sampled(self, message: TargetSampled) -> None:
        """Keep the new figures; or keep the old ones, and say why there are no others."""
        seen = self.observation
        if message.probe is not self._target_probe or seen is None:
            return
        self._quiet_seconds = 0
        same = message.result == seen.system and seen.trouble is None
        match message.result:
            case LiveSystem() as system:
                self.observation = replace(
                    seen, system=system, history=message.history, seen=self.clock(), trouble=None
                )
            case LiveosError() as error:
                if message.probe.target == self._asked_for and not message.opened:
                    # What was asked for on the command line: a wrong name ends there.
                    self.failure = error
                    self.leave(error.exit_code)
                    return
                gone = isinstance(error, TargetGoneError)
                kind = TroubleKind.GONE if gone else TroubleKind.ERROR
                trouble = Trouble(kind, error.message, error.hint)
                self.observation = replace(seen, trouble=trouble)
        if message.opened:
            self._asked_for = None
        if not same:
            # The history of an overlay at rest only moves with the minutes of the clock.
            self.paint_all()
            self.seen_anew()

    def seen_anew(self) -> None:
        """The target is not as it was: what waited for that goes on."""

    def on_devices_listed(self, message: DevicesListed) -> None:
        """Keep the new list; after an error, the old one."""
        match message.result:
            case LiveosError() as error:
                trouble = Trouble(TroubleKind.ERROR, error.message, error.hint)
                self.devices = replace(self.devices, trouble=trouble)
            case listed:
                self.devices = DeviceList(listed)
        self.paint_all()

    def jobs_listed(self, result: tuple[Job, ...] | LiveosError) -> None:
        """Keep the new list of jobs; after an error, the old one."""
        if isinstance(result, LiveosError):
            return
        if result != self.jobs or not self.jobs_known:
            self.jobs, self.jobs_known = result, True
            self.paint_all()

    @property
    def own_jobs(self) -> tuple[Job, ...]:
        """The jobs of the stick that is looked at, newest first."""
        seen = self.observation
        return tuple(job for job in self.jobs if seen is not None and seen.shows(job.plan.place))

    @property
    def jobs_to_tell(self) -> tuple[Job, ...]:
        """What the dashboard tells: its stick's jobs, then those alive of other sticks."""
        own = self.own_jobs
        return own + tuple(job for job in self.jobs if job.state in ALIVE and job not in own)

    def at_work(self, operation: Operation) -> Job | None:
        """The job that does `operation` to this stick at this moment."""
        alive = (job for job in self.own_jobs if job.state in ALIVE)
        return next((job for job in alive if job.plan.operation is operation), None)

    def target_of(self, job: Job) -> str | None:
        """The target, where it is the stick of `job`; None for a job of another stick.

        After a boot a stick has another name, so the target of the plan may not be there any more.
        """
        seen, place = self.observation, job.plan.place
        if seen is None:
            return None
        target = seen.system.target if seen.system else None
        same = (
            target is not None
            and target.kind is not TargetKind.FOLDER
            and target.uuid is not None
            and target.uuid == place.uuid
        )
        return seen.target if same or place.target in seen.names else None

    def _mention_waiting(self) -> None:
        if self.observation is not None:
            self.observation = replace(self.observation, waiting=True)
        self.devices = replace(self.devices, waiting=True)
        self.paint_all()

    def tick(self) -> None:
        """Now and then: the clock's minute, and whether the target still answers."""
        self._quiet_seconds += TICK_SECONDS
        seen = self.observation
        limit = max(SILENCE_SECONDS, 3 * self.terminal.sample_seconds)
        if seen is not None and seen.trouble is None and self._quiet_seconds >= limit:
            trouble = Trouble(
                TroubleKind.SILENT,
                f"{seen.target} does not answer.",
                "The stick may be slow, worn out or half pulled out. It is still waited for.",
            )
            self.observation = replace(seen, trouble=trouble)
            self.paint_all()
        minute = self.clock().minute
        if minute != self._shown_minute:
            self._shown_minute = minute
            self.paint_all()

    def paint_all(self) -> None:
        """Draw what has changed on every screen, since one may be shown again soon."""
        # At the very end there is none.
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen) and screen.is_mounted:
                screen.paint()

    def look_at(self, path: str) -> None:
        """Watch `path`, unless that is what is watched already."""
        if self.observation is None or self.observation.target != path:
            shown = self.observation.system if self.observation else None
            if shown is None or path not in {shown.target.device, shown.target.path}:
                self._start_target_probe(path)
                self.observation = Observation(path)
                if self._jobs_probe is not None:
                    self._jobs_probe.turn_to(path)
                self.set_timer(MENTION_WAITING_SECONDS, self._mention_waiting)

    def _start_target_probe(self, path: str) -> None:
        if self._target_probe is not None:
            self._target_probe.stop()
            self._former_probes.append(self._target_probe)
        self._quiet_seconds = 0
        seconds = self.terminal.sample_seconds
        self._target_probe = TargetProbe(self._machine, path, seconds, self._target_sampled)
        self._target_probe.start()

    def probes(self) -> list[Probe]:
        """All that have been started, former ones included."""
        current = (self._target_probe, self._jobs_probe)
        return [self._device_probe, *(each for each in current if each), *self._former_probes]

    def stop_probes(self) -> None:
        """Ask all probes to end."""
        for probe in self.probes():
            probe.stop()
