"""Superblocks made by mke2fs, held against `dumpe2fs -h` and `stat -f` (tests/data/ext)."""

from pathlib import Path

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.crc32c import crc32c
from liveos_tui.formats.ext4 import ExtKind, ExtSuperblock, parse_superblock

DATA = Path(__file__).parents[1] / "data" / "ext"
UUID = "4c8f3b8e-8a0a-4f2b-9d53-6d3f5f1d2a11"
OVERHEAD_OFFSET = 0x248

# Name, then from `stat -f`: block size, blocks, free, available.
ROOM = [
    ("ext2", 1024, 3820, 3806, 3602),
    ("ext3", 1024, 14201, 14182, 13363),
    ("ext4", 1024, 56037, 56023, 51437),
    ("ext4-old", 1024, 56042, 56028, 51442),
    ("bigalloc", 4096, 126416, 126368, 117207),
    ("sparse2", 1024, 56553, 56539, 51953),
    ("metabg", 1024, 57320, 57307, 52721),
    ("nojournal", 1024, 60133, 60119, 58809),
    ("large", 4096, 1610114538, 1610114531, 1529579799),
    ("unmounted", 1024, 14073, 8939, 7793),
]


def raw(name: str) -> bytes:
    return (DATA / f"{name}.superblock").read_bytes()


def read(name: str) -> ExtSuperblock:
    return parse_superblock(raw(name))


def patched(name: str, offset: int, value: bytes) -> bytes:
    data = raw(name)
    return data[:offset] + value + data[offset + len(value) :]


@pytest.mark.parametrize(("name", "block", "blocks", "free", "available"), ROOM)
def test_room_agrees_with_the_mounted_file_system(
    name: str, block: int, blocks: int, free: int, available: int
) -> None:
    found = read(name)
    assert found.block_bytes == block
    assert found.total_bytes == blocks * block
    assert found.free_bytes == free * block
    assert found.used_bytes == (blocks - free) * block
    assert found.available_bytes == available * block


@pytest.mark.parametrize(
    ("name", "block", "blocks", "free", "available"), [row for row in ROOM if row[0] != "bigalloc"]
)
def test_room_is_worked_out_where_the_overhead_is_not_written_down(
    name: str, block: int, blocks: int, free: int, available: int
) -> None:
    found = parse_superblock(patched(name, OVERHEAD_OFFSET, bytes(4)))
    assert found.total_bytes == blocks * block
    assert found.used_bytes == (blocks - free) * block


def test_room_is_unknown_where_it_can_not_be_worked_out() -> None:
    found = parse_superblock(patched("bigalloc", OVERHEAD_OFFSET, bytes(4)))
    assert (found.total_bytes, found.used_bytes) == (None, None)
    assert found.size_bytes == 512 * 1024 * 1024


def test_an_overhead_larger_than_the_file_system_is_not_believed() -> None:
    found = parse_superblock(patched("ext4-old", OVERHEAD_OFFSET, b"\xff\xff\xff\xff"))
    assert found.total_bytes == 56042 * 1024


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [
        ("ext2", ExtKind.EXT2, "ext2"),
        ("ext3", ExtKind.EXT3, "ext3"),
        ("ext4", ExtKind.EXT4, "practice"),
        ("nojournal", ExtKind.EXT4, ""),
    ],
)
def test_kind_and_names(name: str, kind: ExtKind, label: str) -> None:
    found = read(name)
    assert (found.kind, found.label, found.uuid) == (kind, label, UUID)


def test_size_of_a_file_system_beyond_32_bits_of_bytes() -> None:
    assert read("large").size_bytes == 6 * 1024**4


def test_features_have_the_names_of_dumpe2fs() -> None:
    told = (
        "has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super "
        "large_file huge_file dir_nlink extra_isize metadata_csum"
    )
    assert read("ext4").features == frozenset(told.split(" "))
    assert "bigalloc" in read("bigalloc").features


def test_a_new_file_system_is_clean() -> None:
    found = read("ext4")
    assert found.clean
    assert found.mount_time is None
    assert found.write_time == 1_700_000_000


def test_a_mounted_file_system_needs_recovery_and_its_counts_lag_behind() -> None:
    mounted, unmounted = read("mounted"), read("unmounted")
    assert mounted.needs_recovery
    assert not mounted.clean
    assert mounted.free_blocks > unmounted.free_blocks
    assert mounted.last_mounted_on == "/mnt"
    assert mounted.mount_time is not None


def test_errors_are_told() -> None:
    found = read("errors")
    assert (found.errors, found.valid, found.error_count, found.clean) == (True, False, 3, False)


def test_a_checksum_that_does_not_fit_is_told() -> None:
    assert read("ext4").checksum_ok is True
    assert parse_superblock(patched("ext4", 0x78, b"PRACTICE")).checksum_ok is False
    assert read("ext4-old").checksum_ok is None


def test_crc32c_of_the_known_vector() -> None:
    assert crc32c(b"123456789") ^ 0xFFFFFFFF == 0xE3069283


def test_a_label_cannot_reach_the_terminal() -> None:
    found = parse_superblock(patched("ext4-old", 0x78, b"\x1b[2Jx\0\0\0\0\0\0\0\0\0\0\0"))
    assert found.label == r"\x1b[2Jx"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut short"),
        (raw("ext4")[:1023], "cut short"),
        (bytes(1024), "magic number is missing"),
        (patched("ext4", 0x18, b"\x07\0\0\0"), "no such block size"),
        (patched("ext4", 0x20, bytes(4)), "groups are empty"),
        (patched("ext4", 0x04, bytes(4)), "block counts do not fit"),
        (patched("ext4", 0x0C, b"\xff\xff\xff\xff"), "block counts do not fit"),
        (patched("ext4", 0x60, b"\x08\0\0\0"), "journal of another"),
    ],
)
def test_what_is_no_superblock_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_superblock(data)
