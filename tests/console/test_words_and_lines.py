from dataclasses import replace

import pytest
from console_fakes import MIB, NOW, STICK
from console_harness import ASCII, PLAIN, RICH
from rich.cells import cell_len

from liveos_tui.console import drawing, wording
from liveos_tui.console.glyphs import RICH as RICH_GLYPHS
from liveos_tui.console.glyphs import SAFE
from liveos_tui.console.lines import (
    Brush,
    Span,
    both_ends,
    cell,
    clip,
    clip_start,
    cut,
    harmless,
    spread,
    width_of,
    wrap,
    wrap_at_most,
)
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role, styles
from liveos_tui.console.views import bars, jobs, overlay
from liveos_tui.live import words
from liveos_tui.system.terminal import TerminalProfile


def test_figures_are_worded_as_in_findings_and_status() -> None:
    assert wording.size(425 * MIB) == words.size(425 * MIB)
    assert wording.duration(1020) == words.duration(1020)


@pytest.mark.parametrize(
    ("bytes_per_second", "told"),
    [
        (5.1 * MIB / 60, "+5.1 MiB/min"),
        (-2 * MIB / 60, "-2.0 MiB/min"),
        (0.0, "not growing"),
        (0.001, "not growing"),
    ],
)
def test_rates_have_a_sign(bytes_per_second: float, told: str) -> None:
    assert wording.rate(bytes_per_second) == told


def test_an_overlay_with_a_single_free_byte_is_not_told_as_full() -> None:
    assert wording.percent(1 - 1e-12) == "99 %"
    assert wording.percent(1.0) == "100 %"


def test_text_is_clipped_by_cells_and_shows_that_something_is_missing() -> None:
    assert clip("overlay", 7) == "overlay"
    assert clip("overlays", 7) == "over..."
    assert cell_len(clip("持久存储覆盖层", 9)) <= 9
    assert cell("ab", 4) == "ab  "


def test_a_path_keeps_its_end_and_shows_that_something_is_missing() -> None:
    assert clip_start("/media/me/STICK", 15) == "/media/me/STICK"
    assert clip_start("/media/me/STICK", 8) == "...STICK"
    assert cell_len(clip_start("/持久存储覆盖层", 9)) <= 9


def title_of(target: str, width: int = 80) -> str:
    line = bars.title(("PRACTICE 50AC-71CE",), (target, "folder", "F39"), NOW, width, SAFE)
    assert width_of(line) == width
    return "".join(span.text for span in line)


def test_of_a_title_that_is_too_long_the_path_loses_its_beginning() -> None:
    assert "  /tmp/stick  folder  F39 " in title_of("/tmp/stick")
    shown = title_of("/home/me/a folder with a long name/and another one/practice-stick")
    assert "  ..." in shown
    assert "practice-stick  folder  F39 " in shown


def test_a_title_that_is_a_path_keeps_its_end() -> None:
    path = f"/home/{'a' * 80}/practice-stick"
    line = bars.title((path,), (), NOW, 80, SAFE)

    assert "practice-stick " in "".join(span.text for span in line)


def test_the_columns_names_are_whole_beside_what_is_shown_of_the_jobs() -> None:
    note = (Span("12-18 of 120 "),)
    line = both_ends(jobs.header(80), note, 80)

    assert "".join(span.text for span in line).split()[-4:] == ["Where", "12-18", "of", "120"]


def test_a_cut_line_shows_that_something_is_missing_even_between_two_spans() -> None:
    line = (Span("abcd"), Span("efgh", Role.STRONG))
    assert "".join(span.text for span in cut(line, 6)) == "abc..."
    assert width_of(cut(line, 5)) <= 5


def test_the_end_of_a_line_outlives_its_start() -> None:
    line = both_ends((Span("a long start of a line"),), (Span("12:04"),), 16)
    assert "".join(span.text for span in line) == "a long s...12:04"


def test_words_that_are_longer_than_a_row_are_broken() -> None:
    assert wrap("to abcdefghij", 4) == ["to", "abcd", "efgh", "ij"]


def test_text_that_needs_more_rows_than_there_are_ends_in_dots() -> None:
    assert wrap_at_most("one two three four five", 9, 2) == ["one two", "three ..."]


