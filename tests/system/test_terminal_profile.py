import pytest

from liveos_tui.system.terminal import Contrast, Look, TerminalProfile, profile


def test_a_true_colour_terminal_gets_the_rich_look() -> None:
    environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "en_GB.UTF-8"}

    assert profile(environment) == TerminalProfile(Look.RICH)


def test_the_text_console_is_plain_and_shows_line_drawing() -> None:
    assert profile({"TERM": "linux", "LANG": "C"}) == TerminalProfile(Look.PLAIN)


def test_no_color_is_monochrome() -> None:
    environment = {"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "NO_COLOR": "1"}

    assert profile(environment) == TerminalProfile(Look.PLAIN, colour=False)


@pytest.mark.parametrize("term", ["vt100", "vt220", "dumb"])
def test_old_terminals_are_monochrome(term: str) -> None:
    assert not profile({"TERM": term, "LANG": "C.UTF-8"}).colour


def test_old_terminals_get_ascii() -> None:
    assert not profile({"TERM": "vt100", "LANG": "C.UTF-8"}).unicode


def test_a_locale_without_utf8_gets_ascii() -> None:
    assert not profile({"TERM": "screen", "LANG": "C"}).unicode


def test_lc_all_overrules_lang() -> None:
    assert profile({"TERM": "screen", "LC_ALL": "C.UTF-8", "LANG": "C"}).unicode


def test_a_serial_line_is_plain_and_sampled_less_often() -> None:
    environment = {"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    serial = profile(environment, "/dev/ttyS0")

    assert (serial.look, serial.serial, serial.sample_seconds) == (Look.PLAIN, True, 5.0)


def test_the_person_overrules() -> None:
    assert profile({"TERM": "linux"}, look=Look.RICH).look is Look.RICH


def test_high_contrast_is_asked_for_once_and_for_all_or_for_one_time() -> None:
    always = {"TERM": "linux", "LIVEOS_TUI_CONTRAST": "high"}

    assert profile({"TERM": "linux"}).contrast is Contrast.NORMAL
    assert profile(always).contrast is Contrast.HIGH
    assert profile({"TERM": "linux"}, contrast=Contrast.HIGH).contrast is Contrast.HIGH
    assert profile(always, contrast=Contrast.NORMAL).contrast is Contrast.NORMAL
