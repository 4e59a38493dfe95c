"""Steps that make the new image of a merge, and compare it with the merged view."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, iterate_exceptions
from liveos_tui.formats.free_blocks import Range
from liveos_tui.formats.squash_command import SquashOptions, squash_command
from liveos_tui.formats.text import clean
from liveos_tui.jobs.apart import image_home, note_new_image
from liveos_tui.jobs.merging import (
    BEGUN,
    WhichImage,
    check_not_the_same,
    image_notes,
    remember_images,
    which_image,
)
from liveos_tui.jobs.mirroring import copy_path
from liveos_tui.jobs.work import Work
from liveos_tui.live.growth import RESERVE_BYTES
from liveos_tui.live.words import need, size
from liveos_tui.plans.actions import CompareImage, Engine, MakeImage, MirrorView
from liveos_tui.plans.joined import PATH_LIMIT
from liveos_tui.plans.ways import JOBS
from liveos_tui.system.comparing import Difference, first_difference
from liveos_tui.system.merged import MergedReader, behind_loop, stretches, used_ranges
from liveos_tui.system.squashfs import outer_modes
from liveos_tui.system.squashing import squash
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.views import View
from liveos_tui.system.writable_file import NoRoomError, WritableFile

_OLD_KEPT = "Nothing was exchanged: the old image and the overlay are as they were."
_SYNC_BYTES = 16 << 20
_ZEROS = bytes(64 << 10)

# Of one view: a running root that is frozen again is another one.
_used: WeakKeyDictionary[Work, tuple[View, tuple[Range, ...]]] = WeakKeyDictionary()


def make_image(work: Work, action: MakeImage) -> str:
    """Make the new image beside the old one; what it became, in a sentence.

    One that an interrupted run of this job has left is made anew. Raises LiveosError (what is
    there then is for `drop_image`), CancelledError.
    """
    folder, path = image_home(work, action.beside, action.apart)
    _clear_the_way(work, folder, path)
    used = _used_ranges(work)
    _check_room(work, action, folder, used)
    work.note({BEGUN: True})
    with _reader(work, action, used) as reader, folder.create(path) as target:
        target.let_all_read()
        if action.member is None or action.compression is None:
            _write_out(work, reader, target)
        else:
            compression = action.compression
            options = SquashOptions(
                compression.name, compression.block_bytes, compression.level, _modes(work, action)
            )
            work.command(*squash_command(str(folder.path / path), action.member, options))
            squash(
                reader,
                target,
                action.member,
                options,
                scratch=work.workplace.scratch,
                on_line=work.line,
                on_progress=work.phase("making the new image"),
                cancelled=work.cancelled,
                paused=work.paused,
            )
        image_bytes = target.size_bytes
    folder.sync_folder(path.rpartition("/")[0])
    remember_images(work, work.place.image or "", folder, path)
    used_bytes = sum(end - start for start, end in used)
    return (
        f"The new image has {size(image_bytes)}. In it are the {size(used_bytes)} that the root "
        "file system has in use, its own tables included."
    )


def drop_image(work: Work, action: MakeImage) -> str:
    """Remove the new image, whole or half made; never the old one. What was there."""
    if not work.notes.get(work.step, {}).get(BEGUN):
        return "The new image had not been begun."
    folder, path = image_home(work, action.beside, action.apart)
    if not folder.is_file(path):
        return "There was no new image."
    _check_not_used(work, folder, path)
    folder.remove(path)
    told = path if action.apart is None else str(folder.path / path)
    return f"The new image, {clean(told, PATH_LIMIT)}, is removed."


def compare_image(work: Work, action: CompareImage) -> str:
    """Read the new image back from the medium, and compare all of it with the merged view."""
    used, view = _used_ranges(work), work.view()
    folder, path = image_home(work, action.beside, action.apart)
    with folder.edit(path) as file:
        file.sync()
        file.forget_cache()
    with _member(work, action, folder.path / path) as member:
        found = first_difference(
            behind_loop(member),
            view,
            used,
            on_progress=work.phase("comparing the new image with the view"),
            cancelled=work.cancelled,
        )
    if isinstance(found, Difference):
        raise LiveosError(
            f"The new image differs from the merged view at byte {found.offset}: {found.words}.",
            f"{_OLD_KEPT} The stick may be failing, or memory: make it anew, and check both if it "
            "happens again.",
        )
    if action.apart is not None:
        note_new_image(work, action.apart)
    return (
        f"The new image is the merged view: {size(found)} in use were read back from the medium "
        "and compared, byte by byte."
    )


@contextmanager
def _member(work: Work, action: CompareImage, image: Path) -> Iterator[Path]:
    joiner = work.workplace.joiner
    with joiner.base(image, action.member, work.compared_name) as path:
        yield path


def _used_ranges(work: Work) -> tuple[Range, ...]:
    """What the file system of the merged view uses, looked at once for each view."""
    view = work.view()
    known = _used.get(work)
    if known is not None and known[0] is view:
        return known[1]
    path = view.path
    work.command("dumpe2fs", str(path))
    ranges = used_ranges(path, cancelled=work.cancelled)
    _used[work] = view, ranges
    return ranges


def _reader(work: Work, action: MakeImage, used: tuple[Range, ...]) -> MergedReader:
    """What the new image is made of."""
    view = work.view()
    if action.engine is Engine.MIRROR and action.work is not None:
        copy = copy_path(work, MirrorView(action.work))
        if not copy.is_file() or copy.stat().st_size != view.size_bytes:
            raise LiveosError(
                f"The mirror's copy, {clean(str(copy))}, is not there any more, or is not whole.",
                f"{_OLD_KEPT} Undo the job and begin anew.",
            )
        return MergedReader(copy, copy, stretches(view.size_bytes, used, (), SECTOR_BYTES))
    with work.stick.open(work.place.overlay) as file:
        store_bytes = file.identity.size_bytes
        mapped = [old for old, _ in iterate_exceptions(file.read, store_bytes)]
    chunk_bytes = work.summary().chunk_sectors * SECTOR_BYTES
    parts = stretches(view.size_bytes, used, mapped, chunk_bytes)
    return MergedReader(work.base(), view.path, parts)


def _write_out(work: Work, reader: MergedReader, target: WritableFile) -> None:
    """Write the root file system itself: sparse, where the stick's file system can have that."""
    progress = work.phase("making the new image")
    since = 0
    for offset, data in reader.pieces():
        work.stop_if_cancelled()
        for start in range(0, len(data), len(_ZEROS)):
            block = data[start : start + len(_ZEROS)]
            if block != _ZEROS[: len(block)]:
                target.write(offset + start, block)
        since += len(data)
        if since >= _SYNC_BYTES:
            target.sync()
            since = 0
        progress(offset, reader.size_bytes)
    # On FAT this writes zeros to the end.
    target.truncate(reader.size_bytes)
    target.sync()
    progress(reader.size_bytes, reader.size_bytes)


