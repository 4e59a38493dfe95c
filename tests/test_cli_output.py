"""The last door of the command line: what is printed is text, whoever wrote it."""

import pytest

from liveos_tui.commands.output import complain, harmless, say
from liveos_tui.errors import LiveosError

HARM = "a\x1b[2J\x9b6n\x07\x7f\u202e\udc9b"
SHOWN = r"a\x1b[2J\x9b6n\x07\x7f\u202e\udc9b"


def test_what_a_terminal_acts_on_is_printed_as_an_escape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(f"{HARM}\n")
    complain(LiveosError(HARM, HARM))
    printed = capsys.readouterr()

    assert printed.out == f"{SHOWN}\n"
    assert printed.err == f"liveos-tui: {SHOWN}\n{SHOWN}\n"


def test_lines_progress_and_letters_of_all_scripts_stay() -> None:
    text = "one\n\rtwo  42 %\r Gr\u00f6\u00dfe \u8986\u76d6\n"

    assert harmless(text) == text


LONG = "The overlay would have to grow, and there is no room on /run/media/someone/STICK for it."


def test_an_error_is_broken_between_words_where_a_terminal_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    complain(LiveosError(LONG, LONG))
    lines = capsys.readouterr().err.splitlines()

    assert max(map(len, lines)) < 40
    assert " ".join(lines) == f"liveos-tui: {LONG} {LONG}"


def test_a_path_that_is_longer_than_a_line_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    complain(LiveosError(LONG))

    assert "/run/media/someone/STICK" in capsys.readouterr().err.splitlines()


def test_for_a_script_an_error_is_one_line_and_its_hint_another(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    complain(LiveosError(LONG, LONG))

    assert capsys.readouterr().err == f"liveos-tui: {LONG}\n{LONG}\n"
