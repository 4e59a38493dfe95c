"""The console as a whole: how it begins and how it ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from liveos_tui.console.hangup import end_with
from liveos_tui.console.navigation import Navigation
from liveos_tui.errors import ExitCode
from liveos_tui.jobs.workshop import Workshop
from liveos_tui.live.watch import Machine
from liveos_tui.system.terminal import Contrast, NoTerminalError, TerminalProfile, give_size

# Leaving gives the probes this long to take down what they mounted; a hung one is left behind.
FAREWELL_SECONDS = 1.0

# Terminals without a second screen: what the console drew stays, so it has to be wiped.
_ONE_SCREEN = ("linux", "vt")


_SHOW_CURSOR = "\x1b[?25h"


def local_time() -> datetime:
    """The wall clock's time here."""
    return datetime.now().astimezone()


class Console(Navigation):
    """Shows one target, the attached devices and the jobs; without `workshop` it only looks."""

    TITLE = "liveos-tui"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False

    def __init__(
        self,
        machine: Machine,
        target: str | None,
        terminal: TerminalProfile,
        clock: Callable[[], datetime] = local_time,
        workshop: Workshop | None = None,
    ) -> None:
        super().__init__(machine, target, terminal, clock, workshop)

    def on_mount(self) -> None:
        """Begin to look."""
        if not self.is_headless:
            # Put the terminal back in order before the end, as after q.
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self.leave, ExitCode.CANCELLED)
            self.app_resume_signal.subscribe(self, lambda _: self.show_cursor())
            self.show_cursor()
        self.begin_to_look()
        self.fit(self.size.width, self.size.height)

    async def action_quit(self) -> None:
        """Leave."""
        self.leave(ExitCode.WELL)

    def show_cursor(self) -> None:
        """Show the terminal's cursor where contrast is to be high; Textual hides it.

        Braille and speech follow a hidden one as well; magnifiers and tired eyes do not.
        """
        if self.terminal.contrast is Contrast.HIGH and self._driver is not None:
            self._driver.write(_SHOW_CURSOR)
            self._driver.flush()

    def give_back_terminal(self) -> None:
        """Leave the second screen and raw mode."""
        with suppress(Exception):
            if self._driver is not None:
                self._driver.stop_application_mode()
                # What is to be written waits in a thread until it is closed.
                self._driver.close()

    def farewell(self) -> None:
        """Give the probes a moment to take down what they set up. A hung one is not waited for."""
        self.stop_probes()
        for probe in self.probes():
            probe.join(FAREWELL_SECONDS)


def run(
    machine: Machine,
    target: str | None,
    terminal: TerminalProfile,
    workshop: Workshop | None = None,
) -> int:
    """Open the console on `target` until the person leaves; the exit code.

    Without a target the devices are shown, to choose from; without a workshop it only looks. Raises
    the `LiveosError` of a target that could not be opened, and NoTerminalError for a standard input
    or output that is no terminal.
    """
    # Textual reads standard input, draws on standard error and asks standard output for the size.
    if not all(os.isatty(stream) for stream in (0, 1, 2)):
        raise NoTerminalError(
            "The console needs a terminal for its input and its output.",
            "Use `liveos-tui status` in scripts and pipes.",
        )
    give_size(1)
    if terminal.unicode and sys.__stderr__ is not None:
        # The profile knows better than the locale: a text console is in UTF-8 mode.
        sys.__stderr__.reconfigure(encoding="utf-8", errors="replace")
    console = Console(machine, target, terminal, workshop=workshop)

    def take_down(gone: bool) -> None:
        console.farewell()
        if not gone:
            console.give_back_terminal()

    end_with(0, take_down)
    try:
        result = console.run(mouse=False)
    finally:
        console.farewell()
        if os.environ.get("TERM", "").startswith(_ONE_SCREEN) and sys.__stderr__ is not None:
            print("\x1b[H\x1b[J", end="", file=sys.__stderr__, flush=True)
    if console.failure is not None:
        raise console.failure
    return int(ExitCode.FAILED) if result is None else result
