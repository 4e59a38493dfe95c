"""Both images of a merge on another disk for a while, where the stick has no room for two.

The new image, a copy of the old one and a second journal lie in the job's folder there. Nothing on
the stick is touched before both have been read back. Which image the stick has is asked of the
stick at every moment (`merging.which_image`), so this goes on, or back, after any power cut:

    stick has the old image     nothing has happened yet, or all is undone
    stick has none              one is being written: under the name `beside` until it is whole
    stick has the new image     done
"""

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.merging import WhichImage, image_notes, which_image
from liveos_tui.jobs.work import Work
from liveos_tui.live.words import need, size
from liveos_tui.plans.actions import KeepImage, ReplaceImage
from liveos_tui.plans.joined import PATH_LIMIT
from liveos_tui.plans.merge_apart import SPARE_BYTES
from liveos_tui.plans.merge_steps import NEW_IMAGE, OLD_IMAGE
from liveos_tui.plans.ways import JOBS
from liveos_tui.system.copying import copy_file, digest_of
from liveos_tui.system.files import NotThereError
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import NoRoomError

_DIGESTS = {NEW_IMAGE: "sha256_new", OLD_IMAGE: "sha256_old"}
_BEGUN = "begun"
_KEPT = "Nothing on the stick was touched."


def image_home(work: Work, beside: str, apart: str | None) -> tuple[StickFolder, str]:
    """The folder and the path in it of a new image. Raises LiveosError."""
    if apart is None:
        return work.stick, beside
    return work.apart(apart), work.own_path(NEW_IMAGE)


def note_new_image(work: Work, apart: str) -> None:
    """Write down what the new image is, once it has been compared. Raises CancelledError."""
    progress = work.phase("reading the new image once more")
    with work.apart(apart).edit(work.own_path(NEW_IMAGE)) as file:
        work.note({_DIGESTS[NEW_IMAGE]: digest_of(file, progress, work.cancelled)})


def keep_image(work: Work, action: KeepImage) -> str:
    """Copy the old image to the other disk, and read the copy back."""
    folder, copy = work.apart(action.apart), work.own_path(OLD_IMAGE)
    folder.remove(copy)
    with work.stick.edit(action.image) as image:
        _check_free(folder, image.size_bytes, f"in {clean(action.apart)}")
        progress = work.phase("copying the old image")
        digest = copy_file(image, folder, copy, progress, work.cancelled)
    with folder.edit(copy) as file:
        found = digest_of(file, work.phase("reading the copy back"), work.cancelled)
    if found != digest:
        raise LiveosError(
            f"The copy in {clean(action.apart)} does not read back as it was written.",
            f"{_KEPT} That disk may be failing: undo the job, and name a folder on another one.",
        )
    work.note({_DIGESTS[OLD_IMAGE]: digest})
    return f"The old image is copied to {_told_path(work, folder, OLD_IMAGE)}, and read back there."


def drop_kept(work: Work, action: KeepImage) -> str:
    """Remove the copy, if the stick has its image."""
    notes = image_notes(work.notes)
    if notes and which_image(work.stick, action.image, notes) is not WhichImage.OLD:
        raise LiveosError(
            f"The stick's {clean(action.image)} is not the old image.",
            f"The copy is kept. See what the job can still do {JOBS}.",
        )
    apart = work.apart(action.apart)
    apart.remove(work.own_path(OLD_IMAGE))
    return f"The copy of the old image, {_told_path(work, apart, OLD_IMAGE)}, is removed."


def replace_image(work: Work, action: ReplaceImage) -> str:
    """Have the new image instead of the old one on the stick."""
    found = _on_stick(work, action)
    if found is WhichImage.NEW:
        return "The stick has the new image already."
    apart = work.apart(action.apart)
    new_bytes = _whole(work, apart, NEW_IMAGE)
    if found is WhichImage.OLD:
        _whole(work, apart, OLD_IMAGE)
        with work.stick.open(action.image) as file:
            _check_free(work.stick, new_bytes - file.identity.size_bytes, "on the stick")
        work.note({_BEGUN: True})
    _clear(work, action)
    _write(work, apart, NEW_IMAGE, action)
    with apart.open(work.own_path(OLD_IMAGE)) as old:
        old_bytes = old.identity.size_bytes
    work.report.append(
        f"{_told_path(work, apart, OLD_IMAGE)}: the old image, {size(old_bytes)}; beside it "
        f"{NEW_IMAGE}, the new one once more, {size(new_bytes)}."
    )
    return f"{clean(action.image)} is the new image; it was read back from the medium."