def _modes(work: Work, action: MakeImage) -> tuple[tuple[str, int], ...]:
    """The permission bits in the old image; the usual ones where it cannot be looked into."""
    try:
        return outer_modes(
            work.workplace.probes.runner,
            work.stick.path / (work.place.image or ""),
            action.member or "",
        )
    except LiveosError:
        return ()


def _clear_the_way(work: Work, folder: StickFolder, path: str) -> None:
    """Remove what an interrupted run of this job has left; anyone else's file is not touched."""
    if not _is_there(folder, path):
        return
    if not work.notes.get(work.step, {}).get(BEGUN):
        raise LiveosError(
            f"{clean(path)} is there already, and not of this job.",
            f"{_OLD_KEPT} It may be the old image of an earlier merge {JOBS}.",
        )
    _check_not_used(work, folder, path)
    folder.remove(path)


def _is_there(folder: StickFolder, path: str) -> bool:
    parent, _, name = path.rpartition("/")
    return name in folder.names(parent)


def _check_not_used(work: Work, folder: StickFolder, path: str) -> None:
    """Raise LiveosError when the old image has this name, or what the stick boots with has it."""
    notes = image_notes(work.notes)
    if notes and which_image(folder, path, notes) is WhichImage.OLD:
        raise LiveosError(
            f"{clean(path)} is the old image, or cannot be told from it.",
            "It was left as it is. Exchange the images back first (`jobs rollback`).",
        )
    if folder is work.stick and work.place.image is not None:
        check_not_the_same(folder, path, work.place.image)


def _check_room(
    work: Work, action: MakeImage, folder: StickFolder, used: tuple[Range, ...]
) -> None:
    """Raise NoRoomError where the new image has no room for sure.

    How large it becomes is known only when it is made: a disk that is too full all the same is
    told by the write that fails.
    """
    if action.member is None:
        on_fat = action.apart is None and work.place.filesystem == "vfat"
        needed = work.view().size_bytes if on_fat else sum(end - start for start, end in used)
        needed += RESERVE_BYTES
    else:
        needed = RESERVE_BYTES
    free = folder.free_bytes
    if free < needed:
        where = "on the stick" if action.apart is None else f"in {clean(action.apart)}"
        raise NoRoomError(
            f"The new image needs {need(needed)} {where} at least, where {size(free)} are free.",
            f"{_OLD_KEPT} Free room there, and go on.",
        )
