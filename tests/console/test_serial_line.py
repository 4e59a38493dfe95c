"""A serial line of 115200 baud carries 11,520 bytes a second: every byte of the console counts."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from console_fakes import FakeMachine, clock
from console_harness import PLAIN, opened
from pseudo_terminal import python

from liveos_tui.console.app import Console
from liveos_tui.practice.builder import PracticeState, build

_BYTES_A_SECOND = 115_200 / 10

# As on /dev/ttyS0: a pseudo-terminal has another name.
_PROGRAM = r"""
import os, sys
from liveos_tui.console.app import run
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.live.local import LocalMachine
from liveos_tui.system.terminal import profile

sys.exit(run(LocalMachine(), sys.argv[1], profile(os.environ, "/dev/ttyS0"), LocalWorkshop()))
"""


@pytest.mark.real_tools
def test_a_merge_is_begun_and_watched_over_a_serial_line(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    build(folder, PracticeState.NEARLY_FULL)
    terminal = python(_PROGRAM, str(folder), environment={"TERM": "vt220"})
    try:
        terminal.until("free")
        terminal.until("Quit")
        assert len(terminal.bytes) < 2 * _BYTES_A_SECOND, "the first frame, in 2 seconds"

        terminal.press("m")
        terminal.until("What will be done", 60)
        terminal.press("\r")
        terminal.until("Type its name, PRACTICE:")
        # To the field, which has the mark then.
        terminal.press("\t\t")
        terminal.until("PRACTICE: > _")
        terminal.press("PRACTICE")
        terminal.until("PRACTICE: > PRACTICE")
        terminal.press("\r")
        terminal.until("RUN")
        before, began = len(terminal.bytes), time.monotonic()
        terminal.until("is merged", 120)
        count, seconds = len(terminal.bytes) - before, time.monotonic() - began
        print(f"{len(terminal.bytes)} bytes in all, {count} in {seconds:.1f} s of merging")
        # A practice stick may be merged sooner than its six phases can be shown.
        assert count / max(seconds, 4) < _BYTES_A_SECOND / 2, "half of the line"
        terminal.press("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


async def test_a_change_below_another_screen_does_not_draw_that_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Console(FakeMachine(), "live", PLAIN, clock)
    async with opened(app) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        frames: list[object] = []
        monkeypatch.setattr(app, "_display", lambda _screen, frame: frames.append(frame))
        app.clock = lambda: clock() + timedelta(hours=1)
        app.paint_all()
        await pilot.pause(0.1)

        assert [type(frame).__name__ for frame in frames] == ["ChopsUpdate"], "the clock alone"
