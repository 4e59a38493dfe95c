"""What a real terminal shows: the console on a pseudo-terminal, its bytes read by an emulator."""

import re
import signal
import time
from collections.abc import Iterator

import pytest
from pseudo_terminal import Terminal, python

pytestmark = pytest.mark.real_tools

_PROGRAM = r"""
import os, signal, sys, threading
from dataclasses import replace
from console_fakes import STICK, THIS, FakeMachine
from liveos_tui.console.app import run
from liveos_tui.system.terminal import profile

label = sys.argv[2]
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
stick = replace(STICK, target=replace(STICK.target, label=label))

def hung():
    threading.Event().wait()

answers = {"live": hung if sys.argv[1] == "hung" else stick}
sys.exit(run(FakeMachine(answers, (replace(THIS, label=label),)), "live", profile(os.environ)))
"""


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


LINUX = {"TERM": "linux", "LANG": "C.UTF-8"}

# What the Linux console sends for these keys (console_codes(4), loadkeys' default table).
F1, F3, F10 = "\x1b[[A", "\x1b[[C", "\x1b[21~"


def test_the_linux_console_shows_the_dashboard(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.until("WARN    The overlay is full in about 17 minutes.")
    terminal.until(" d Devices")
    assert terminal.screen.display[24].startswith(" d Devices")
    assert terminal.screen.buffer[2][2].data == "█"
    assert terminal.screen.buffer[2][2].fg == "brown"  # the dark yellow of 8 colours
    terminal.press("q")
    assert terminal.exit_code() == 0


def test_without_a_unicode_locale_every_byte_is_ascii(terminals: list[Terminal]) -> None:
    environment = {"TERM": "vt220", "LC_ALL": "C"}
    terminal = python(_PROGRAM, "still", "Gr\u00f6\u00dfe", environment=environment)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    assert terminal.bytes.isascii()
    assert "Gr??e" in terminal.screen.display[0]


def test_a_terminal_that_does_not_know_its_size_has_24_rows(terminals: list[Terminal]) -> None:
    """As a serial line after a login."""
    environment = {"TERM": "vt220", "LC_ALL": "C"}
    terminal = python(_PROGRAM, "still", "LIVE", environment=environment, told=(0, 0))
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.until(" d Devices")
    assert terminal.screen.display[23].startswith(" d Devices")
    assert len(terminal.bytes) < 20_000, "a frame or two"
    terminal.press("q")
    assert terminal.exit_code() == 0


def test_no_color_is_kept_to(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX | {"NO_COLOR": "1"})
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    codes = {c for m in re.findall(rb"\x1b\[([0-9;]*)m", terminal.bytes) for c in m.split(b";")}
    assert not {c for c in codes if c and (30 <= int(c) <= 38 or 40 <= int(c) <= 48)}


def test_not_even_a_label_that_nobody_cleaned_reaches_the_terminal_as_a_command(
    terminals: list[Terminal],
) -> None:
    terminal = python(_PROGRAM, "still", "x\x1b]0;owned\x07\x1b[2Jy", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    assert b"\x1b]0;" not in terminal.bytes
    assert b"\x1b[2J" not in terminal.bytes
    assert "x]0;owned[2Jy" in terminal.screen.display[0]


def test_redraw_draws_every_cell_again(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.until("GiB  this system")
    # The last row: what is read ends anywhere in what is drawn.
    terminal.until("q Quit")
    before = list(terminal.screen.display)
    for row in range(1, 26):
        terminal.screen.cursor_position(row, 1)
        terminal.screen.draw("a line that the kernel wrote")
    terminal.press(F3)
    terminal.until_gone("the kernel")
    terminal.until("q Quit")
    assert terminal.screen.display[1:] == before[1:]


def test_the_function_keys_of_the_linux_console_are_known(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.press(F1)
    terminal.until("A LiveOS stick starts a whole system")
    terminal.press("\x1b")
    terminal.until("What matters now")
    terminal.press(F10)
    assert terminal.exit_code() == 0


def test_the_linux_console_is_left_empty_for_the_shell(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.press("q")
    assert terminal.exit_code() == 0
    terminal.read()
    assert "".join(terminal.screen.display).strip() == ""
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (0, 0)


def test_a_polite_signal_puts_the_terminal_back_in_order(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.process.terminate()
    assert terminal.exit_code() == 130
    terminal.read()
    assert b"\x1b[?1049l" in terminal.bytes


def test_a_dropped_line_ends_it(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "still", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.exit_code() == -signal.SIGHUP


@pytest.mark.parametrize("how", ["still", "deaf", "hung"])
def test_a_line_that_is_gone_ends_it_although_no_signal_comes(
    how: str, terminals: list[Terminal]
) -> None:
    """As under setsid; deaf to the signal, as under nohup; with a probe that hangs."""
    terminal = python(_PROGRAM, how, "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("Looking at live" if how == "hung" else "FILLING 83 %")
    terminal.hang_up()
    assert terminal.process.wait(timeout=10) == -signal.SIGHUP


def test_a_hangup_that_is_to_be_ignored_is_while_the_terminal_is_there(
    terminals: list[Terminal],
) -> None:
    terminal = python(_PROGRAM, "deaf", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("FILLING 83 %")
    terminal.process.send_signal(signal.SIGHUP)
    terminal.press(F1)
    terminal.until("A LiveOS stick starts a whole system")
    terminal.press("q")
    assert terminal.exit_code() == 0


def test_a_probe_that_hangs_does_not_keep_it_from_quitting(terminals: list[Terminal]) -> None:
    terminal = python(_PROGRAM, "hung", "LIVE", environment=LINUX)
    terminals.append(terminal)
    terminal.until("Looking at live")
    begun = time.monotonic()
    terminal.press("q")
    assert terminal.exit_code() == 0
    assert time.monotonic() - begun < 10
