"""A diagnosis in plain words: a sentence or two for each thing that was looked at. Pure."""

from liveos_tui.formats.cow import CowSummary, exceptions_per_area
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.formats.ext4 import ExtSuperblock
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.words import need, percent, size

EXT = frozenset({"ext2", "ext3", "ext4"})
"""The file systems that e2fsck repairs."""

REPAIR_TOOLS = {"xfs": "xfs_repair", "btrfs": "btrfs check"}
"""What checks a root file system that e2fsck does not know."""


def header_fact(summary: CowSummary) -> Fact:
    """What the header's four fields say."""
    if summary.header is None:
        return Fact(
            "Header",
            "All zeros: a fresh overlay, which the kernel sets up when it is first used.",
        )
    fields = f'magic "SnAp", version 1, chunks of {size(summary.header.chunk_bytes)}'
    if summary.header.valid:
        return Fact("Header", f"It is an overlay's, and marked valid ({fields}).")
    return Fact(
        "Header",
        "The kernel has given this overlay up and refuses to load it: the valid byte is 0 "
        f"({fields}).",
        bad=True,
    )


def leftover_fact(leftover: CowSummary, *, emptied: bool) -> Fact:
    """A header of zeros with a list behind it: it was emptied, or else the header was lost.

    `emptied`: a job on the stick is known to have done it, and nobody has used it since.
    """
    if emptied:
        return Fact(
            "Header",
            "All zeros: a merge or a reset has emptied this overlay, and it was not used since. "
            "The kernel sets it up when it is next used.",
        )
    return Fact(
        "Header",
        "All zeros: an empty, fresh overlay, which the kernel sets up when it is next used. "
        f"{chunks(leftover.exceptions)} of before are listed behind it still, as after every merge "
        "and reset. If it was neither merged nor reset, its header was lost: copy the file then, "
        "before you boot with it.",
        unknown=True,
    )


def chunks_fact(summary: CowSummary) -> Fact:
    """Used and total chunks."""
    total = summary.total_sectors // summary.chunk_sectors
    used = summary.used_sectors // summary.chunk_sectors
    text = (
        f"{min(used, total):,} of {total:,} chunks are used ({size(summary.used_bytes)} of "
        f"{size(summary.total_bytes)}, {percent(min(1.0, used / total if total else 1.0))})"
    )
    if summary.full:
        return Fact("Chunks", f"{text}: there is no room for one more.", bad=True)
    return Fact("Chunks", f"{text}, {total - used:,} are free.")


def list_fact(summary: CowSummary) -> Fact:
    """The metadata areas, and whether the list of exceptions has an end."""
    if summary.damage:
        return Fact("List", summary.damage, bad=True)
    per_area = exceptions_per_area(summary.chunk_sectors)
    areas = "1 metadata area" if summary.areas == 1 else f"{summary.areas:,} metadata areas"
    last = summary.exceptions - (summary.areas - 1) * per_area
    return Fact(
        "List",
        f"{chunks(summary.exceptions)} differ from the base image, listed in {areas}. The last "
        f"one is complete: it ends after {last} of {per_area} entries.",
    )


def file_fact(summary: CowSummary, file_bytes: int) -> Fact:
    """The file's size against what is in it."""
    chunk_bytes = summary.chunk_sectors * 512
    rest = file_bytes % chunk_bytes
    text = f"The file has {file_bytes:,} bytes; what is in it ends at {summary.used_bytes:,}."
    if summary.used_bytes > file_bytes and not summary.full:
        return Fact("File", text, bad=True)
    if rest:
        text += f" Its last {rest} bytes are no whole chunk and stay unused."
    return Fact("File", text)


def holes_fact(missing_bytes: int, free_bytes: int | None) -> Fact:
    """Holes of the file against the stick's free space."""
    if not missing_bytes:
        return Fact("Holes", "The file has no holes: the stick has provided all of it.")
    text = f"{size(missing_bytes)} of the file are holes that the stick has yet to provide"
    if free_bytes is None:
        return Fact("Holes", f"{text}; how much it has left is not known.", unknown=True)
    if free_bytes < missing_bytes:
        left = f"only {size(free_bytes)}" if free_bytes else "nothing"
        return Fact(
            "Holes",
            f"{text}, and it has {left} left: a write into a hole fails and makes the overlay "
            "Invalid.",
            bad=True,
        )
    return Fact("Holes", f"{text}; it has {size(free_bytes)} left.")


