"""A few inputs for every parser; `make fuzz` feeds many."""

import subprocess
import sys
from pathlib import Path

import pytest
from engines import NotStoodError, feed, inputs
from targets import TARGETS, Target

RUNS = 150


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_stands_damaged_inputs(name: str) -> None:
    feed(TARGETS[name], RUNS)


def test_the_same_seed_gives_the_same_inputs() -> None:
    target = TARGETS["journal"]

    assert list(inputs(target, 50, 7)) == list(inputs(target, 50, 7))
    assert list(inputs(target, 50, 7)) != list(inputs(target, 50, 8))


def test_inputs_are_mostly_new_ones() -> None:
    for target in TARGETS.values():
        assert len(set(inputs(target, 100, 0))) > 60, target.name


def test_what_a_parser_does_not_stand_is_told_with_the_input() -> None:
    def check(data: bytes) -> None:
        assert b"2" not in data

    with pytest.raises(NotStoodError) as caught:
        feed(Target("digits", check, [b"1", b"12"]), 10)

    assert caught.value.data == b"12"


def test_an_input_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.SECONDS_EACH", 0.05)

    def check(data: bytes) -> None:
        while data:
            pass

    with pytest.raises(NotStoodError) as caught:
        feed(Target("endless", check, [b"x"]), 1)

    assert "more than" in str(caught.value.__cause__)


@pytest.mark.real_tools
def test_make_fuzz_tells_how_many_inputs_each_parser_got() -> None:
    program = Path(__file__).parent / "fuzz.py"
    argv = [sys.executable, str(program), "--engine", "damage", "--runs", "61", "size", "text"]
    finished = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[:3] == ["size", "31", "inputs"]
    assert "61 inputs to 2 parsers" in finished.stdout
    assert "no failures" in finished.stdout
