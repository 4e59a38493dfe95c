import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.live.words import amount, duration, need, percent, rounded_up, size

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 Bytes"),
        (512, "512 Bytes"),
        (8192, "8.0 KiB"),
        (425 * MIB, "425 MiB"),
        (int(1.79 * 1024 * MIB), "1.7 GiB"),
        (1024 * MIB - 1, "1023 MiB"),
        (None, "unknown"),
    ],
)
def test_sizes_are_in_binary_units_and_rounded_down(number: int | None, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 Bytes"),
        (512, "512 Bytes"),
        (8192, "8.0 KiB"),
        (8193, "8.1 KiB"),
        (28 * MIB, "28 MiB"),
        (28 * MIB + 1, "29 MiB"),
        (10 * MIB - 1, "10 MiB"),
        (int(1.71 * 1024 * MIB), "1.8 GiB"),
        (1024 * MIB - 1, "1.0 GiB"),
    ],
)
def test_what_is_needed_is_rounded_up(number: int, words: str) -> None:
    assert need(number) == words


@given(st.integers(0, 1 << 52))
def test_what_was_rounded_up_is_told_as_it_is(number: int) -> None:
    up = rounded_up(number)

    assert up >= number
    assert rounded_up(up) == up
    assert size(up) == need(number)


def test_of_nothing_that_is_left_it_is_said_that_it_is_nothing() -> None:
    assert amount(0) == "nothing"
    assert amount(512) == size(512)
    assert amount(None) == "unknown"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12, "less than a minute"),
        (60, "about 1 minute"),
        (17 * 60 + 59, "about 17 minutes"),
        (119 * 60, "about 119 minutes"),
        (3 * 3600, "about 3 hours"),
        (49 * 3600, "about 2 days"),
        (None, "unknown"),
    ],
)
def test_durations_are_about_one_unit(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_only_what_is_full_is_told_as_full() -> None:
    assert percent(0.9999) == "99 %"
    assert percent(1.0) == "100 %"
