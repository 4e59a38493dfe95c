"""The superblock of ext2, ext3 and ext4: size, room, state and names, without mounting.

The layout is in Documentation/filesystems/ext4/super.rst and fs/ext4/ext4.h of the kernel; all
numbers are little endian. The superblock lies at byte 1024 of the file system and is 1024 long.

Room is counted as `df` counts it (ext4_statfs in fs/ext4/super.c): the total leaves out what the
file system itself needs (bitmaps, inode tables, backups of superblock and descriptors, the
journal). Newer mke2fs and kernels write that figure down; where it is missing it is worked out as
`ext4_calculate_overhead` does since Linux 5.18. Before 5.18 the kernel left out the descriptor
blocks that are kept for growing, so `df` there shows a little more.

A mounted file system keeps its free blocks in memory and writes them here now and then; ask
statvfs there. With `needs_recovery` the journal may hold newer figures.
"""

import struct
import uuid
from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.errors import FormatError
from liveos_tui.formats.crc32c import crc32c
from liveos_tui.formats.text import clean

SUPERBLOCK_OFFSET = 1024
SUPERBLOCK_BYTES = 1024
EXT_MAGIC = 0xEF53

_STATE_VALID, _STATE_ERRORS, _STATE_ORPHANS = 1, 2, 4
_JOURNAL_INODE_BACKED_UP = 1
_CHECKSUM_CRC32C = 1
_CHECKSUM_OFFSET = 0x3FC
_LARGEST_BLOCK_LOG = 6  # 64 KiB
_KEPT_CLUSTERS = 4096  # ext4_set_resv_clusters: 2 % and at most this many are kept for extents

_COMPATIBLE = {
    0: "dir_prealloc", 1: "imagic_inodes", 2: "has_journal", 3: "ext_attr", 4: "resize_inode",
    5: "dir_index", 9: "sparse_super2", 10: "fast_commit", 11: "stable_inodes", 12: "orphan_file",
}  # fmt: skip
_INCOMPATIBLE = {
    0: "compression", 1: "filetype", 2: "needs_recovery", 3: "journal_dev", 4: "meta_bg",
    6: "extent", 7: "64bit", 8: "mmp", 9: "flex_bg", 10: "ea_inode", 12: "dirdata",
    13: "metadata_csum_seed", 14: "large_dir", 15: "inline_data", 16: "encrypt", 17: "casefold",
}  # fmt: skip
_READ_ONLY_COMPATIBLE = {
    0: "sparse_super", 1: "large_file", 3: "huge_file", 4: "uninit_bg", 5: "dir_nlink",
    6: "extra_isize", 8: "quota", 9: "bigalloc", 10: "metadata_csum", 12: "read-only",
    13: "project", 14: "shared_blocks", 15: "verity", 16: "orphan_present",
}  # fmt: skip
# What ext2 and ext3 know; anything else makes it an ext4 (libblkid, superblocks/ext.c).
_EXT2_KNOWS = frozenset(
    {"filetype", "meta_bg", "sparse_super", "large_file", *_COMPATIBLE.values()}
)
_EXT3_KNOWS = _EXT2_KNOWS | {"needs_recovery"}


class ExtKind(StrEnum):
    """Which of the three it is, by its features."""

    EXT2 = "ext2"
    EXT3 = "ext3"
    EXT4 = "ext4"


