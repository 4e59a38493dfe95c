"""Damaged superblocks: a value whose figures fit each other, or one error, and at once."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.ext4 import ExtSuperblock, parse_superblock
from liveos_tui.formats.ext4_groups import read_groups

DATA = Path(__file__).parents[1] / "data" / "ext"
REAL = [path.read_bytes() for path in sorted(DATA.glob("*.superblock"))]
# Fields that loops and divisions hang on: block counts, sizes, groups, inodes, descriptors.
DELICATE = [0x04, 0x14, 0x18, 0x1C, 0x20, 0x28, 0x4C, 0x58, 0x5C, 0x60, 0x64, 0xCE, 0xFC, 0x104,
            0x150, 0x154, 0x158, 0x14C, 0x248, 0x24C]  # fmt: skip
EXTREME = st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF]) | st.integers(0, 2**32 - 1)


def plausible(found: ExtSuperblock) -> bool:
    used, total = found.used_bytes, found.total_bytes
    return (
        found.blocks > 0
        and 0 <= found.available_bytes <= found.free_bytes <= found.size_bytes
        and (used is None) == (total is None)
        and (used is None or total is None or 0 <= used <= total <= found.size_bytes)
    )


@given(
    st.sampled_from(REAL),
    st.lists(st.tuples(st.sampled_from(DELICATE), EXTREME), max_size=8),
)
def test_hostile_fields(data: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(data)
    for offset, value in changes:
        changed[offset : offset + 4] = value.to_bytes(4, "little")
    with contextlib.suppress(FormatError):
        assert plausible(parse_superblock(bytes(changed)))
    groups = read_groups(bytes(1024) + bytes(changed) + bytes(64 << 10))
    assert groups is None or 0 < len(groups.bitmaps) <= 66 << 5


@given(st.binary(max_size=2048))
def test_random_bytes(data: bytes) -> None:
    changed = bytearray(data)
    changed[0x38:0x3A] = b"\x53\xef"
    with contextlib.suppress(FormatError):
        assert plausible(parse_superblock(bytes(changed)))


@given(st.sampled_from(REAL), st.integers(0, 1023))
def test_a_cut_superblock_is_refused(data: bytes, length: int) -> None:
    with pytest.raises(FormatError):
        parse_superblock(data[:length])
