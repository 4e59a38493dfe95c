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
