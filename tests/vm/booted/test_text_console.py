"""The console on a text console of the kernel's own: its glyphs and colours, cell by cell."""

from pathlib import Path

import pyte
import pytest
from kernel import PROGRAM, Boot
from machine import wait_for
from photographs import STARTS
from stick import Stick
from text_console import LEAST_CONTRAST, Cell, Font, TextConsole, faults

# Names that pyte has for the eight colours; their numbers are VGA's.
_COLOURS = ("black", "blue", "green", "cyan", "red", "magenta", "brown", "white")


def emulated(sent: bytes) -> list[list[tuple[str, int, int]]]:
    """What a terminal shows that was sent these bytes: characters and colours."""
    screen = pyte.Screen(80, 25)
    pyte.ByteStream(screen).feed(sent)

    def cell(char: pyte.screens.Char) -> tuple[str, int, int]:
        ink = 7 if char.fg == "default" else _COLOURS.index(char.fg)
        ground = 0 if char.bg == "default" else _COLOURS.index(char.bg)
        return char.data, ink + (8 if char.bold else 0), ground

    return [[cell(screen.buffer[y][x]) for x in range(80)] for y in range(25)]


def test_the_kernel_shows_what_the_console_sends(looked_at: Stick) -> None:
    """On a console that is not in front: this machine has no graphics card to show it."""
    looked_at.install()
    record = "/run/liveos/sent"
    command = f"script --quiet --flush --command {PROGRAM} {record}"
    with TextConsole(looked_at, command, tty=8) as console:
        console.wait_for("GiB free", STARTS)
        console.wait_for("q Quit")
        font = console.font()
        rows: list[list[Cell]] = []

        def same() -> bool:
            rows[:] = console.rows(font)
            # Its first line is of `script`.
            sent = looked_at.run_bytes(f"cat {record}").partition(b"\n")[2]
            shown = [[(cell.text, cell.ink, cell.ground) for cell in row] for row in rows]
            return shown == emulated(sent)

        wait_for(same, "a screen that is what was sent", 60)
        assert list(faults(rows, font)) == []
        assert "LIVE 12AB-CDEF" in console.lines()[0]


def test_a_glyph_that_is_not_in_the_font_and_ink_that_is_not_seen_are_faults() -> None:
    font = Font({"a": 97, "?": 63}, 0)
    good, unknown = Cell("a", 97, 7, 0), Cell("\N{HORIZONTAL ELLIPSIS}", 63, 7, 0)
    hidden, blue = Cell("a", 97, 4, 4), Cell("a", 97, 1, 0)
    assert blue.contrast < LEAST_CONTRAST
    assert list(faults([[good]], font)) == []
    assert len(list(faults([[unknown, hidden], [blue]], font))) == 3


@pytest.mark.thorough
def test_the_dashboard_is_photographed(boot: Boot, tmp_path: Path) -> None:
    stick = boot(vga=True)
    stick.install()
    with TextConsole(stick, PROGRAM) as console:
        console.wait_for("GiB free", STARTS)
        console.photograph(tmp_path / "picture.png")
        font = console.font()
        assert list(faults(console.rows(font), font)) == []
        console.send("F1")
        console.wait_for("A LiveOS stick starts")
        console.send("q")
        assert console.wait_end() == 0
    picture = (tmp_path / "picture.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 4000, "not a black screen"
