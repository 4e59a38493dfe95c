"""Which blocks an ext file system uses, group by group, as its descriptors and bitmaps say.

Layout: Documentation/filesystems/ext4 of the kernel (group_descr.rst, bitmaps.rst). Nothing here
opens a file: the start of the file system is handed in, and its bitmaps.

A mounted file system writes its descriptors down every few seconds, its superblock's count of free
blocks hardly ever.
"""

import struct
from dataclasses import dataclass

from liveos_tui.errors import FormatError
from liveos_tui.formats.ext4 import SUPERBLOCK_OFFSET, parse_superblock


@dataclass(frozen=True, slots=True)
class BlockGroups:
    """The groups of a file system. `bitmaps` are the bytes where their block bitmaps begin."""

    block_bytes: int
    first_block: int
    blocks_per_group: int
    free_blocks: int
    bitmaps: tuple[int, ...]

    def place(self, offset: int) -> tuple[int, int]:
        """The group, and the block in it, of a byte of the file system."""
        block = max(0, offset // self.block_bytes - self.first_block)
        return divmod(block, self.blocks_per_group)


def read_groups(head: bytes) -> BlockGroups | None:
    """The groups, by the first bytes of a file system; None where they cannot be told from those.

    That is no ext file system, one with more groups than there are bytes for, or one of a layout
    that is not known here (meta_bg, bigalloc).
    """
    try:
        superblock = parse_superblock(head[SUPERBLOCK_OFFSET:])
    except FormatError:
        return None
    if superblock.features & {"meta_bg", "bigalloc"}:
        return None
    first_block, per_group = (
        struct.unpack_from("<I", head, SUPERBLOCK_OFFSET + offset)[0] for offset in (0x14, 0x20)
    )
    wide = "64bit" in superblock.features
    size = struct.unpack_from("<H", head, SUPERBLOCK_OFFSET + 0xFE)[0] if wide else 32
    if size not in {32, 64}:
        return None
    # The descriptors follow the superblock's block.
    begin = (first_block + 1) * superblock.block_bytes
    end = begin + -(-(superblock.blocks - first_block) // per_group) * size
    if not begin < end <= len(head):
        return None
    raws = [head[at : at + size] for at in range(begin, end, size)]
    free = sum(_number(raw, 0x0C, 0x2C, 2) for raw in raws)
    if free > superblock.blocks:
        return None
    return BlockGroups(
        superblock.block_bytes,
        first_block,
        per_group,
        free,
        tuple(_number(raw, 0x00, 0x20, 4) * superblock.block_bytes for raw in raws),
    )


def _number(raw: bytes, low: int, high: int, size: int) -> int:
    """A number of a descriptor, its higher half where there is one."""
    upper = raw[high : high + size]
    return int.from_bytes(raw[low : low + size] + upper, "little")
