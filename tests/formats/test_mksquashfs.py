"""What real runs of mksquashfs have printed (tests/data/mksquashfs)."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.mksquashfs import (
    MksquashfsOutput,
    SquashEvent,
    SquashFraction,
    SquashLine,
    parse_compressors,
    parse_version,
)

DATA = Path(__file__).parents[1] / "data" / "mksquashfs"
RUNS = [path.read_bytes() for path in sorted(DATA.glob("*.out"))]


def events(data: bytes) -> list[SquashEvent]:
    output = MksquashfsOutput()
    return output.feed(data) + output.close()


def lines(name: str) -> list[str]:
    read = events((DATA / name).read_bytes())
    return [event.text for event in read if isinstance(event, SquashLine)]


def fractions(data: bytes) -> list[float]:
    return [event.fraction for event in events(data) if isinstance(event, SquashFraction)]


def test_a_bar_on_a_terminal_grows_to_its_end() -> None:
    found = fractions((DATA / "good.out").read_bytes())
    assert len(found) > 5
    assert found == sorted(found)
    assert found[-1] == 1.0


def test_lines_are_told_without_the_bar() -> None:
    found = lines("good.out")
    assert found[0] == "Parallel mksquashfs: Using 2 processors"
    assert "Number of files 1" in found
    assert not any("[=" in line for line in found)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("dies.out", "Failed to read file LiveOS/rootfs.img"),
        ("nospace.out", "FATAL ERROR: Failed to write to output filesystem"),
        ("missing.out", 'Cannot stat source directory "gone" because No such file or directory'),
        ("quiet-failure.out", "Failed to read file f, creating empty file"),
    ],
)
def test_a_failing_run_says_why_at_its_end(name: str, last: str) -> None:
    assert lines(name)[-1] == last


def test_lines_of_a_number_are_a_percentage() -> None:
    assert fractions(b"0\n7\n100\n") == [0.0, 0.07, 1.0]


def test_a_bar_without_blocks_is_at_its_start() -> None:
    assert fractions(b"\r[/     ] 0/0 100%\n") == [0.0]


def test_lines_are_harmless_and_bounded() -> None:
    assert events(b"\x1b[31mred\n" + b"a" * 100_000 + b"\nend\n") == [
        SquashLine("\\x1b[31mred"),
        SquashLine("end"),
    ]


@given(st.sampled_from(RUNS) | st.binary(max_size=300), st.lists(st.integers(0, 2000), max_size=8))
def test_any_split_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    output = MksquashfsOutput()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    split: list[SquashEvent] = []
    for start, end in pairwise(bounds):
        split += output.feed(data[start:end])
    assert split + output.close() == events(data)


def test_the_version_is_read() -> None:
    assert parse_version((DATA / "version.out").read_bytes()) == (4, 5, 1)
    assert parse_version(b"mksquashfs version 4.4 (2019/08/29)\n") == (4, 4, 0)
    assert parse_version(b"mksquashfs version 4.7.4-git.1 (2025/11/03)\n") == (4, 7, 4)
    assert parse_version(b"no such program\n") is None


def test_the_compressors_of_a_build_are_read() -> None:
    found = parse_compressors((DATA / "compressors.out").read_bytes())
    assert found == {"gzip", "lzo", "lz4", "xz", "zstd", "lzma"}
    assert parse_compressors(b"\tnothing\n") == frozenset()
