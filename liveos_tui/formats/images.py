"""Recognise an image by its first bytes, and read what its header says of it.

The formats: squashfs (fs/squashfs/squashfs_fs.h), EROFS (fs/erofs/erofs_fs.h), LUKS 1 and 2
(cryptsetup's on-disk format specifications), the COW store (drivers/md/dm-snap-persistent.c), ext
(`ext4.py`), and those that a stick or a disk beside it may have (`disk_images.py`).
"""

import struct
import uuid
from collections.abc import Callable

from liveos_tui.errors import FormatError
from liveos_tui.formats import disk_images
from liveos_tui.formats.ext4 import EXT_MAGIC, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, parse_superblock
from liveos_tui.formats.image_kinds import Image, ImageKind
from liveos_tui.formats.text import clean

__all__ = ["HEAD_BYTES", "SHORT_HEAD_BYTES", "Image", "ImageKind", "identify"]

SHORT_HEAD_BYTES = 4096
"""Bytes to read for everything but ISO 9660 and btrfs."""

HEAD_BYTES = disk_images.BTRFS_OFFSET + 4096
"""Bytes to read for every format here."""

_SQUASHFS = struct.Struct("<4sIIIIHHHHHHQQ")
_SQUASHFS_COMPRESSORS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}
# COMPRESSOR_OPTIONS of a superblock, SQUASHFS_COMPRESSED_BIT of a metadata block.
_SQUASHFS_OPTIONS, _SQUASHFS_UNCOMPRESSED = 0x400, 0x8000
_SQUASHFS_BYTES = 96
_EROFS_OFFSET = 1024
_EROFS_MAGIC = 0xE0F5E1E2
_EROFS_COMPRESSORS = {0: "lz4", 1: "lzma", 2: "deflate", 3: "zstd"}
_EROFS_ZERO_PADDING, _EROFS_COMPRESSION_CONFIGS, _EROFS_48_BIT = 0x1, 0x2, 0x80
_LUKS_MAGIC = b"LUKS\xba\xbe"
_COW = struct.Struct("<4sIII")


def identify(head: bytes) -> Image | None:
    """Say what begins with these bytes; None when it is nothing that is known here.

    `head` is the beginning of the file or device, `HEAD_BYTES` of it or less: what it is too short
    for is not recognised. Nothing is raised: a header that contradicts itself is an Image with
    `damage`.
    """
    doubtful: Image | None = None
    for signature, offset, read in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            found = read(head)
            if found.kind is not ImageKind.EXT or not found.damage:
                return found
            # Two bytes are a weak signature: anything else that fits is believed rather.
            doubtful = found
    if fat := disk_images.identify_fat(head):
        return fat
    if head and not any(head):
        return Image(ImageKind.ZEROS)
    return doubtful


def _squashfs(head: bytes) -> Image:
    if len(head) < _SQUASHFS.size:
        return Image(ImageKind.SQUASHFS, damage="its header is cut short")
    (_, inodes, made_at, block, _, compressor, block_log, flags, _, major, minor, _, used) = (
        _SQUASHFS.unpack_from(head)
    )
    version = f"{major}.{minor}"
    if major != 4:
        # Up to 3.1 (Linux 2.6.28) the fields lie elsewhere, and no kernel of today mounts it.
        return Image(ImageKind.SQUASHFS, version=version, damage=f"its version is {version}")
    if not 12 <= block_log <= 20 or block != 1 << block_log or used < _SQUASHFS.size:
        return Image(ImageKind.SQUASHFS, version=version, damage="its header contradicts itself")
    return Image(
        ImageKind.SQUASHFS,
        version=version,
        declared_bytes=used,
        block_bytes=block,
        compressor=_SQUASHFS_COMPRESSORS.get(compressor, f"unknown ({compressor})"),
        level=_squashfs_level(head, compressor) if flags & _SQUASHFS_OPTIONS else None,
        inodes=inodes,
        made_at=made_at,
    )


