"""How large an overlay's file may become: arithmetic for findings, figures and plans.

Sizes are bytes, chunks are counted in sectors of 512 bytes. Nothing here asks a machine.
"""

from liveos_tui.formats.cow import SECTOR_BYTES, CowSummary, exceptions_per_area
from liveos_tui.formats.ext4 import ExtSuperblock

MIB = 1 << 20

FAT_FILE_LIMIT_BYTES = (1 << 32) - 1
"""The largest file of a FAT file system."""

RESERVE_BYTES = 8 * MIB
"""Room of the stick that is kept: the journal of a job, and what it saves before it writes."""


def kept_bytes(metadata_bytes: int | None) -> int:
    """Room that a job needs for itself: the reserve, and a copy of header and metadata areas."""
    return RESERVE_BYTES + (metadata_bytes or 0)


E2FSCK_SLACK_BYTES = 2 * MIB
"""What e2fsck writes besides the journal's blocks: bitmaps, inodes, the root's own folders."""

# Where the size of the journal is not known: what mke2fs gives to file systems up to 4 GiB.
_USUAL_JOURNAL_BYTES = 64 * MIB

_FAT = frozenset({"vfat", "msdos", "umsdos"})
UNWRITABLE_FILESYSTEMS = frozenset({"iso9660", "squashfs", "erofs"})
"""File systems of sticks that nothing writes to."""


def file_limit(filesystem: str | None) -> int | None:
    """The largest file on a stick's file system; None without a limit that matters."""
    return FAT_FILE_LIMIT_BYTES if filesystem in _FAT else None


def breaks_when_full(size_bytes: int, chunk_sectors: int) -> bool:
    """Whether a store of this size becomes Invalid when it fills, whatever its table says."""
    return CowSummary(None, size_bytes, chunk_sectors).fragile_size


def largest_size(
    file_bytes: int,
    *,
    free_bytes: int,
    metadata_bytes: int = 0,
    missing_bytes: int = 0,
    limit_bytes: int | None = None,
) -> int:
    """The largest size that the stick's room and its file system allow, not rounded to chunks.

    Room for holes of the file is needed before any growth.
    """
    room = max(0, free_bytes - kept_bytes(metadata_bytes) - missing_bytes)
    most = file_bytes + room
    return most if limit_bytes is None else min(most, limit_bytes)


def choose_size(wanted: int, least: int, most: int, chunk_sectors: int) -> int | None:
    """A good size from `least` to `most`, `wanted` or a little more; None where there is none.

    Good are whole chunks that do not break when they fill, whole MiB where one lies between.
    """
    if least > most:
        return None
    wanted = min(max(wanted, least), most)
    chunk_bytes = chunk_sectors * SECTOR_BYTES
    for step in (max(MIB, chunk_bytes), chunk_bytes):
        above, below = -(-wanted // step) * step, wanted // step * step
        # Two neighbours never both break: areas lie an odd number of chunks apart.
        for size in (above, above + step, below, below - step):
            if least <= size <= most and not breaks_when_full(size, chunk_sectors):
                return size
    return None


def repair_bytes(view: ExtSuperblock | None, exceptions: int, chunk_sectors: int) -> int:
    """Room that e2fsck may need in the store: data chunks and the metadata areas for them.

    The journal's blocks where they are still to be written, and some slack; never more than the
    `exceptions` of the store leave of the file system, whose chunks are in it once.
    """
    chunk_bytes = chunk_sectors * SECTOR_BYTES
    journal = 0
    if view is not None and view.needs_recovery:
        journal = _USUAL_JOURNAL_BYTES
        if view.journal_blocks is not None:
            journal = view.journal_blocks * view.block_bytes
    chunks = -(-(journal + E2FSCK_SLACK_BYTES) // chunk_bytes)
    if view is not None:
        chunks = min(chunks, max(0, -(-view.size_bytes // chunk_bytes) - exceptions))
    areas = -(-chunks // exceptions_per_area(chunk_sectors)) + 1
    return (chunks + areas) * chunk_bytes
