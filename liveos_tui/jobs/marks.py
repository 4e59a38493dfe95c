"""Whether an overlay was used since a job has seen it: undoing would lose what was written then.

Every mount for writing sets the time of the last mount in ext4's superblock (fs/ext4/super.c,
ext4_setup_super), and nothing that e2fsck or a job does changes it, but for the journal that is
replayed: so a job notes the time before and after.
"""

from collections.abc import Iterable

from liveos_tui.errors import FormatError, LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.ext4 import SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, parse_superblock
from liveos_tui.jobs.journal import JournalState
from liveos_tui.jobs.work import Work
from liveos_tui.plans.actions import ResetStore

UNTOUCHED = "image"
"""The mark of an overlay that does not hold the superblock: it was never mounted for writing."""

_UNREADABLE = "unreadable"


def use_mark(work: Work) -> str:
    """When the root file system in the overlay was last mounted for writing, as a mark."""
    chunk_bytes = work.summary().chunk_sectors * SECTOR_BYTES
    chunk, start = divmod(SUPERBLOCK_OFFSET, chunk_bytes)
    try:
        new = work.mapped({chunk}).get(chunk)
        if new is None:
            return UNTOUCHED
        with work.stick.open(work.place.overlay) as file:
            # Smaller chunks hold a part of it, of which the time of the mount is the start.
            data = file.read(new * chunk_bytes + start, min(SUPERBLOCK_BYTES, chunk_bytes - start))
        return _mark(data)
    except LiveosError:
        return _UNREADABLE


def mark_of_changes(changes: Iterable[tuple[int, bytes]]) -> str | None:
    """The mark that the overlay gets with these changes of the view; None: it stays the same."""
    for offset, data in changes:
        if offset <= SUPERBLOCK_OFFSET < offset + len(data):
            start = SUPERBLOCK_OFFSET - offset
            return _mark(data[start : start + SUPERBLOCK_BYTES])
    return None


def emptied_stores(known: Iterable[JournalState]) -> frozenset[str]:
    """The SHA-256 of the first metadata areas of stores that these jobs have emptied.

    A store that was used since has another one. An undone step has no notes.
    """
    return frozenset(
        str(notes["area"])
        for job in known
        for step, notes in job.notes.items()
        if isinstance(job.plan.steps[step].action, ResetStore) and "area" in notes
    )


def _mark(data: bytes) -> str:
    try:
        return f"mounted {parse_superblock(data.ljust(SUPERBLOCK_BYTES, bytes(1))).mount_time}"
    except FormatError:
        return _UNREADABLE


def check_unused(work: Work) -> None:
    """Raise LiveosError when the overlay was used since this job has written to it."""
    marks = {
        mark
        for notes in work.notes.values()
        for mark in (notes["marks"] if isinstance(notes.get("marks"), list) else ())
        if isinstance(mark, str)
    }
    if marks and use_mark(work) not in marks:
        raise LiveosError(
            "The overlay was used since this job worked on it.",
            "It was left as it is: going back would lose what was written since.",
        )
