"""The console on a real stick, over ssh in tmux at 80x25: what a person sees."""

from kernel import PROGRAM, Boot, moment
from stick import Stick
from terminal import Terminal

STARTS = 90
"""Seconds that Textual may need to start on an emulated machine that others use too."""


def opened(stick: Stick) -> Terminal:
    terminal = stick.terminal(PROGRAM, environment={"LANG": "C.UTF-8"})
    terminal.wait_for(r"Overlay .* OK \d+ %", STARTS)
    return terminal


def test_the_dashboard_shows_the_four_gauges(looked_at: Stick) -> None:
    looked_at.install()
    with opened(looked_at) as terminal:
        lines = terminal.wait_for(r"GiB free", STARTS)
        terminal.send("q")

        screen = "\n".join(lines)
        assert "LIVE 12AB-CDEF" in lines[0]
        assert "this system" in lines[0]
        for gauge in ("Overlay", "Root", "Home", "Stick"):
            assert gauge in screen
        assert "of 64 MiB" in screen
        assert terminal.wait_end() == 0


def test_a_second_stick_is_listed_opened_and_missed(looked_at: Stick) -> None:
    looked_at.install()
    with opened(looked_at) as terminal:
        looked_at.attach()
        terminal.wait_for(r"STICK2 .* attached .* INVALID", STARTS)
        terminal.send("d")
        terminal.wait_for(r"Sticks that come and go")
        terminal.send("Down", "Enter")
        terminal.wait_for(r"^ STICK2 2222-BBBB", STARTS)
        terminal.wait_for(r"BROKEN +The overlay is marked Invalid", STARTS)

        looked_at.detach()
        lines = terminal.wait_for(r"GONE .* is gone", STARTS)
        assert any("INVALID" in line for line in lines), "the last figures stay visible"
        terminal.wait_without(r"STICK2 .* attached .* INVALID", STARTS)
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert looked_at.run("mount | grep liveos-tui", check=False).stdout == ""


def test_an_overlay_that_overflows_while_the_console_is_open(boot: Boot) -> None:
    stick = boot()
    stick.install()
    with opened(stick) as terminal:
        stick.run(
            "dd if=/dev/urandom of=/root/fill bs=1M count=100 conv=fsync", check=False, timeout=240
        )
        stick.wait_until("dmsetup status live-rw | grep -q Overflow")
        lines = terminal.wait_for(r"Overlay .* OVERFLOW 100 %", STARTS)
        assert any("overflowed" in line for line in lines)
        now = moment(stick)
        assert now.status["overlay"]["state"] == "overflow"
        assert now.exit_code == 20
        terminal.send("F1")
        terminal.wait_for(r"Keys")
        terminal.send("Escape")
        terminal.wait_for(r"OVERFLOW")
        terminal.send("q")
        assert terminal.wait_end() == 0