@dataclass(frozen=True, slots=True)
class ExtSuperblock:
    """What a superblock says. Blocks are of `block_bytes`; times are seconds since 1970.

    `valid` is the clean flag that unmounting sets, `errors` that the kernel or e2fsck found
    something wrong, `error_count` how often since the last check. `checksum_ok` is None where the
    file system has no checksums. `overhead_blocks` is None where it is neither written down nor
    can be worked out (an old bigalloc file system). `journal_blocks` is 0 without a journal of its
    own, None where only the journal's inode tells its size.
    """

    kind: ExtKind
    block_bytes: int
    blocks: int
    free_blocks: int
    reserved_blocks: int
    kept_blocks: int
    overhead_blocks: int | None
    valid: bool
    errors: bool
    orphans: bool
    error_count: int
    checksum_ok: bool | None
    features: frozenset[str]
    label: str
    uuid: str
    mount_time: int | None
    write_time: int | None
    last_mounted_on: str
    journal_blocks: int | None

    @property
    def size_bytes(self) -> int:
        """The size of the whole file system: a shorter image or device is cut."""
        return self.blocks * self.block_bytes

    @property
    def total_bytes(self) -> int | None:
        """The size that `df` shows: without the file system's own structures."""
        if self.overhead_blocks is None:
            return None
        return (self.blocks - self.overhead_blocks) * self.block_bytes

    @property
    def free_bytes(self) -> int:
        """Bytes in free blocks, those for root included."""
        return self.free_blocks * self.block_bytes

    @property
    def available_bytes(self) -> int:
        """Bytes that a person can still use, as `df` shows them."""
        taken = self.reserved_blocks + self.kept_blocks
        return max(0, self.free_blocks - taken) * self.block_bytes

    @property
    def used_bytes(self) -> int | None:
        """Bytes in use, as `df` shows them."""
        if self.total_bytes is None:
            return None
        return max(0, self.total_bytes - self.free_bytes)

    @property
    def needs_recovery(self) -> bool:
        """The journal holds changes that the file system does not: mounted, or cut off."""
        return "needs_recovery" in self.features

    @property
    def ill(self) -> bool:
        """Something is wrong with it: errors were noted, or the superblock itself is damaged."""
        return self.errors or self.error_count > 0 or self.checksum_ok is False

    @property
    def clean(self) -> bool:
        """Unmounted cleanly, with nothing found wrong. No proof: only e2fsck -f -n is."""
        return self.valid and not self.errors and not self.needs_recovery


