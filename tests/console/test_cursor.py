"""The terminal's own cursor, which braille displays and speech follow, stands where the focus is.

It is hidden, and followed all the same: what reads a screen asks for its place, not for its look
(/dev/vcsa has it in its header). With high contrast it is shown as well.
"""

import time
from collections.abc import Callable, Iterator

import pytest
from pseudo_terminal import Terminal, python

pytestmark = pytest.mark.real_tools

_PATIENCE_SECONDS = 30.0

_PROGRAM = r"""
import os, sys
from console_fakes import BROKEN, INVALID, STICK, THIS, FakeMachine
from merge_fakes import proposed
from workshop_fakes import FakeWorkshop, interrupted
from liveos_tui.console.app import run
from liveos_tui.live.judge import judge
from liveos_tui.live.model import Operation
from liveos_tui.system.terminal import profile

workshop = FakeWorkshop(known={"recover-1": interrupted()})
workshop.answers[Operation.MERGE] = proposed
machine = FakeMachine({"live": judge(STICK), "/dev/sdc1": judge(INVALID)}, (THIS, BROKEN))
sys.exit(run(machine, "live", profile(os.environ), workshop))
"""

_LINUX = {"TERM": "linux", "LANG": "C.UTF-8"}
DOWN, LEFT, HOME = "\x1b[B", "\x1b[D", "\x1b[1~"
ESCAPE, ENTER, TAB, F1 = "\x1b", "\r", "\t", "\x1b[[A"


class Reader:
    """Someone who has only the line with the cursor."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    @property
    def line(self) -> str:
        row: str = self.terminal.screen.display[self.terminal.screen.cursor.y]
        return row

    @property
    def rest(self) -> str:
        """The line from the cursor on."""
        return self.line[self.terminal.screen.cursor.x :]

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, f"the cursor is before {self.rest!r}"
            self.terminal.read()

    def reads(self, *words: str) -> None:
        """The line is marked, the cursor on the mark, and these words follow."""
        self.until(lambda: self.rest.startswith("»") and all(word in self.rest for word in words))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.terminal.press(key)


@pytest.fixture
def reader() -> Iterator[Reader]:
    terminal = python(_PROGRAM, environment=_LINUX)
    yield Reader(terminal)
    terminal.close()


def test_it_follows_through_the_lists_of_the_dashboard_and_of_the_devices(reader: Reader) -> None:
    reader.reads("WARN", "The overlay is 83 % full")
    reader.press(DOWN)
    reader.reads("LIVE", "/dev/sdb1")
    reader.press(DOWN)
    reader.reads("STICK2", "INVALID")
    reader.press("d")
    reader.terminal.until("Sticks that come and go")
    reader.reads("LIVE", "this system")
    reader.press(DOWN)
    reader.reads("STICK2")
    reader.press(ESCAPE)
    reader.reads("STICK2", "INVALID")
    assert reader.terminal.screen.cursor.hidden


def test_it_stands_at_the_beginning_of_a_text_that_is_read_on(reader: Reader) -> None:
    reader.reads("WARN")
    reader.press(F1)
    reader.terminal.until("A LiveOS stick starts")
    reader.press(DOWN)
    reader.until(lambda: reader.rest.startswith(" A LiveOS stick starts a whole system"))
    reader.press(DOWN)
    reader.until(lambda: reader.rest.startswith(" Everything that is changed"))
    reader.press(ESCAPE)
    reader.reads("WARN")
    reader.press("m")
    reader.until(lambda: reader.rest.startswith("What will be done"))
    reader.press(DOWN)
    reader.until(lambda: reader.rest.startswith("The 425 MiB in the overlay"))


def test_it_stands_on_the_button_and_where_the_next_letter_goes(reader: Reader) -> None:
    reader.reads("WARN")
    reader.press("m")
    reader.terminal.until("Enter Merge it")
    reader.press(ENTER)
    reader.reads("[ Cancel ]")
    reader.press(TAB)
    reader.reads("[ Merge it ]")
    reader.press(TAB)
    reader.until(lambda: "Type its name" in reader.line and reader.rest.startswith("____"))
    reader.press("S", "T")
    reader.until(lambda: "ST_" in reader.line and reader.rest.startswith("_"))
    reader.press(LEFT)
    reader.until(lambda: reader.rest.startswith("T_"))


def test_it_stands_on_the_job_and_on_the_step(reader: Reader) -> None:
    reader.reads("WARN")
    reader.press("j")
    reader.reads("Recover", "INTERRUPTED")
    reader.press(ENTER)
    reader.terminal.until("OK    4 Grow the file")
    reader.reads("Result")
    reader.press(HOME)
    reader.reads("Look at it")
    reader.press(DOWN)
    reader.reads("1 Lock, check again")


def test_it_is_shown_where_contrast_is_high() -> None:
    terminal = python(_PROGRAM, environment=_LINUX | {"LIVEOS_TUI_CONTRAST": "high"})
    try:
        reader = Reader(terminal)
        reader.reads("WARN")
        assert not terminal.screen.cursor.hidden
        assert terminal.screen.buffer[0][1].bg == "white"
    finally:
        terminal.close()
