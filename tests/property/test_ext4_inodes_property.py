"""Made-up file systems, some hostile: the changes that a slow comparison finds, or one error."""

import contextlib
import struct
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.ext4_inodes import Change, inode_changes

DATA = Path(__file__).parents[1] / "data" / "ext"
# 64 MiB with blocks of 1 KiB; "ext2" has descriptors of 32 bytes and inodes of 128.
SUPERBLOCKS = [(DATA / f"{name}.superblock").read_bytes() for name in ("ext4", "ext4-old")]
DELICATE = [0x00, 0x04, 0x14, 0x18, 0x20, 0x28, 0x4C, 0x54, 0x58, 0x60, 0x64, 0xFE, 0x150]
EXTREME = st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF]) | st.integers(0, 2**32 - 1)
MODES = st.sampled_from([0o100644, 0o040755, 0o120777, 0o020600])
TABLE_BLOCK = 300


class Made:
    """A file system of which only superblock, descriptors and a few inodes are there."""

    def __init__(self, superblock: bytes) -> None:
        self.superblock = superblock
        self.inodes: dict[int, bytes] = {}
        self.per_group = int.from_bytes(superblock[0x28:0x2C], "little")
        self.inode_bytes = int.from_bytes(superblock[0x58:0x5A], "little")
        wide = superblock[0x60] & 0x80
        self.descriptor_bytes = int.from_bytes(superblock[0xFE:0x100], "little") if wide else 32
        self.table = self.per_group * self.inode_bytes
        self.damage: dict[int, bytes] = {}

    def start(self, group: int) -> int:
        return TABLE_BLOCK * 1024 + group * self.table

    def place(self, inode: int) -> int:
        group, index = divmod(inode - 1, self.per_group)
        return self.start(group) + index * self.inode_bytes

    def image(self) -> bytearray:
        groups = 8
        data = bytearray(self.start(groups))
        data[1024:2048] = self.superblock
        for group in range(groups):
            at = 2048 + group * self.descriptor_bytes
            struct.pack_into("<I", data, at + 8, self.start(group) // 1024)
        for inode, raw in self.inodes.items():
            place = self.place(inode)
            data[place : place + len(raw)] = raw
        for at, raw in self.damage.items():
            data[at : at + len(raw)] = raw
        return data


def inode(mode: int, links: int, size: int, mtime: int, atime: int) -> bytes:
    raw = bytearray(128)
    struct.pack_into("<HHIIIII", raw, 0, mode, 0, size, atime, 0, mtime, 0)
    struct.pack_into("<H", raw, 0x1A, links)
    return bytes(raw)


FIELDS = st.tuples(
    MODES, st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)
)
FILES = st.dictionaries(st.integers(11, 4 * 2048), FIELDS, max_size=30)


def expected(
    old: Mapping[int, tuple[int, ...]], new: Mapping[int, tuple[int, ...]]
) -> set[tuple[int, Change]]:
    found = set()
    for number in old.keys() | new.keys():
        before, after = (each.get(number, (0, 0)) for each in (old, new))
        if before[1] and after[1] and before[0] == after[0]:
            if before[:4] != after[:4]:
                found.add((number, Change.CHANGED))
            continue
        if before[1]:
            found.add((number, Change.DELETED))
        if after[1]:
            found.add((number, Change.NEW))
    return found


@given(st.sampled_from(SUPERBLOCKS), FILES, FILES, st.data())
def test_the_changes_of_a_slow_comparison(
    superblock: bytes,
    old: dict[int, tuple[int, int, int, int, int]],
    new: dict[int, tuple[int, int, int, int, int]],
    data: st.DataObject,
) -> None:
    base, view = Made(superblock), Made(superblock)
    base.inodes = {number: inode(*fields) for number, fields in old.items()}
    view.inodes = {number: inode(*fields) for number, fields in new.items()}
    one, two = bytes(base.image()), bytes(view.image())
    size = data.draw(st.sampled_from([512, 4096, 65536]))
    chunks = [
        number
        for number in range(-(-len(one) // size))
        if one[number * size : (number + 1) * size] != two[number * size : (number + 1) * size]
    ]
    shuffled = data.draw(st.permutations(chunks))

    found = list(
        inode_changes(lambda a, n: one[a : a + n], lambda a, n: two[a : a + n], shuffled, size)
    )

    assert len(found) == len(set(found))
    assert {(each.inode, each.change) for each in found} == expected(old, new)


@given(
    st.sampled_from(SUPERBLOCKS),
    st.lists(st.tuples(st.sampled_from(DELICATE), EXTREME), max_size=4),
    st.dictionaries(st.integers(1024, 4096), st.binary(min_size=1, max_size=40), max_size=3),
    st.lists(st.integers(0, 2**40), max_size=10),
)
def test_hostile_superblocks_and_descriptors(
    superblock: bytes,
    changes: list[tuple[int, int]],
    damage: dict[int, bytes],
    chunks: list[int],
) -> None:
    made = Made(superblock)
    made.damage = {1024 + at: value.to_bytes(4, "little") for at, value in changes} | damage
    data = bytes(made.image())

    def read(offset: int, size: int) -> bytes:
        assert size <= 1 << 16
        return data[offset : offset + size]

    with contextlib.suppress(FormatError):
        assert not list(inode_changes(read, read, [*range(200), *chunks]))
