"""Steps that write to the overlay's file itself: back up, grow, flip the valid byte, reset."""

import hashlib
from pathlib import Path

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, CowHeader, parse_header
from liveos_tui.formats.cow_layout import HEADER_BYTES
from liveos_tui.formats.dmtable import SnapshotStatus
from liveos_tui.formats.text import clean
from liveos_tui.jobs import before
from liveos_tui.jobs.marks import UNTOUCHED, use_mark
from liveos_tui.jobs.opening import loop_of_overlay
from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.work import Work
from liveos_tui.live.words import size
from liveos_tui.plans.actions import BackUp, FillHoles, GrowFile, RefreshLoop
from liveos_tui.system.loops import refresh_capacity
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import NoRoomError, WritableFile

METADATA_NAME = "metadata.cow"

_PIECE_BYTES = 1 << 20
# Written out in between: the last piece must not wait for all the others, and the rate is real.
_SYNC_BYTES = 16 << 20
# Clusters that one sector of a FAT32 tells of.
_FAT_ENTRIES = 128
_VALID_OFFSET = 4
_NOT_RESET = "The overlay had not been reset yet."
_VALID = (1).to_bytes(4, "little")


def back_up(work: Work, action: BackUp) -> str:
    """Save header and metadata areas on the stick, and in each of the other folders."""
    name = work.own_path(METADATA_NAME)
    summary = work.summary()
    chunks = before.metadata_chunks(summary)
    progress = work.phase("saving the header and the list of changes")
    with work.edit_store() as store:
        sectors = summary.chunk_sectors
        digest = before.save(work.stick, name, store, sectors, chunks, progress)
        work.note(
            {
                "saved": METADATA_NAME,
                "sha256": digest,
                "bytes": store.size_bytes,
                "marks": [use_mark(work)],
            }
        )
    # A plan that comes back from a stick must not name folders of this machine.
    copies = action.copies if work.order.kind is OrderKind.START else ()
    for folder in copies:
        _copy_out(work, name, Path(folder))
    places = 1 + len(copies)
    return (
        f"{len(chunks)} chunks of metadata are saved in {places} place{'s' * (places > 1)}: "
        f"{clean(name)}."
    )


def _copy_out(work: Work, name: str, folder: Path) -> None:
    with work.stick.open(name) as source, StickFolder(folder) as target:
        data = source.read(0, source.identity.size_bytes)
        copy = f"{work.order.job_id}-{METADATA_NAME}"
        target.write_new(copy, [(0, data)])
        with target.open(copy) as written:
            if written.read(0, len(data)) != data:
                raise LiveosError(
                    f"The backup in {clean(str(folder))} does not read back as it was written.",
                    "Nothing else was changed. Choose a folder on another disk.",
                )


def restore_metadata(work: Work) -> str:
    """Put header and metadata areas back, and cut the file to the size that it had."""
    notes = work.notes.get(work.step, {})
    size_bytes = notes.get("bytes")
    if not isinstance(size_bytes, int) or size_bytes < 0:
        return "Nothing had been saved yet, and nothing after it was done."
    work.take_down()
    with work.edit_store() as store:
        before.put_back(
            work.stick,
            work.own_path(METADATA_NAME),
            store,
            size_bytes,
            str(notes.get("sha256")),
            work.phase("putting the header and the list of changes back"),
        )
        if store.size_bytes > size_bytes:
            store.truncate(size_bytes)
        store.sync()
    return "The header and the list of changes are what they were."


def grow_file(work: Work, action: GrowFile) -> str:
    """Append zeros until the file is as large as planned.

    Bytes that are there are never written again: after an interruption the kernel may use them
    already. Cancelled or out of room, the file gets back the size that it had.
    """
    with work.edit_store() as store:
        began = at = store.size_bytes
        if at >= action.to_bytes:
            return f"The file has {size(at)} already."
        progress = work.phase("growing the file")
        # A FAT's chain of clusters comes before the size that needs it: after a power cut a size
        # without its chain has the kernel refuse the file. As little at once as one sector of the
        # FAT describes, since its sectors are written in any order.
        on_fat = work.place.filesystem == "vfat"
        stretch = _FAT_ENTRIES * store.block_bytes if on_fat else _SYNC_BYTES
        try:
            while at < action.to_bytes:
                work.stop_if_cancelled()
                end = min(at + stretch, action.to_bytes)
                if on_fat:
                    store.reserve(at, end - at)
                store.sync()
                for start in range(at, end, _PIECE_BYTES):
                    store.write(start, bytes(min(_PIECE_BYTES, end - start)))
                at = end
                progress(at - began, action.to_bytes - began)
            store.sync()
        except (CancelledError, NoRoomError):
            store.truncate(began)
            store.sync()
            work.found(f"The file has its old size again, {size(began)}.")
            raise
    return f"The file has grown from {size(began)} to {size(action.to_bytes)}."


def cut_file(work: Work, action: GrowFile) -> str:
    """Give the file its old size again. Refused where something lies in what would be cut off."""
    if any(isinstance(step.action, RefreshLoop) for step in work.plan.steps):
        raise LiveosError(
            "An overlay that was in use cannot be made smaller.",
            "It was left as it is. A larger overlay does no harm.",
        )
    work.take_down()
    summary = work.summary()
    if summary.used_bytes > action.from_bytes and not _is_restored_later(work):
        raise LiveosError(
            f"The overlay uses {size(summary.used_bytes)} by now: it cannot be cut to "
            f"{size(action.from_bytes)}.",
            "It was left as it is. A larger overlay does no harm.",
        )
    with work.edit_store() as store:
        if store.size_bytes > action.from_bytes:
            store.truncate(action.from_bytes)
            store.sync()
    return f"The file has its old size again, {size(action.from_bytes)}."


