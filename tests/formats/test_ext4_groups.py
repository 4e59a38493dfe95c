"""Which blocks are in use, held against what dumpe2fs says of file systems that mkfs.ext4 made."""

import re
import subprocess
from pathlib import Path

import pytest

from liveos_tui.formats.ext4_groups import read_groups

pytestmark = pytest.mark.real_tools


def run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def make(path: Path, *options: str) -> bytes:
    """A file system of three groups or more; its bytes."""
    run("mkfs.ext4", "-q", *options, str(path), "40M")
    return path.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        ("-b", "1024"),
        ("-b", "1024", "-O", "64bit"),
        ("-b", "4096", "-g", "2048"),
        ("-b", "1024", "-O", "^64bit,^flex_bg,^metadata_csum,^uninit_bg"),
    ],
)
def test_free_blocks_and_bitmaps_are_where_dumpe2fs_finds_them(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    data = make(tmp_path / "image", *options)
    said = run("dumpe2fs", str(tmp_path / "image"))

    groups = read_groups(data[: 64 << 10])

    assert groups is not None
    bitmaps = re.findall(r"^  Block bitmap at (\d+)", said, re.MULTILINE)
    assert len(bitmaps) > 2
    assert groups.bitmaps == tuple(int(at) * groups.block_bytes for at in bitmaps)
    free = re.search(r"^Free blocks: +(\d+)", said, re.MULTILINE)
    assert free is not None
    assert groups.free_blocks == int(free[1])


def test_a_block_is_counted_from_the_first_of_its_group(tmp_path: Path) -> None:
    groups = read_groups(make(tmp_path / "image", "-b", "1024"))

    assert groups is not None
    # With blocks of 1 KiB the first group begins with block 1.
    assert groups.place(1024) == (0, 0)
    assert groups.place(8192 * 1024) == (0, 8191)
    assert groups.place(8193 * 1024) == (1, 0)


def test_descriptors_that_are_not_all_there_tell_nothing(tmp_path: Path) -> None:
    data = make(tmp_path / "image", "-b", "1024")

    assert read_groups(data[:2060]) is None
    assert read_groups(bytes(4096)) is None


def test_descriptors_that_are_spread_tell_nothing(tmp_path: Path) -> None:
    data = make(tmp_path / "image", "-b", "1024", "-O", "meta_bg,^resize_inode")

    assert read_groups(data) is None