def test_the_least_important_figure_is_left_out_first() -> None:
    assert spread(["aaa", "bbb", "ccc"], 15) == "aaa   bbb   ccc"
    assert spread(["aaa", "bbb", "ccc"], 13) == "aaa  bbb  ccc"
    assert spread(["aaa", "bbb", "ccc"], 12) == "aaa   bbb"


def test_what_a_terminal_would_act_on_is_never_drawn() -> None:
    assert harmless("a\x1b[31m\x9b\r\n", ascii_only=False) == "a[31m"


def test_where_only_ascii_is_safe_other_letters_keep_their_place() -> None:
    shown = harmless("Größe 覆", ascii_only=True)
    assert shown == "Gr??e ??"


def test_a_strip_is_exactly_as_wide_as_its_row() -> None:
    for text in ("", "short", "far too long for this row", "覆盖覆盖覆盖"):
        assert Brush(PLAIN).strip((Span(text),), 11).cell_length == 11


def test_a_bar_shows_a_trace_of_use_and_is_full_only_when_it_is() -> None:
    def text(fraction: float) -> str:
        return "".join(span.text for span in drawing.bar(fraction, 10, Role.FILL, SAFE))

    assert text(0.0) == "░" * 10
    assert text(0.001) == "█" + "░" * 9
    assert text(0.5) == "█████░░░░░"
    assert text(0.999) == "█████████░"
    assert text(1.0) == "█" * 10
    assert text(7.5) == "█" * 10


def test_the_rich_bar_knows_eighths() -> None:
    text = "".join(span.text for span in drawing.bar(0.55, 10, Role.FILL, RICH_GLYPHS))
    assert text == "█████▌    "


def test_a_frame_keeps_its_width_whatever_is_in_it() -> None:
    rows = [(Span("x" * 200),), (), (Span("覆" * 50),)]
    lines = drawing.box("t" * 99, (Span("s" * 30),), rows, 40, SAFE)
    assert [width_of(line) for line in lines] == [40] * 5


def test_a_chart_shows_the_highest_value_at_the_top_and_the_lowest_at_the_bottom() -> None:
    shown = drawing.scale([100, 150, 200], 200)
    assert drawing.chart([100, 150, 200], shown, 2, SAFE) == ["  █", "███"]


def test_a_trickle_stays_flat_in_the_chart() -> None:
    values = [1000, 1001, 1002]
    shown = drawing.scale(values, 100_000)
    assert drawing.chart(values, shown, 1, RICH_GLYPHS) == ["▁▁▁"]


@pytest.mark.parametrize("history", [(), ((0.0, 425 * MIB),)])
def test_without_a_history_the_bar_has_the_whole_width(
    history: tuple[tuple[float, int], ...],
) -> None:
    full = replace(STICK, overlay=replace(STICK.overlay, used_bytes=512 * MIB, in_use=False))
    drawn = overlay.gauge(Observation("/dev/sdc1", full, history), 80, RICH_GLYPHS)
    bar = "".join(span.text for span in drawn[1])
    assert bar.strip("│ ") == "█" * 76


def test_history_is_spaced_by_time_not_by_samples() -> None:
    points = [(0.0, 1), (1.0, 2), (2.0, 3), (8.0, 4)]
    assert drawing.columns(points, 4) == [3, 3, 3, 4]


@pytest.mark.parametrize("terminal", [PLAIN, ASCII, RICH, TerminalProfile(colour=False)])
def test_every_role_has_a_style_in_every_look(terminal: TerminalProfile) -> None:
    assert set(styles(terminal)) == set(Role)


def test_without_colour_no_role_has_one_and_danger_still_stands_out() -> None:
    table = styles(TerminalProfile(colour=False))
    assert all(style.color is None and style.bgcolor is None for style in table.values())
    assert table[Role.DANGER].reverse
    assert table[Role.ALERT].reverse


def test_the_plain_look_keeps_to_the_eight_dark_colours() -> None:
    numbers = {
        colour.number
        for style in styles(PLAIN).values()
        for colour in (style.color, style.bgcolor)
        if colour is not None
    }
    assert numbers <= set(range(8))
