import pytest

from liveos_tui.live.words import amount, duration, percent, size

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
