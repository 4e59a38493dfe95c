"""Which bytes an ext file system uses, from what dumpe2fs has printed (tests/data/dumpe2fs)."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.free_blocks import Range, UsedBlocks

DATA = Path(__file__).parents[1] / "data" / "dumpe2fs"
HEADER = b"Block count: 100\nBlock size:  1024\nFirst block: 1\n"


def ranges(data: bytes) -> tuple[Range, ...]:
    blocks = UsedBlocks()
    blocks.feed(data)
    return blocks.ranges()


def test_groups_that_were_never_initialised_have_their_bitmaps_in_use() -> None:
    found = ranges((DATA / "small-blocks.out").read_bytes())
    # As the group's own "Free blocks" say: 2843-8192, 8451-16384, 20481-24576 ...
    assert found == (
        (0, 2843 * 1024),
        (8193 * 1024, 8451 * 1024),
        (16385 * 1024, 20481 * 1024),
        (24577 * 1024, 24835 * 1024),
    )


def test_used_and_free_blocks_are_all_blocks() -> None:
    found = ranges((DATA / "uninit-groups.out").read_bytes())
    assert sum(end - start for start, end in found) == (76800 - 67812) * 4096


def test_what_lies_before_the_first_block_is_in_use() -> None:
    assert ranges(HEADER + b"  Free blocks: 2-98\n") == ((0, 2048), (99 * 1024, 100 * 1024))


def test_single_blocks_and_groups_without_free_ones() -> None:
    output = HEADER + b"  Free blocks: 5, 7-8\n  Free blocks: \n"
    assert ranges(output) == (
        (0, 5 * 1024),
        (6 * 1024, 7 * 1024),
        (9 * 1024, 100 * 1024),
    )


def test_while_the_journal_holds_changes_everything_is_in_use() -> None:
    output = HEADER + b"Filesystem features:      has_journal needs_recovery\n  Free blocks: 5-90\n"
    assert ranges(output) == ((0, 100 * 1024),)


@pytest.mark.parametrize("output", [b"", b"Block count: 5\n", HEADER + b"  Free blocks: 5-100\n"])
def test_what_makes_no_sense_is_told(output: bytes) -> None:
    with pytest.raises(FormatError):
        ranges(output)


@given(st.lists(st.integers(0, 3000), max_size=8))
def test_any_split_gives_the_same_ranges(cuts: list[int]) -> None:
    data = (DATA / "uninit-groups.out").read_bytes()
    blocks = UsedBlocks()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(bounds):
        blocks.feed(data[start:end])
    assert blocks.ranges() == ranges(data)
