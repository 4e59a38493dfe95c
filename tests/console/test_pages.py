"""A text that is longer than the screen can be read before it is asked about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Terminal, python

from liveos_tui.commands.paging import pages

LINUX = {"TERM": "linux", "LANG": "C.UTF-8"}
MORE, QUESTION = "Enter: more; q: to the question", "Type yes to save it"


def test_a_page_leaves_a_row_for_what_is_asked_below_it() -> None:
    assert [len(page) for page in pages(["line"] * 60, 80, 25)] == [24, 24, 12]


def test_the_last_page_leaves_room_for_the_question() -> None:
    assert [len(page) for page in pages(["line"] * 24, 80, 25)] == [23, 1]
    assert [len(page) for page in pages(["line"] * 21, 80, 25)] == [21]


def test_a_line_counts_with_all_rows_that_it_takes() -> None:
    assert [len(page) for page in pages(["x" * 161] * 8 + ["覆" * 41] * 8, 80, 25)] == [8, 8]


def test_what_is_wider_than_a_whole_page_is_told_all_the_same() -> None:
    assert list(pages(["x" * 9999], 80, 25)) == [["x" * 9999]]


_REPORT = r"""
import sys
from pathlib import Path
from liveos_tui.commands import reporting

reporting.bug_report = lambda *_: "".join(f"line {n}\x1b[2J\n" for n in range(1, 61))
sys.exit(reporting.report(sys.argv[1], sys.argv[2], yes=False))
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    arguments = (str(tmp_path), str(tmp_path / "report.txt"))
    opened = python(_REPORT, *arguments, environment=LINUX)
    yield opened
    opened.close()


@pytest.mark.real_tools
def test_a_report_is_read_page_by_page_before_it_is_saved(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.until(MORE)
    assert terminal.screen.display[0].startswith("line 1\\x1b[2J")
    assert terminal.screen.display[24].startswith("-- 24 of 60 lines.")
    terminal.go("\n", "-- 48 of 60")
    assert terminal.screen.display[0].startswith("line 25\\x1b")
    terminal.go("\n", QUESTION)
    assert "line 49" in "\n".join(terminal.screen.display)
    terminal.press("yes\n")
    assert terminal.exit_code() == 0
    assert "line 60" in (tmp_path / "report.txt").read_text()


@pytest.mark.real_tools
def test_q_leads_to_the_question_at_once(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until(MORE)
    terminal.go("q\n", QUESTION)
    assert "line 25" not in "\n".join(terminal.screen.display)
    terminal.press("no\n")
    assert terminal.exit_code() == 130
    assert list(tmp_path.iterdir()) == []
