"""Which inodes of an ext file system a snapshot has changed, found without reading all of them.

The chunks that differ from the base are known (the exceptions of the COW store); those that lie on
an inode table are compared, inode by inode. Layout: Documentation/filesystems/ext4 of the kernel
(group_descr.rst, inodes.rst), fs/ext4/ext4.h. Nothing here opens a file: readers are handed in.

With `needs_recovery` the journal holds newer inodes than the tables: replay it first.
"""

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from liveos_tui.errors import FormatError
from liveos_tui.formats.debugfs import InodeKind, kind_of_mode
from liveos_tui.formats.ext4 import (
    SUPERBLOCK_BYTES,
    SUPERBLOCK_OFFSET,
    ExtSuperblock,
    parse_superblock,
)

Read = Callable[[int, int], bytes]
"""Reads bytes of a file system: offset and size in bytes; fewer come back only at its end."""

ROOT_INODE = 2
DEFAULT_CHUNK_BYTES = 4096

_INODE_UNUSED = 1  # bg_flags: EXT4_BG_INODE_UNINIT
_GROUPS_LIMIT = 1 << 20  # 128 TiB of 4 KiB blocks
_PIECE_BYTES = 1 << 16
# What a hostile chunk size must not do: one chunk is at most 1 GiB in the kernel, too.
_LARGEST_CHUNK = 1 << 30


