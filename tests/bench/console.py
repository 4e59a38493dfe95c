"""Measure the console on a real pseudo-terminal of 80x25, against the figures that it has to keep.

Run: .venv/bin/python tests/bench/console.py [--seconds N] [COMMAND ...]

COMMAND opens the console; without it, one that shows a stick which does not change. Every figure is
printed with its limit and how it was measured; exit code 1 when one is missed.
"""

import argparse
import fcntl
import os
import pty
import select
import shlex
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyte

ROWS, COLUMNS = 25, 80
IMPORT = [sys.executable, "-c", "import textual.app"]

STATUS_LIMIT = 2.0
FIRST_FRAME_LIMIT = 2.5
CPU_LIMIT_PERCENT = 1.0
BYTES_LIMIT = 200.0
MEMORY_LIMIT_MIB = 80.0

# What the first frame must show: the figures of the overlay, not only an empty frame.
_WORDS = ("Overlay", " of ", "Devices")
_STARTS = 5
_GIVE_UP_SECONDS = 30.0
# The first samples settle the rate and the device list; idle begins after them.
_WARM_UP_SECONDS = 6.0

_STILL_STICK = """
import sys
sys.path.insert(0, sys.argv[1])
from console_fakes import FakeMachine
from liveos_tui.console.app import run
from liveos_tui.system.terminal import current
sys.exit(run(FakeMachine(), "live", current()))
"""


@dataclass(frozen=True)
class Idle:
    """What a console does while nothing happens."""

    cpu_percent: float
    bytes_per_second: float
    resident_mib: float


class Terminal:
    """A process under a terminal of its own, and the screen that it draws."""

    def __init__(self, command: list[str]) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            # The size is there before the program looks at it.
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            environment = {
                k: v for k, v in os.environ.items() if k not in ("COLORTERM", "NO_COLOR")
            }
            os.execvpe(command[0], command, environment | {"TERM": "linux", "LANG": "C.UTF-8"})  # noqa: S606

    def read(self, seconds: float) -> int:
        """Take what comes within `seconds` (at most 64 KiB); the number of bytes."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return 0
        try:
            data = os.read(self._fd, 65536)
        except OSError as error:
            raise SystemExit("The console has ended:\n" + "\n".join(self.screen.display)) from error
        self._stream.feed(data)
        return len(data)

    def read_for(self, seconds: float) -> int:
        """Take everything that comes in this time; the number of bytes."""
        end = time.monotonic() + seconds
        count = 0
        while (left := end - time.monotonic()) > 0:
            count += self.read(left)
        return count

    def shows(self, words: Sequence[str]) -> bool:
        """Whether all of `words` are on the screen."""
        text = "\n".join(self.screen.display)
        return all(word in text for word in words)

    def until_shown(self, words: Sequence[str]) -> float:
        """Seconds from the start until `words` are on the screen."""
        while not self.shows(words):
            if time.monotonic() - self.started > _GIVE_UP_SECONDS:
                raise SystemExit("Never shown:\n" + "\n".join(self.screen.display))
            self.read(0.5)
        return time.monotonic() - self.started

    def quit(self) -> None:
        """Press q and wait for the end."""
        os.write(self._fd, b"q")
        end = time.monotonic() + 5
        while time.monotonic() < end:
            done, _ = os.waitpid(self.pid, os.WNOHANG)
            if done:
                break
            try:
                self.read(0.05)
            except SystemExit:
                continue
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)


def family(pid: int) -> list[psutil.Process]:
    """A process and what it has started: the console's work is done in a child."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def processor_seconds(pid: int) -> float:
    """Processor time of a process and its children, ended ones included."""
    return sum(sum(process.cpu_times()[:4]) for process in family(pid))


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, what they share counted in each."""
    return sum(process.memory_info().rss for process in family(pid)) / (1 << 20)


def import_seconds() -> float:
    """How long Python takes to import textual.app."""
    begun = time.monotonic()
    subprocess.run(IMPORT, check=True)
    return time.monotonic() - begun


def status_seconds(command: list[str]) -> float:
    """How long `liveos-tui status` of the same target takes."""
    begun = time.monotonic()
    subprocess.run([command[0], "status", *command[1:]], stdout=subprocess.DEVNULL, check=False)
    return time.monotonic() - begun


def first_frame_seconds(command: list[str]) -> float:
    """From the start of the process to the dashboard's words on the screen."""
    terminal = Terminal(command)
    try:
        return terminal.until_shown(_WORDS)
    finally:
        terminal.quit()


def idle(command: list[str], seconds: float) -> Idle:
    """What the console does in `seconds` in which nobody touches a key."""
    terminal = Terminal(command)
    try:
        terminal.until_shown(_WORDS)
        terminal.read_for(_WARM_UP_SECONDS)
        used = processor_seconds(terminal.pid)
        count = terminal.read_for(seconds)
        used = processor_seconds(terminal.pid) - used
        return Idle(used / seconds * 100, count / seconds, resident_mib(terminal.pid))
    finally:
        terminal.quit()


def main() -> int:
    """Print each figure with its limit; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long idle is measured")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what opens the console")
    given = parser.parse_args()
    fakes = str(Path(__file__).parents[1] / "console")
    still = [sys.executable, "-c", _STILL_STICK, fakes]
    command: list[str] = given.command or still
    shown = shlex.join(command) if given.command else "console.app.run on a stick that stays as is"
    print(f"command: {shown}")

    # In turn, so that a busy moment of the machine falls on both; medians, for the same reason.
    pairs = [(import_seconds(), first_frame_seconds(command)) for _ in range(_STARTS)]
    imported, frame = (statistics.median(column) for column in zip(*pairs, strict=True))
    quiet = idle(command, given.seconds)

    results = (
        []
        if not given.command
        else [
            (
                "status",
                statistics.median(status_seconds(command) for _ in range(_STARTS)) / imported,
                STATUS_LIMIT,
                "x the import of textual.app (liveos-tui status, start to end)",
            )
        ]
    )
    results += [
        (
            "first frame",
            frame / imported,
            FIRST_FRAME_LIMIT,
            f"x the import of textual.app ({frame:.2f} s, {imported:.2f} s; pty to pyte screen)",
        ),
        (
            "idle processor",
            quiet.cpu_percent,
            CPU_LIMIT_PERCENT,
            f"% of one core over {given.seconds:.0f} s, children included",
        ),
        ("idle output", quiet.bytes_per_second, BYTES_LIMIT, "bytes a second, plain look"),
        ("resident", quiet.resident_mib, MEMORY_LIMIT_MIB, "MiB, children included"),
    ]
    missed = False
    for name, value, limit, unit in results:
        word = "ok" if value <= limit else "MISSED"
        missed = missed or value > limit
        print(f"{word:6} {name:15} {value:8.2f}  limit {limit:6.1f}  {unit}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