def _squashfs_level(head: bytes, compressor: int) -> int | None:
    """The level in the compressor's options, a metadata block right behind the superblock.

    For gzip and zstd it is the first number of it (squashfs-tools: gzip_wrapper.h, zstd_wrapper.h).
    """
    options = head[_SQUASHFS_BYTES : _SQUASHFS_BYTES + 6]
    if _SQUASHFS_COMPRESSORS.get(compressor) not in {"gzip", "zstd"} or len(options) < 6:
        return None
    header, level = struct.unpack("<HI", options)
    plausible = header & _SQUASHFS_UNCOMPRESSED and header & 0x7FFF >= 4 and 1 <= level <= 22
    return level if plausible else None


def _erofs(head: bytes) -> Image:
    data = head[_EROFS_OFFSET : _EROFS_OFFSET + 128]
    if len(data) < 128:
        return Image(ImageKind.EROFS, damage="its header is cut short")
    block_log = data[12]
    if not 9 <= block_log <= 16:
        return Image(ImageKind.EROFS, damage="its header contradicts itself")
    inodes, made_at, _, blocks = struct.unpack_from("<QQII", data, 16)
    incompatible, algorithms = struct.unpack_from("<IH", data, 80)
    if incompatible & _EROFS_48_BIT:
        blocks |= struct.unpack_from("<H", data, 14)[0] << 32
    if incompatible & _EROFS_COMPRESSION_CONFIGS:
        names = [name for bit, name in _EROFS_COMPRESSORS.items() if algorithms & 1 << bit]
        compressor = ", ".join(names) or None
    else:
        compressor = "lz4" if incompatible & _EROFS_ZERO_PADDING else None
    return Image(
        ImageKind.EROFS,
        label=disk_images.text(data[64:80]),
        uuid=str(uuid.UUID(bytes=data[48:64])),
        declared_bytes=blocks << block_log,
        block_bytes=1 << block_log,
        compressor=compressor,
        inodes=inodes,
        made_at=made_at,
    )


def _ext(head: bytes) -> Image:
    try:
        found = parse_superblock(head[SUPERBLOCK_OFFSET : SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES])
    except FormatError as error:
        return Image(ImageKind.EXT, damage=error.message)
    return Image(
        ImageKind.EXT,
        version=found.kind.value,
        label=found.label or None,
        uuid=found.uuid,
        declared_bytes=found.size_bytes,
        block_bytes=found.block_bytes,
        ext=found,
    )


def _luks(head: bytes) -> Image:
    if len(head) < 512:
        return Image(ImageKind.LUKS, damage="its header is cut short")
    version = int.from_bytes(head[6:8], "big")
    if version not in {1, 2}:
        return Image(ImageKind.LUKS, damage=f"its version is {version}")
    return Image(
        ImageKind.LUKS,
        version=str(version),
        label=disk_images.text(head[24:72]) if version == 2 else None,
        uuid=disk_images.text(head[168:208]),
    )


def _cow_store(head: bytes) -> Image:
    if len(head) < _COW.size:
        return Image(ImageKind.COW_STORE, damage="its header is cut short")
    _, _, version, chunk_sectors = _COW.unpack_from(head)
    return Image(ImageKind.COW_STORE, version=clean(str(version)), block_bytes=chunk_sectors * 512)


_SIGNATURES: tuple[tuple[bytes, int, Callable[[bytes], Image]], ...] = (
    (b"hsqs", 0, _squashfs),
    (b"SnAp", 0, _cow_store),
    (_LUKS_MAGIC, 0, _luks),
    (_EROFS_MAGIC.to_bytes(4, "little"), _EROFS_OFFSET, _erofs),
    (EXT_MAGIC.to_bytes(2, "little"), SUPERBLOCK_OFFSET + 0x38, _ext),
    *disk_images.SIGNATURES,
)
