"""The console: keeps the values, starts the probes, shows the screens."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from liveos_tui.console.lines import Brush
from liveos_tui.console.probes import DeviceProbe, History, TargetProbe
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.screens.dashboard import Dashboard
from liveos_tui.console.screens.devices import Devices
from liveos_tui.console.screens.help import Help
from liveos_tui.console.screens.too_small import TooSmall, fits
from liveos_tui.console.state import DeviceList, Observation, Trouble, TroubleKind
from liveos_tui.console.theme import GROUND
from liveos_tui.errors import ExitCode, LiveosError, TargetGoneError
from liveos_tui.live.model import AttachedDevice, LiveSystem
from liveos_tui.live.watch import Machine
from liveos_tui.system.terminal import Look, TerminalProfile

# A person who waits longer than this wants to know that something is being done.
MENTION_WAITING_SECONDS = 0.1
# No answer for this long (or three samples) is told: the figures are not of this moment any more.
SILENCE_SECONDS = 10
# How late the clock's minute and a silence may be shown; each turn costs an idle console something.
TICK_SECONDS = 5
# Leaving gives the probes this long to take down what they mounted; a hung one is left behind.
FAREWELL_SECONDS = 1.0

# Terminals without a second screen: what the console drew stays, so it has to be wiped.
_ONE_SCREEN = ("linux", "vt")

_CSS = """
Screen {{ background: {background}; color: {text}; overflow: hidden; layout: vertical; }}
Painted {{ height: 1; }}
#columns {{ layout: horizontal; height: 1fr; }}
#main {{ width: 2fr; max-width: 104; layout: vertical; }}
#more {{ width: 1fr; layout: vertical; padding: 0 1 0 2; display: none; }}
.-wide #more {{ display: block; }}
#three {{ layout: horizontal; height: 4; }}
#gauge-overlay {{ height: 4; }}
#gauge-home, #gauge-stick {{ height: 4; width: 5fr; }}
#gauge-root {{ height: 4; width: 6fr; }}
#findings {{ height: 2; }}
#devices, #table, #facts, #too-small, Page {{ height: 1fr; }}
#history {{ height: 8; }}
#sentence {{ height: 4; }}
#details {{ height: 6; }}
#alert {{ display: none; }}
"""


def local_time() -> datetime:
    """The wall clock's time here."""
    return datetime.now().astimezone()


class TargetSampled(Message):
    """A sample of the target, or the error in its place, by `probe`."""

    def __init__(
        self, probe: TargetProbe, result: LiveSystem | LiveosError, history: History, opened: bool
    ) -> None:
        super().__init__()
        self.probe = probe
        self.result = result
        self.history = history
        self.opened = opened


class DevicesListed(Message):
    """The list of devices, or the error in its place."""

    def __init__(self, result: tuple[AttachedDevice, ...] | LiveosError) -> None:
        super().__init__()
        self.result = result