def _is_restored_later(work: Work) -> bool:
    """Whether an earlier step has saved the metadata, which is put back after the cut."""
    return any("saved" in notes for step, notes in work.notes.items() if step < work.step)


def fill_holes(work: Work, action: FillHoles) -> str:
    """Have the stick provide every block of the file; no byte of it changes."""
    progress = work.phase("filling holes")
    with work.edit_store() as store:
        total = store.size_bytes
        for offset in range(0, total, _SYNC_BYTES):
            work.stop_if_cancelled()
            store.fill_holes(offset, min(_SYNC_BYTES, total - offset))
            progress(min(offset + _SYNC_BYTES, total), total)
        store.sync()
    return f"{size(action.missing_bytes)} that were missing are there: the file has no holes."


def refresh_loop(work: Work, action: RefreshLoop) -> str:
    """Tell the kernel of the new size, and see that it counts with it."""
    probes = work.workplace.probes
    # Not by the number of the plan: a job that goes on after a boot finds others.
    loop = loop_of_overlay(work)
    if loop is None:
        return "The overlay is not in use any more: its next use will count with the new size."
    work.command("losetup", "--set-capacity", f"/dev/{loop.name}")
    refresh_capacity(probes.runner, Path("/dev", loop.name))
    for device in probes.device_mapper().status():
        if device.name != action.device:
            continue
        match device.lines[0].status:
            case SnapshotStatus(_, total, _) if total * SECTOR_BYTES >= action.to_bytes:
                return f"The kernel counts with {size(total * SECTOR_BYTES)}: it is in use already."
            case SnapshotStatus(_, total, _):
                raise LiveosError(
                    f"The kernel still counts with {size(total * SECTOR_BYTES)}.",
                    "The file has grown and is whole; the next boot will count with it.",
                )
            case ill:
                return (
                    f"The overlay is larger now, and the kernel still says {ill}: that lasts until "
                    "the next boot."
                )
    raise LiveosError(
        f"The kernel says nothing about {action.device}.",
        "The file has grown and is whole; the next boot will count with it.",
    )


def set_valid(work: Work) -> str:
    """Set the valid byte, where the header says that it is all that is wrong with it."""
    with work.edit_store() as store:
        header = parse_header(store.read(0, HEADER_BYTES))
        if header is None:
            raise LiveosError(
                "The overlay's header is empty: there is no valid byte to set.",
                "Nothing was changed. Loaded like this, all that is in it would be lost.",
            )
        if header.valid:
            return "The valid byte is set already."
        store.write(_VALID_OFFSET, _VALID)
        store.sync()
        store.forget_cache()
        if parse_header(store.read(0, HEADER_BYTES)) != CowHeader(
            valid=True, chunk_sectors=header.chunk_sectors
        ):
            raise LiveosError(
                "The valid byte does not read back as it was written.",
                "The stick is failing. Copy it before anything else.",
            )
    return "The valid byte is 1: the kernel takes the overlay again."


def clear_valid(work: Work) -> str:
    """Clear the valid byte again."""
    work.take_down()
    with work.edit_store() as store:
        if parse_header(store.read(0, HEADER_BYTES)) is not None:
            store.write(_VALID_OFFSET, bytes(len(_VALID)))
            store.sync()
    return "The valid byte is 0 again."


def reset_store(work: Work) -> str:
    """Zero the first sector, after it has been written down."""
    with work.edit_store() as store:
        first = store.read(0, SECTOR_BYTES)
        if any(first):
            area = _first_area(work, store)
            work.note({"sector": first.hex(), "area": area, "marks": [UNTOUCHED]})
            store.write(0, bytes(SECTOR_BYTES))
            store.sync()
            store.forget_cache()
        if any(store.read(0, SECTOR_BYTES)):
            raise LiveosError(
                "The first sector does not read back as it was written.",
                "The stick is failing. Copy it before anything else.",
            )
    return "The overlay is fresh: the next boot begins with the image alone."


def _first_area(work: Work, store: WritableFile) -> str:
    """The hash of the first metadata area: the kernel zeroes it when it takes a fresh store."""
    chunk_bytes = work.summary().chunk_sectors * SECTOR_BYTES
    return hashlib.sha256(store.read(chunk_bytes, chunk_bytes)).hexdigest()


def undo_reset(work: Work) -> str:
    """Put the first sector back, as long as nobody has begun to use the fresh store."""
    notes = work.notes.get(work.step, {})
    try:
        sector = bytes.fromhex(notes["sector"])
    except (KeyError, TypeError, ValueError):
        return _NOT_RESET
    with work.edit_store() as store:
        now = store.read(0, SECTOR_BYTES)
        if any(now):
            # A used one has such a header again; its first area the kernel has written anew.
            if now == sector and _first_area(work, store) == notes.get("area"):
                return _NOT_RESET
            raise LiveosError(
                "The overlay has been used since it was reset: what was in it is overwritten.",
                "It was left as it is.",
            )
        store.write(0, sector[:SECTOR_BYTES])
        store.sync()
    return "The overlay holds again what it held before."