def put_back_image(work: Work, action: ReplaceImage) -> str:
    """Have the old image on the stick again."""
    if not work.notes.get(work.step, {}).get(_BEGUN):
        return "The old image had not been removed yet."
    if _on_stick(work, action) is WhichImage.OLD and _is_whole(work, action):
        work.stick.remove(action.beside)
        return "The stick has its old image."
    apart = work.apart(action.apart)
    _whole(work, apart, OLD_IMAGE)
    _clear(work, action)
    _write(work, apart, OLD_IMAGE, action)
    return f"{clean(action.image)} is the old image again; it was read back from the medium."


def _on_stick(work: Work, action: ReplaceImage) -> WhichImage:
    """Which image the stick has. Raises LiveosError for one that is neither."""
    notes = image_notes(work.notes)
    found = which_image(work.stick, action.image, notes)
    if found is not WhichImage.NEITHER:
        return found
    old = notes.get("old")
    old_bytes = old.get("bytes") if isinstance(old, dict) else None
    with work.stick.open(action.image) as file:
        remains = isinstance(old_bytes, int) and file.identity.size_bytes < old_bytes
    if remains and work.notes.get(work.step, {}).get(_BEGUN):
        # A power cut within its removal, and then a check of the FAT.
        return WhichImage.GONE
    raise LiveosError(
        f"{clean(action.image)} is neither the old image nor the new one.",
        "It was left as it is; both images are on the other disk. Move it away, and go on or back.",
    )


def _is_whole(work: Work, action: ReplaceImage) -> bool:
    """Whether the stick's image is the old one to its last byte."""
    with work.stick.edit(action.image) as file:
        found = digest_of(file, work.phase("checking the stick's image"))
    return found == _noted_digest(work, OLD_IMAGE)


def _clear(work: Work, action: ReplaceImage) -> None:
    """Remove the stick's image, and what there is of one that was being written."""
    # Whoever has it open keeps its room taken.
    work.let_go()
    work.stick.remove(action.beside)
    if work.stick.is_file(action.image):
        # Its name goes first: a FAT frees what is in a file in no order.
        work.stick.move(action.image, action.beside)
        work.stick.remove(action.beside)


def _write(work: Work, apart: StickFolder, name: str, action: ReplaceImage) -> None:
    """Write an image to the stick; it gets its name when it has been read back."""
    words = "new" if name == NEW_IMAGE else "old"
    with apart.edit(work.own_path(name)) as source:
        progress = work.phase(f"writing the {words} image to the stick")
        copy_file(source, work.stick, action.beside, progress)
    with work.stick.edit(action.beside) as file:
        found = digest_of(file, work.phase("reading it back from the stick"))
    if found != _noted_digest(work, name):
        raise LiveosError(
            f"The {words} image does not read back from the stick as it was written.",
            "The stick has no image at this moment; both images are on the other disk. Go on, or "
            "go back. If it happens again, the stick is failing: merge a copy of it.",
        )
    work.stick.move(action.beside, action.image)


def _whole(work: Work, apart: StickFolder, name: str) -> int:
    """The size of an image on the other disk. Raises LiveosError unless all of it is right."""
    try:
        with apart.edit(work.own_path(name)) as file:
            found = digest_of(file, work.phase(f"checking {name}"), work.cancelled)
            size_bytes = file.size_bytes
    except NotThereError:
        found, size_bytes = None, 0
    if found is None or found != _noted_digest(work, name):
        where = _told_path(work, apart, name)
        raise LiveosError(
            f"{where} is {'not there' if found is None else 'not what this job has written'}.",
            f"{_KEPT} Connect the disk that has it, and name its folder (--work DIR).",
        )
    return size_bytes


def _told_path(work: Work, apart: StickFolder, name: str) -> str:
    return clean(str(apart.path / work.own_path(name)), PATH_LIMIT)


def _noted_digest(work: Work, name: str) -> object:
    noted = (notes.get(_DIGESTS[name]) for notes in work.notes.values())
    return next((each for each in noted if each is not None), None)


def _check_free(folder: StickFolder, needed_bytes: int, where: str) -> None:
    free = folder.free_bytes
    needed = max(0, needed_bytes) + SPARE_BYTES
    if free < needed:
        raise NoRoomError(
            f"{need(needed)} are needed {where}, and {size(free)} are free.",
            f"{_KEPT} Free some room, and go on.",
        )
