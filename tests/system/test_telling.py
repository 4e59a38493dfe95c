"""What is told of the programs that a job starts."""

from typing import cast

import pytest

from liveos_tui.system.devicemapper import KernelDeviceMapper
from liveos_tui.system.runner import Finished, Runner
from liveos_tui.system.telling import TellingRunner


class Silent:
    """Runs nothing."""

    def run(self, argv: tuple[str, ...], **_: object) -> Finished:
        return Finished(tuple(argv), 0, b"", b"")


@pytest.fixture
def runner() -> TellingRunner:
    return TellingRunner(cast("Runner", Silent()))


@pytest.fixture
def told(runner: TellingRunner) -> list[tuple[str, ...]]:
    told: list[tuple[str, ...]] = []
    runner.told = told.append
    return told


def test_what_makes_something_is_told(runner: TellingRunner, told: list[tuple[str, ...]]) -> None:
    made = [("mount", "-o", "ro", "a", "b"), ("losetup", "--find", "--show", "c")]
    for argv in made:
        runner.run(argv)

    assert told == made


@pytest.mark.parametrize(
    "argv",
    [
        ("losetup", "--json", "--list"),
        ("losetup", "--detach", "/dev/loop3"),
        ("dmsetup", "status", "--noflush"),
        ("dmsetup", "remove", "--retry", "it"),
        ("umount", "b"),
        ("mount", "-o", "remount,ro", "b"),
    ],
)
def test_what_looks_or_takes_down_is_not(
    runner: TellingRunner, told: list[tuple[str, ...]], argv: tuple[str, ...]
) -> None:
    runner.run(argv)

    assert told == []


def test_a_table_is_told_line_by_line(runner: TellingRunner, told: list[tuple[str, ...]]) -> None:
    KernelDeviceMapper(runner).create("it", "0 8 linear 7:0 0\n8 8 linear 7:1 8", read_only=True)

    assert told == [
        ("dmsetup", "create", "--readonly", "it",
         "--table", "0 8 linear 7:0 0", "--table", "8 8 linear 7:1 8"),
    ]  # fmt: skip
