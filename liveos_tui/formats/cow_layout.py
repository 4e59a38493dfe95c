"""The COW store of dm-snapshot: its header, and where its parts lie.

Source: Linux drivers/md/dm-snap-persistent.c (struct disk_header, struct disk_exception,
read_header, area_location, skip_metadata) and dm-exception-store.c
(dm_exception_store_set_chunk_size). Everything on disk is little endian.

Chunk 0 is the header. Chunk 1 is the first metadata area: one chunk full of exceptions, each 16
bytes (old chunk, new chunk). The data chunks of an area follow it, then comes the next area. The
list ends at the first exception whose new chunk is 0.
"""

import struct
from dataclasses import dataclass

from liveos_tui.errors import FormatError

SECTOR_BYTES = 512
MAGIC = 0x70416E53
VERSION = 1
DEFAULT_CHUNK_SECTORS = 8
"""Sectors in a chunk of a LiveOS overlay: dracut's table says 8, which is 4 KiB."""

MAX_CHUNK_SECTORS = 1 << 21
"""The largest power of two that the kernel takes (INT_MAX >> SECTOR_SHIFT): 1 GiB."""

HEADER_BYTES = 16
EXCEPTION_BYTES = 16
HEADER_CHUNKS = 1

_HEADER = struct.Struct("<IIII")


class CowError(FormatError):
    """A COW store that cannot be used as it is."""


class CowForeignError(CowError):
    """Another magic: not a COW store. The kernel refuses it with ENXIO."""


class CowVersionError(CowError):
    """A version other than 1. The kernel refuses it with EINVAL."""


class CowChunkSizeError(CowError):
    """A chunk size that the kernel refuses with EINVAL."""


class CowTruncatedError(CowError):
    """The store ends before its metadata does. The kernel refuses it with EIO."""


@dataclass(frozen=True, slots=True)
class CowHeader:
    """The header of a store. `chunk_sectors` is the size of a chunk in sectors of 512 bytes.

    `valid` is cleared by the kernel when it gives the store up; `version` is always 1.
    """

    valid: bool = True
    version: int = VERSION
    chunk_sectors: int = DEFAULT_CHUNK_SECTORS

    @property
    def chunk_bytes(self) -> int:
        """Size of a chunk in bytes."""
        return self.chunk_sectors * SECTOR_BYTES

    def to_bytes(self) -> bytes:
        """The 16 bytes on disk. The kernel fills the rest of chunk 0 with zeros."""
        return _HEADER.pack(MAGIC, self.valid, self.version, self.chunk_sectors)


def parse_header(data: bytes) -> CowHeader | None:
    """Read the header from the first 16 bytes of a store; None for a fresh store (magic 0).

    Raises CowTruncatedError, CowForeignError, CowVersionError or CowChunkSizeError.
    """
    if len(data) < HEADER_BYTES:
        raise CowTruncatedError(
            f"The overlay ends after {len(data)} bytes, inside its header.",
            "It was cut off, or never written: a copy from a backup is needed.",
        )
    magic, valid, version, chunk_sectors = _HEADER.unpack_from(data)
    if magic == 0:
        return None
    if magic != MAGIC:
        raise CowForeignError(
            "The overlay's file is not one that the kernel keeps changes in (a COW store): it "
            f"starts with {data[:4].hex(' ')}.",
            "It may be a file system or something else; leave it as it is.",
        )
    if version != VERSION:
        raise CowVersionError(
            f"The overlay says that it is of version {version}; only version 1 is known.",
            "Leave it as it is; the kernel refuses it too.",
        )
    check_chunk_sectors(chunk_sectors)
    return CowHeader(bool(valid), version, chunk_sectors)


def check_chunk_sectors(chunk_sectors: int) -> None:
    """Raise CowChunkSizeError unless `chunk_sectors` is a chunk size that the kernel takes.

    The rules are those of dm_exception_store_set_chunk_size: a power of two, at most INT_MAX bytes
    (a third one, a multiple of the device's block size, cannot be seen in a file).
    """
    if chunk_sectors.bit_count() != 1 or not 0 < chunk_sectors <= MAX_CHUNK_SECTORS:
        raise CowChunkSizeError(
            f"The overlay cannot have chunks of {chunk_sectors} sectors, as its header says.",
            "Its header is damaged. Leave it as it is and copy it before anything else.",
        )


def exceptions_per_area(chunk_sectors: int) -> int:
    """How many exceptions a metadata area holds: 256 with chunks of 4 KiB."""
    return chunk_sectors * SECTOR_BYTES // EXCEPTION_BYTES


def area_chunk(area: int, chunk_sectors: int) -> int:
    """The chunk in which metadata area `area` (from 0) lies (kernel: area_location)."""
    return HEADER_CHUNKS + (exceptions_per_area(chunk_sectors) + 1) * area


def is_metadata_chunk(chunk: int, chunk_sectors: int) -> bool:
    """Whether `chunk` is the header or the place of a metadata area."""
    return chunk == 0 or chunk % (exceptions_per_area(chunk_sectors) + 1) == HEADER_CHUNKS


def skip_metadata(chunk: int, chunk_sectors: int) -> int:
    """The first chunk from `chunk` on that is not the place of an area (kernel: skip_metadata)."""
    stride = exceptions_per_area(chunk_sectors) + 1
    return chunk + 1 if chunk % stride == HEADER_CHUNKS else chunk
