"""The overlay's gauge: what it shows in how many rows."""

from dataclasses import replace

import pytest
from console_fakes import HISTORY, INVALID, STICK
from console_harness import PLAIN, RICH

from liveos_tui.console.drawing import large, large_in_halves
from liveos_tui.console.glyphs import RICH as RICH_GLYPHS
from liveos_tui.console.glyphs import SAFE, Glyphs, glyphs
from liveos_tui.console.lines import Line, width_of
from liveos_tui.console.state import Observation, Trouble, TroubleKind
from liveos_tui.console.theme import Role
from liveos_tui.console.views import overlay
from liveos_tui.system.terminal import TerminalProfile

FILLING = Observation("live", STICK, HISTORY)
LYING = Observation("/dev/sdc1", replace(STICK, overlay=replace(STICK.overlay, in_use=False)))
BEGINNING = Observation("live", STICK, HISTORY[:1])
UNKNOWN = Observation("/dev/sdc1", INVALID)


def words(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


@pytest.mark.parametrize(
    ("seen", "terminal", "most", "taken"),
    [
        (FILLING, RICH, 4, 4),
        (FILLING, RICH, 11, 5),
        (FILLING, RICH, 12, 12),
        (FILLING, RICH, 99, 30),
        (FILLING, PLAIN, 11, 4),
        (FILLING, PLAIN, 12, 12),
        (BEGINNING, RICH, 99, 30),
        (LYING, RICH, 99, 8),
        (UNKNOWN, RICH, 99, 4),
        (None, RICH, 99, 4),
    ],
)
def test_it_takes_only_rows_that_it_makes_use_of(
    seen: Observation | None, terminal: TerminalProfile, most: int, taken: int
) -> None:
    assert overlay.rows(seen, most, glyphs(terminal)) == taken


@pytest.mark.parametrize("seen", [FILLING, BEGINNING, LYING, UNKNOWN, None])
@pytest.mark.parametrize("used", [RICH_GLYPHS, SAFE])
@pytest.mark.parametrize("height", range(4, 31))
def test_every_row_has_the_width_of_the_frame(
    seen: Observation | None, used: Glyphs, height: int
) -> None:
    drawn = overlay.gauge(seen, 80, used, height)
    assert [width_of(line) for line in drawn] == [80] * height


@pytest.mark.parametrize("height", [4, 5, 12, 30])
def test_when_it_is_full_is_told_in_every_size(height: int) -> None:
    told = " ".join(" ".join(words(overlay.gauge(FILLING, 80, RICH_GLYPHS, height))).split())
    assert "full in about" in told
    assert "17 minutes" in told
    assert "87 MiB left" in told
    assert "+5.1 MiB/min" in told


def test_the_chart_ends_with_the_present_in_the_colour_of_the_state() -> None:
    drawn = overlay.gauge(FILLING, 100, RICH_GLYPHS, 14)
    highest = drawn[6]
    assert highest[-3] == ("█", Role.WARNING)
    assert highest[-4].role is Role.HISTORY


def test_old_figures_have_no_colour() -> None:
    gone = replace(FILLING, trouble=Trouble(TroubleKind.GONE, "It has been pulled out."))
    roles = {span.role for line in overlay.gauge(gone, 100, RICH_GLYPHS, 14) for span in line}
    assert not roles & {Role.WARNING, Role.FILL_WARNING, Role.HISTORY}


def test_large_digits_are_dots_of_two_cells() -> None:
    assert large(1, SAFE) == ["  ██  ", "████  ", "  ██  ", "  ██  ", "██████"]


def test_smaller_ones_have_two_dots_in_a_cell() -> None:
    assert large_in_halves(10, ("▀", "▄"), "█") == ["▄█  █▀█", " █  █ █", "▀▀▀ ▀▀▀"]