class Console(App[int]):
    """Shows one target and the attached devices; screens read `observation` and `devices`."""

    TITLE = "liveos-tui"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f10", "quit", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("f1,question_mark", "help", show=False),
        Binding("f3,ctrl+l", "redraw", show=False, priority=True),
    ]

    def __init__(
        self,
        machine: Machine,
        target: str | None,
        terminal: TerminalProfile,
        clock: Callable[[], datetime] = local_time,
    ) -> None:
        background, text = GROUND[terminal.look]
        # App.CSS is read from the class; each look has its own ground.
        self.CSS = _CSS.format(background=background, text=text)  # type: ignore[misc]
        super().__init__(ansi_color=terminal.look is Look.PLAIN)
        self.animation_level = "none"
        self.clock = clock
        self.brush = Brush(terminal)
        self.observation = Observation(target) if target is not None else None
        self.devices = DeviceList()
        self.failure: LiveosError | None = None
        """Why the target that was asked for could not be opened; the console then ends."""
        self._machine = machine
        self._terminal = terminal
        self._device_probe = DeviceProbe(machine, self._devices_listed)
        self._target_probe: TargetProbe | None = None
        self._former_probes: list[TargetProbe] = []
        self._asked_for = target
        self._quiet_seconds = 0
        self._shown_minute = clock().minute
        self._started = False

    def get_default_screen(self) -> Screen[None]:
        """The dashboard; without a target the devices, to choose from."""
        return Devices(self.brush) if self.observation is None else Dashboard(self.brush)

    def on_mount(self) -> None:
        """Begin to look."""
        self._started = True
        if not self.is_headless:
            # Put the terminal back in order before the end, as after q.
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._leave, ExitCode.CANCELLED)
        self._device_probe.start()
        if self._asked_for is not None:
            self._start_target_probe(self._asked_for)
        self.set_timer(MENTION_WAITING_SECONDS, self._mention_waiting)
        self.set_interval(TICK_SECONDS, self.tick)
        self._fit(self.size.width, self.size.height)

    # What the probes deliver. They run in threads of their own and only post messages.

    def _post(self, message: Message) -> None:
        try:
            self.post_message(message)
        except RuntimeError:
            # The event loop has ended; nobody is left to tell.
            return

    def _target_sampled(
        self, probe: TargetProbe, result: LiveSystem | LiveosError, history: History, opened: bool
    ) -> None:
        self._post(TargetSampled(probe, result, history, opened))

    def _devices_listed(self, result: tuple[AttachedDevice, ...] | LiveosError) -> None:
        self._post(DevicesListed(result))

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
                    self._leave(error.exit_code)
                    return
                gone = isinstance(error, TargetGoneError)
                kind = TroubleKind.GONE if gone else TroubleKind.ERROR
                trouble = Trouble(kind, error.message, error.hint)
                self.observation = replace(seen, trouble=trouble)
        if message.opened:
            self._asked_for = None
        if not same:
            # The history of an overlay at rest only moves with the minutes of the clock.
            self._paint()

    def on_devices_listed(self, message: DevicesListed) -> None:
        """Keep the new list; after an error, the old one."""
        match message.result:
            case LiveosError() as error:
                trouble = Trouble(TroubleKind.ERROR, error.message, error.hint)
                self.devices = replace(self.devices, trouble=trouble)
            case listed:
                self.devices = DeviceList(listed)
        self._paint()

    def _mention_waiting(self) -> None:
        if self.observation is not None:
            self.observation = replace(self.observation, waiting=True)
        self.devices = replace(self.devices, waiting=True)
        self._paint()

    def tick(self) -> None:
        """Now and then: the clock's minute, and whether the target still answers."""
        self._quiet_seconds += TICK_SECONDS
        seen = self.observation
        limit = max(SILENCE_SECONDS, 3 * self._terminal.sample_seconds)
        if seen is not None and seen.trouble is None and self._quiet_seconds >= limit:
            trouble = Trouble(
                TroubleKind.SILENT,
                f"{seen.target} does not answer.",
                "The stick may be slow, worn out or half pulled out. It is still waited for.",
            )
            self.observation = replace(seen, trouble=trouble)
            self._paint()
        minute = self.clock().minute
        if minute != self._shown_minute:
            self._shown_minute = minute
            self._paint()

    def _paint(self) -> None:
        # All of them, since one may be shown again soon; at the very end there is none.
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen) and screen.is_mounted:
                screen.paint()

    # Screens.

    def watch_target(self, path: str) -> None:
        """Look at `path`, which the person has chosen, and show its dashboard."""
        if self.observation is None or self.observation.target != path:
            shown = self.observation.system if self.observation else None
            if shown is None or path not in {shown.target.device, shown.target.path}:
                self._start_target_probe(path)
                self.observation = Observation(path)
                self.set_timer(MENTION_WAITING_SECONDS, self._mention_waiting)
        self._show(Dashboard)

    def _start_target_probe(self, path: str) -> None:
        if self._target_probe is not None:
            self._target_probe.stop()
            self._former_probes.append(self._target_probe)
        self._quiet_seconds = 0
        seconds = self._terminal.sample_seconds
        self._target_probe = TargetProbe(self._machine, path, seconds, self._target_sampled)
        self._target_probe.start()

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

    def action_redraw(self) -> None:
        """Draw every cell again (the kernel may have written over them), and look again now."""
        self.screen.refresh()
        self._device_probe.poke()
        if self._target_probe is not None:
            self._target_probe.poke()

    async def action_quit(self) -> None:
        """Leave. No probe is waited for here."""
        self._leave(ExitCode.WELL)

    def on_resize(self, event: events.Resize) -> None:
        """Show the one sentence while there is no room for more."""
        if self._started:
            self._fit(event.size.width, event.size.height)

    def _fit(self, width: int, height: int) -> None:
        small = isinstance(self.screen, TooSmall)
        if fits(width, height) and small:
            self.pop_screen()
        elif not fits(width, height) and not small:
            self.push_screen(TooSmall(self.brush))

    # The end.

    def _leave(self, code: ExitCode) -> None:
        self.stop_probes()
        self.exit(int(code))

    def _probes(self) -> list[TargetProbe | DeviceProbe]:
        current = [self._target_probe] if self._target_probe else []
        return [self._device_probe, *current, *self._former_probes]

    def stop_probes(self) -> None:
        """Ask all probes to end."""
        for probe in self._probes():
            probe.stop()

    def give_back_terminal(self) -> None:
        """Leave the second screen and raw mode, where the terminal is still there to take it."""
        with suppress(Exception):
            if self._driver is not None:
                self._driver.stop_application_mode()
                # What is to be written waits in a thread until it is closed.
                self._driver.close()

    def farewell(self) -> None:
        """Give the probes a moment to take down what they set up. A hung one is not waited for."""
        self.stop_probes()
        for probe in self._probes():
            probe.join(FAREWELL_SECONDS)


def run(machine: Machine, target: str | None, terminal: TerminalProfile) -> int:
    """Open the console on `target` until the person leaves; the exit code.

    Without a target the devices are shown, to choose from. Raises the `LiveosError` of a target
    that could not be opened, and one for a standard input or output that is no terminal.
    """
    # Textual reads standard input, draws on standard error and asks standard output for the size.
    if not all(os.isatty(stream) for stream in (0, 1, 2)):
        raise LiveosError(
            "The console needs a terminal for its input and its output.",
            "Use `liveos-tui status` in scripts and pipes.",
        )
    if terminal.unicode and sys.__stderr__ is not None:
        # The profile knows better than the locale: a text console is in UTF-8 mode.
        sys.__stderr__.reconfigure(encoding="utf-8", errors="replace")
    console = Console(machine, target, terminal)

    def hung_up(number: int, _frame: object) -> None:
        """The terminal is gone (ssh dropped): take down and end, without drawing any more."""
        # The supervisor passes on what the terminal has sent already.
        signal.signal(number, signal.SIG_IGN)
        console.farewell()
        console.give_back_terminal()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hung_up)
    try:
        result = console.run(mouse=False)
    finally:
        console.farewell()
        if os.environ.get("TERM", "").startswith(_ONE_SCREEN) and sys.__stderr__ is not None:
            print("\x1b[H\x1b[J", end="", file=sys.__stderr__, flush=True)
    if console.failure is not None:
        raise console.failure
    return int(ExitCode.FAILED) if result is None else result