def fragile_size_fact() -> Fact:
    """The store has one of the sizes that break when they fill."""
    return Fact(
        "Size",
        "One of the few sizes that break: when the overlay fills, the next part of its list would "
        "lie beyond its end, and it becomes Invalid whatever its table says. 1 MiB more cures it.",
        bad=True,
    )


def room_fact(
    free_bytes: int | None, kept_bytes: int, limit_bytes: int | None, filesystem: str | None
) -> Fact:
    """The stick's free space, what a job needs of it for itself, and the largest file."""
    if free_bytes is None:
        return Fact("Stick", "How much room the stick has is not known.", unknown=True)
    text = f"{size(free_bytes)} are free ({need(kept_bytes)} of them are kept for a job)."
    if not free_bytes:
        text = f"Nothing is free; a job needs {need(kept_bytes)}."
    if limit_bytes is not None:
        text += f" A file on {filesystem or 'it'} can have 4 GiB - 1 at most."
    return Fact("Stick", text)


def belongs_fact(base: ExtSuperblock, view: ExtSuperblock) -> Fact:
    """The file system's UUID, in the base and as the overlay shows it."""
    if base.uuid == view.uuid:
        return Fact("Together", f"Base and overlay hold the same file system, {view.uuid}.")
    return Fact(
        "Together",
        f"They do not belong together: the base holds the file system {base.uuid}, the overlay "
        f"changes {view.uuid}.",
        bad=True,
    )


def root_fact(view: ExtSuperblock, *, in_use: bool) -> Fact:
    """What the superblock says as the overlay shows it."""
    free = f"{size(view.free_bytes)} are free in it"
    if view.total_bytes is not None:
        free = f"{size(view.used_bytes)} of {size(view.total_bytes)} are used in it"
    what = f"An {view.kind.value} file system that"
    if in_use:
        return Fact(
            "Root",
            f"{what} is in use at this moment: only the kernel knows how it is. By its superblock, "
            f"which is written now and then, {free}.",
            unknown=True,
        )
    if view.errors or view.error_count:
        count = f" ({view.error_count} noted)" if view.error_count else ""
        return Fact("Root", f"{what} has found errors in itself{count}; {free}.", bad=True)
    if view.checksum_ok is False:
        return Fact("Root", f"{what} contradicts its own checksum.", bad=True)
    if view.needs_recovery:
        return Fact(
            "Root",
            f"{what} was not unmounted: its journal holds changes still to be made, as after every "
            f"power off without a shutdown. {free}, or a little else.",
        )
    if not view.valid:
        return Fact("Root", f"{what} was not unmounted cleanly; {free}.")
    # What it says of itself it was told at a quiet moment, maybe long before the overlay died.
    return Fact("Root", f"{what} notes no errors in its header; only a check proves it. {free}.")


def other_root_fact(filesystem: str) -> Fact:
    """A root file system that e2fsck does not know."""
    tool = REPAIR_TOOLS.get(filesystem)
    help_ = f"{tool} checks and repairs it." if tool else "Its own tools check and repair it."
    return Fact("Root", f"{filesystem}, which e2fsck does not know. {help_}", bad=True)


def kernel_fact(device: str, status: SnapshotStatus | SnapshotIll) -> Fact:
    """What the kernel says of an overlay that is in use."""
    match status:
        case SnapshotStatus(allocated, total, _):
            return Fact(
                "Kernel",
                f"{device} uses the overlay: {size(allocated * 512)} of {size(total * 512)} are "
                "allocated.",
            )
        case SnapshotIll.OVERFLOW:
            return Fact(
                "Kernel",
                f"{device} says Overflow: it has refused a write for want of room. What is there "
                "can be read; the kernel refuses all writes until the next boot.",
                bad=True,
            )
        case SnapshotIll.INVALID:
            return Fact(
                "Kernel", f"{device} says Invalid: every read and every write fails.", bad=True
            )
        case _:
            return Fact("Kernel", f"{device} says {status.value}.", bad=True)


def chunks(count: int) -> str:
    """A number of chunks in words."""
    return "1 chunk" if count == 1 else f"{count:,} chunks"