def parse_superblock(data: bytes) -> ExtSuperblock:
    """Read the 1024 bytes from offset 1024 of a file system (`SUPERBLOCK_OFFSET`).

    Raises FormatError when they are too short, no superblock, or contradict themselves.
    """
    if len(data) < SUPERBLOCK_BYTES:
        raise FormatError("The ext superblock is cut short.")
    raw = _Fields(data[:SUPERBLOCK_BYTES])
    if raw.u16(0x38) != EXT_MAGIC:
        raise FormatError("There is no ext file system: its magic number is missing.")
    features = raw.features()
    if "journal_dev" in features:
        raise FormatError("This is the journal of another ext file system, not one by itself.")
    _check_plausible(raw)
    block_bytes = 1024 << raw.u32(0x18)
    wide = "64bit" in features
    blocks, reserved, free = (
        raw.u32(low) | (raw.u32(high) << 32 if wide else 0)
        for low, high in ((0x04, 0x150), (0x08, 0x154), (0x0C, 0x158))
    )
    if not blocks or free > blocks or reserved > blocks:
        raise FormatError("The ext superblock contradicts itself: its block counts do not fit.")
    cluster_blocks = 1 << max(0, raw.u32(0x1C) - raw.u32(0x18)) if "bigalloc" in features else 1
    written = raw.u32(0x248) * cluster_blocks
    if not 0 < written <= blocks:
        worked_out = _overhead(raw, blocks, block_bytes, features)
        written = worked_out if worked_out is not None else -1
    state = raw.u16(0x3A)
    clusters = blocks // cluster_blocks
    kept = min(clusters // 50, _KEPT_CLUSTERS) if "extent" in features else 0
    return ExtSuperblock(
        kind=_kind(features, unknown=raw.unknown_features()),
        block_bytes=block_bytes,
        blocks=blocks,
        free_blocks=free,
        reserved_blocks=reserved,
        kept_blocks=kept * cluster_blocks,
        overhead_blocks=written if 0 <= written <= blocks else None,
        valid=bool(state & _STATE_VALID),
        errors=bool(state & _STATE_ERRORS),
        orphans=bool(state & _STATE_ORPHANS),
        error_count=raw.u32(0x194),
        checksum_ok=_checksum_ok(raw) if "metadata_csum" in features else None,
        features=features,
        label=raw.text(0x78, 16),
        uuid=str(uuid.UUID(bytes=raw.data[0x68:0x78])),
        mount_time=raw.time(0x2C, 0x275),
        write_time=raw.time(0x30, 0x274),
        last_mounted_on=raw.text(0x88, 64),
        journal_blocks=_journal_blocks(raw, block_bytes, features),
    )


class _Fields:
    """Little endian fields of a superblock, by offset."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def u8(self, offset: int) -> int:
        return self.data[offset]

    def u16(self, offset: int) -> int:
        return int.from_bytes(self.data[offset : offset + 2], "little")

    def u32(self, offset: int) -> int:
        return int.from_bytes(self.data[offset : offset + 4], "little")

    def text(self, offset: int, length: int) -> str:
        return clean(self.data[offset : offset + length].split(b"\0", 1)[0])

    def time(self, low: int, high: int) -> int | None:
        """Seconds since 1970, 40 bits; None for never."""
        return self.u32(low) | self.u8(high) << 32 or None

    def _feature_words(self) -> tuple[tuple[int, dict[int, str]], ...]:
        if self.u32(0x4C) == 0:  # revision 0 has no features
            return ()
        return (
            (self.u32(0x5C), _COMPATIBLE),
            (self.u32(0x60), _INCOMPATIBLE),
            (self.u32(0x64), _READ_ONLY_COMPATIBLE),
        )

    def features(self) -> frozenset[str]:
        return frozenset(
            name for word, names in self._feature_words() for bit, name in names.items()
            if word & 1 << bit
        )  # fmt: skip

    def unknown_features(self) -> bool:
        """Whether a feature that ext2 and ext3 would have to know is none of ours."""
        return any(
            word & ~sum(1 << bit for bit in names) for word, names in self._feature_words()[1:]
        )


def _check_plausible(raw: _Fields) -> None:
    block_log, cluster_log = raw.u32(0x18), raw.u32(0x1C)
    if block_log > _LARGEST_BLOCK_LOG or cluster_log > 29:
        raise FormatError("The ext superblock contradicts itself: no such block size.")
    if not raw.u32(0x20) or not raw.u32(0x28):
        raise FormatError("The ext superblock contradicts itself: its groups are empty.")


def _kind(features: frozenset[str], *, unknown: bool) -> ExtKind:
    if unknown or features - _EXT3_KNOWS:
        return ExtKind.EXT4
    return ExtKind.EXT3 if "has_journal" in features else ExtKind.EXT2


def _overhead(raw: _Fields, blocks: int, block_bytes: int, features: frozenset[str]) -> int | None:
    """Blocks that the file system needs for itself, group by group without visiting each."""
    journal = _journal_blocks(raw, block_bytes, features)
    if journal is None or "bigalloc" in features:
        return None
    first_block, per_group = raw.u32(0x14), raw.u32(0x20)
    groups = -(-max(0, blocks - first_block) // per_group)
    inode_bytes = raw.u16(0x58) if raw.u32(0x4C) else 128
    inode_tables = raw.u32(0x28) // max(1, block_bytes // max(1, inode_bytes))
    descriptors_per_block = block_bytes // max(32, raw.u16(0xFE) if "64bit" in features else 32)
    if not descriptors_per_block:
        return None
    supers = _supers_below(raw, groups, features)
    if "meta_bg" in features:
        first_meta = raw.u32(0x104)
        old_groups = first_meta * descriptors_per_block
        descriptors = first_meta * _supers_below(raw, min(groups, old_groups), features)
        descriptors += _meta_descriptors(groups, old_groups, descriptors_per_block)
    else:
        kept = raw.u16(0xCE) if "resize_inode" in features else 0
        descriptors = supers * (-(-groups // descriptors_per_block) + kept)
    # Two bitmaps in every group.
    return first_block + supers + descriptors + groups * (inode_tables + 2) + journal


def _meta_descriptors(groups: int, first: int, per_meta_group: int) -> int:
    """Descriptor blocks of meta groups: in the first, the second and the last group of each."""
    full, rest = divmod(max(0, groups - first), per_meta_group)
    return full * 3 + min(rest, 2)


def _supers_below(raw: _Fields, limit: int, features: frozenset[str]) -> int:
    """How many of the groups below `limit` have a copy of superblock and descriptors.

    Counted without visiting the groups: a damaged superblock can claim 2^64 of them.
    """
    if "sparse_super2" in features:
        return sum(1 for group in {0, raw.u32(0x24C), raw.u32(0x250)} if group < limit)
    if "sparse_super" not in features:
        return max(0, limit)
    count = min(2, max(0, limit))
    for base in (3, 5, 7):
        power = base
        while power < limit:
            count += 1
            power *= base
    return count


def _journal_blocks(raw: _Fields, block_bytes: int, features: frozenset[str]) -> int | None:
    """The size of the journal inside the file system; None where only its inode tells."""
    if "has_journal" not in features or not raw.u32(0xE0):
        return 0
    if raw.u8(0xFD) != _JOURNAL_INODE_BACKED_UP:
        return None
    # The backup of the journal's inode: 15 block pointers, the size's high and low half.
    high, low = struct.unpack_from("<II", raw.data, 0x10C + 15 * 4)
    return int(high << 32 | low) // block_bytes


def _checksum_ok(raw: _Fields) -> bool | None:
    if raw.u8(0x175) != _CHECKSUM_CRC32C:
        return None
    return crc32c(raw.data[:_CHECKSUM_OFFSET]) == raw.u32(_CHECKSUM_OFFSET)
