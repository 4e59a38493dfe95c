"""Untrusted text: nothing that a terminal acts on, nothing that a reader cannot see."""

import unicodedata

import pytest

from liveos_tui.formats.text import clean


@pytest.mark.parametrize(
    "text", ["", "LIVE", "Fedora-WS-Live 41", "Größe", "日本語", "[bold]x[/]", "\\"]
)
def test_plain_text_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x7f", r"\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\ud800", r"\ud800"),
        ("\udcff", r"\udcff"),
        ("\ue000", r"\ue000"),
        ("a\u2028b", r"a\u2028b"),
        ("a\u00a0b", r"a\xa0b"),
        ("a\u3164b", r"a\u3164b"),
        ("a\ufe0fb", r"a\ufe0fb"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_harmful_characters_become_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_mark_or_two_belong_to_a_letter_and_a_heap_does_not() -> None:
    assert clean("e\u0301\u0323") == "e\u0301\u0323"
    assert clean("x" + "\u20dd" * 3) == "x\u20dd\u20dd" + r"\u20dd"
    assert clean("e" + "\u0301" * 4) == "e\u0301\u0301" + r"\u0301\u0301"


def test_a_mark_without_a_letter_is_shown() -> None:
    assert clean("\u0301LIVE") == r"\u0301LIVE"


def test_bytes_that_are_not_utf8_become_visible() -> None:
    assert clean(b"caf\xe9 \x1b") == r"caf\xe9 \x1b"
    assert clean("Größe".encode()) == "Größe"


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 10])
def test_length_is_bounded(limit: int) -> None:
    assert len(clean("x" * 1000, limit)) == limit
    assert len(clean(b"\xff" * 1000, limit)) == limit


def test_text_of_just_the_limit_is_whole() -> None:
    assert clean("x" * 10, 10) == "x" * 10
    assert clean("x" * 11, 10) == "x" * 7 + "..."
    assert clean("日".encode() * 10, 10) == "日" * 10


@pytest.mark.parametrize("category", ["Cc", "Cf", "Cs", "Co", "Zl", "Zp"])
def test_no_character_of_a_harmful_category_passes(category: str) -> None:
    harmful = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) == category]
    assert harmful
    assert [c for c in harmful if clean("x" + c) == "x" + c] == []