class Change(StrEnum):
    """What happened to an inode."""

    NEW = "new"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class InodeChange:
    """An inode that is not as in the base: of kind and size in the view, or before it went."""

    inode: int
    change: Change
    kind: InodeKind
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Where inodes lie: what base and view must have in common."""

    block_bytes: int
    first_block: int
    inodes: int
    inodes_per_group: int
    inode_bytes: int
    descriptor_bytes: int
    groups: int
    first_inode: int

    @property
    def table_bytes(self) -> int:
        return self.inodes_per_group * self.inode_bytes


class _Tables:
    """The inode tables of one file system, by group: where each begins, how much of it is used."""

    def __init__(self, read: Read, geometry: _Geometry, *, checksums: bool) -> None:
        self.starts = array("Q")
        self.used = array("L")
        size = geometry.descriptor_bytes
        # The descriptors follow the superblock's block.
        begin = (geometry.first_block + 1) * geometry.block_bytes
        total = geometry.groups * size
        step = _PIECE_BYTES // size * size
        for offset in range(0, total, step):
            piece = _read_all(read, begin + offset, min(step, total - offset))
            for place in range(0, len(piece), size):
                self._add(piece[place : place + size], geometry, checksums=checksums)

    def _add(self, raw: bytes, geometry: _Geometry, *, checksums: bool) -> None:
        (low,) = struct.unpack_from("<I", raw, 0x08)
        flags, unused = (
            struct.unpack_from("<H", raw, 0x12)[0],
            struct.unpack_from("<H", raw, 0x1C)[0],
        )
        high = 0
        if geometry.descriptor_bytes >= 64:
            high = struct.unpack_from("<I", raw, 0x28)[0]
            unused |= struct.unpack_from("<H", raw, 0x32)[0] << 16
        used = geometry.inodes_per_group
        if checksums:
            # Without checksums nothing may be left uninitialised, and these fields mean nothing.
            used = 0 if flags & _INODE_UNUSED else max(0, used - unused)
        self.starts.append((high << 32 | low) * geometry.block_bytes & (1 << 64) - 1)
        self.used.append(used)


def inode_changes(
    base: Read, view: Read, chunks: Iterable[int], chunk_bytes: int = DEFAULT_CHUNK_BYTES
) -> Iterator[InodeChange]:
    """The inodes that differ between base and view, looked for in these chunks only.

    `chunks` are old chunk numbers of the store's exceptions, in any order. An inode that was freed
    and given to another file comes twice, as deleted and as new. Times of access alone are no
    change, and the file system's own inodes (journal, resize) are left out. Takes some 100
    bytes for each group of blocks (128 MiB), and no more for more chunks.

    Raises FormatError when one of the two is no ext file system, when they do not belong together,
    or when the layout is not one that is known here (meta_bg).
    """
    base_super, geometry = _geometry(base)
    view_super, view_geometry = _geometry(view)
    if geometry != view_geometry:
        raise FormatError(
            "The file system of the overlay is laid out in another way than the base's.",
            "Which files have changed cannot be told.",
        )
    if geometry.inode_bytes > chunk_bytes or not 0 < chunk_bytes <= _LARGEST_CHUNK:
        raise FormatError("The overlay's chunks are too small, or too large, to tell files apart.")
    old = _Tables(base, geometry, checksums=_has_checksums(base_super))
    new = _Tables(view, geometry, checksums=_has_checksums(view_super))
    # Inode tables never move (but in resize2fs): the base's word is taken, it was never written.
    places = sorted(range(geometry.groups), key=old.starts.__getitem__)
    starts = array("Q", (old.starts[group] for group in places))
    if any(after - before < geometry.table_bytes for before, after in pairwise(starts)):
        raise FormatError("The base image's file system contradicts itself (group descriptors).")
    for chunk in chunks:
        begin, end = chunk * chunk_bytes, (chunk + 1) * chunk_bytes
        place = max(0, bisect_right(starts, begin) - 1)
        while place < len(starts) and starts[place] < end:
            group, table = places[place], starts[place]
            first = max(begin, table)
            last = min(end, table + geometry.table_bytes)
            for offset in range(first, last, _PIECE_BYTES):
                size = min(_PIECE_BYTES, last - offset)
                yield from _compare(base, view, (old, new), geometry, group, offset, size)
            place += 1


def _compare(
    base: Read,
    view: Read,
    tables: tuple[_Tables, _Tables],
    geometry: _Geometry,
    group: int,
    offset: int,
    size: int,
) -> Iterator[InodeChange]:
    """The changes in a piece of one group's inode table."""
    old_bytes, new_bytes = _read_all(base, offset, size), _read_all(view, offset, size)
    if old_bytes == new_bytes and tables[0].used[group] == tables[1].used[group]:
        return
    first = (offset - tables[0].starts[group]) // geometry.inode_bytes
    for number in range(size // geometry.inode_bytes):
        index = first + number
        inode = group * geometry.inodes_per_group + index + 1
        if inode > geometry.inodes or (inode < geometry.first_inode and inode != ROOT_INODE):
            continue
        place = slice(number * geometry.inode_bytes, (number + 1) * geometry.inode_bytes)
        old, new = (
            _Inode(raw[place]) if index < table.used[group] else None
            for raw, table in zip((old_bytes, new_bytes), tables, strict=True)
        )
        yield from _changes(inode, old, new)


def _changes(inode: int, old: "_Inode | None", new: "_Inode | None") -> Iterator[InodeChange]:
    old = old if old and old.in_use else None
    new = new if new and new.in_use else None
    if old and new and old.identity == new.identity:
        if old.meaning != new.meaning:
            yield InodeChange(inode, Change.CHANGED, new.kind, new.size_bytes)
        return
    if old:
        yield InodeChange(inode, Change.DELETED, old.kind, old.size_bytes)
    if new:
        yield InodeChange(inode, Change.NEW, new.kind, new.size_bytes)


class _Inode:
    """The fields of an inode that say whether it is still the same file, and as it was."""

    __slots__ = ("_raw", "mode")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        (self.mode,) = struct.unpack_from("<H", raw, 0)

    @property
    def in_use(self) -> bool:
        """Has a kind and a name (i_links_count), or is about to: a deleted file has none."""
        return bool(self.mode) and self._raw[0x1A:0x1C] != b"\0\0"

    @property
    def kind(self) -> InodeKind:
        return kind_of_mode(self.mode)

    @property
    def size_bytes(self) -> int:
        low, high = struct.unpack_from("<I", self._raw, 0x04)[0], 0
        # On all but files and folders the upper half is another field (i_dir_acl).
        if self.kind in {InodeKind.FILE, InodeKind.FOLDER}:
            high = struct.unpack_from("<I", self._raw, 0x6C)[0]
        return int(high << 32 | low)

    @property
    def identity(self) -> tuple[int, bytes]:
        """Kind and generation: another one is another file."""
        return self.mode & 0o170000, self._raw[0x64:0x68]

    @property
    def meaning(self) -> tuple[bytes, ...]:
        """All but the times of access and deletion, the checksum and the version."""
        raw = self._raw
        extra = b""
        if len(raw) > 128:
            extra_bytes = min(int.from_bytes(raw[0x80:0x82], "little"), len(raw) - 128)
            # Finer times of change and modification.
            extra = raw[0x84:0x8C] if extra_bytes >= 0x8C - 0x80 else b""
        # Mode, owner, size; ctime, mtime; group, links, blocks, flags; i_block, generation, ...
        return (raw[0:8], raw[0xC:0x14], raw[0x18:0x24], raw[0x28:0x7C], extra)


def _has_checksums(superblock: ExtSuperblock) -> bool:
    return bool(superblock.features & {"uninit_bg", "metadata_csum"})


def _geometry(read: Read) -> tuple[ExtSuperblock, _Geometry]:
    raw = _read_all(read, SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES)
    superblock = parse_superblock(raw)
    if "meta_bg" in superblock.features:
        raise FormatError(
            "The file system spreads its group descriptors (meta_bg).",
            "Which files have changed cannot be told for this layout.",
        )
    inodes, blocks_per_group, inodes_per_group = (
        struct.unpack_from("<I", raw, offset)[0] for offset in (0x00, 0x20, 0x28)
    )
    first_block, revision = (struct.unpack_from("<I", raw, offset)[0] for offset in (0x14, 0x4C))
    inode_bytes = struct.unpack_from("<H", raw, 0x58)[0] if revision else 128
    first_inode = struct.unpack_from("<I", raw, 0x54)[0] if revision else 11
    wide = "64bit" in superblock.features
    descriptor_bytes = struct.unpack_from("<H", raw, 0xFE)[0] if wide else 32
    groups = -(-(superblock.blocks - first_block) // blocks_per_group)
    plausible = (
        inode_bytes in {128 << shift for shift in range(10)}
        and inode_bytes <= superblock.block_bytes
        and descriptor_bytes in {32 << shift for shift in range(6)}
        and first_block == (superblock.block_bytes == 1024)
        and groups > 0
        and groups * inodes_per_group == inodes
    )
    if not plausible:
        raise FormatError("The ext superblock contradicts itself: its inodes do not fit.")
    if groups > _GROUPS_LIMIT:
        raise FormatError("The file system is larger than any stick: it has too many groups.")
    return superblock, _Geometry(
        superblock.block_bytes,
        first_block,
        inodes,
        inodes_per_group,
        inode_bytes,
        descriptor_bytes,
        groups,
        first_inode,
    )


def _read_all(read: Read, offset: int, size: int) -> bytes:
    data = read(offset, size)
    if len(data) < size:
        raise FormatError("The file system is cut off: its inode tables are not all there.")
    return data
