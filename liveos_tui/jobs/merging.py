"""Steps of a merge besides the image itself: what is merged is whole, and the names' exchange.

An image is known by its size and its first bytes, which the step that made the new one has noted
(`remember_images`): a job that goes on after a power cut asks the stick which image has which name.
"""

import hashlib
from enum import StrEnum
from typing import Any

from liveos_tui.errors import LiveosError
from liveos_tui.formats.images import SHORT_HEAD_BYTES, identify
from liveos_tui.formats.text import clean, shell_word
from liveos_tui.jobs.checking import fsck
from liveos_tui.jobs.compressors import check_in_image
from liveos_tui.jobs.journal import Notes
from liveos_tui.jobs.marks import use_mark
from liveos_tui.jobs.work import Work
from liveos_tui.plans.actions import ExchangeImages, SetAside
from liveos_tui.plans.ways import JOBS
from liveos_tui.system.e2fsprogs import Check
from liveos_tui.system.files import Folder, NotThereError
from liveos_tui.system.first_block import share_content
from liveos_tui.system.stick_writing import StickFolder

BEGUN = "begun"
"""What the step that makes the new image notes before it does."""

_HEAD_BYTES = 1 << 16

_KEPT = f"Both images are kept. See what the job can still do {JOBS}."


class WhichImage(StrEnum):
    """Which of the two images of a merge a file is.

    EMPTY is what fsck.fat(8) leaves of the second of two names that had the same content, as a
    power cut within their exchange may leave them on a FAT; what neither had is lost then.
    """

    OLD = "old"
    NEW = "new"
    EMPTY = "empty"
    NEITHER = "neither"
    GONE = "gone"


def check_root(work: Work) -> str:
    """e2fsck finds nothing wrong with what base and overlay make."""
    verdict = fsck(work, Check.PREVIEW, work.view().path)
    if not verdict.sound:
        raise LiveosError(
            f"Only a clean file system is merged: {verdict.words}",
            "Have it repaired first (r, or `liveos-tui recover --repair "
            f"{shell_word(work.place.target)}`). The stick was left as it is.",
        )
    _check_compressor(work)
    return "e2fsck finds nothing wrong."


def _check_compressor(work: Work) -> None:
    """Raise LiveosError where the stick's kernels may not read the new image."""
    with work.stick.open(work.place.image or "") as file:
        old = identify(file.read(0, SHORT_HEAD_BYTES))
    wanted = work.plan.new_compressor(old)
    if wanted is not None:
        check_in_image(work.workplace.probes.runner, work.view().path, wanted)


def remember_images(work: Work, image: str, folder: Folder, new: str) -> None:
    """Note how the old image and the new one, in `folder`, are known again, when that is whole."""
    work.note(
        {
            "old": _identity(work.stick, image),
            "new": _identity(folder, new),
            "marks": [use_mark(work)],
        }
    )


def which_image(stick: Folder, path: str, notes: Notes) -> WhichImage:
    """Which image has this name, by what `remember_images` has noted. Raises UnreadableError."""
    try:
        found = _identity(stick, path)
    except NotThereError:
        return WhichImage.GONE
    for which in (WhichImage.OLD, WhichImage.NEW):
        noted = notes.get(which.value)
        if isinstance(noted, dict) and found.items() <= noted.items():
            return which
    return WhichImage.NEITHER if found["bytes"] else WhichImage.EMPTY


def check_not_the_same(stick: StickFolder, other: str, used: str) -> None:
    """Raise LiveosError where to remove `other` would take away what the stick boots with.

    A power cut within an exchange of their names may leave a FAT so.
    """
    if share_content(stick.path / other, stick.path / used):
        raise LiveosError(
            f"Since a power cut {clean(other)} is {clean(used)} itself by another name: to remove "
            "it would take that away.",
            "Nothing was changed. Unmount the stick on another Linux, and have it checked there "
            "(`fsck.vfat -a DEVICE`), which leaves the content to one of the two: where "
            f"{clean(used)} is empty then, rename {clean(other)} to it.",
        )


def image_notes(notes: dict[int, Notes]) -> Notes:
    """What a job has noted about its images; empty before the new one was whole."""
    return next((each for each in notes.values() if "old" in each and "new" in each), {})


def new_image_begun(notes: dict[int, Notes]) -> bool:
    """Whether a job has noted that it makes the new image: what there is of it is its own."""
    return any(each.get(BEGUN) for each in notes.values())


def exchange_images(work: Work, action: ExchangeImages) -> str:
    """Give the new image the old one's name, and the old one the new one's."""
    match _both(work, action):
        case WhichImage.OLD, WhichImage.NEW:
            if not work.plan.works_in_use:
                # Nothing more is read of the view; the overlay is nobody else's from now on.
                work.take_down()
            work.stick.exchange(action.image, action.beside)
        case WhichImage.NEW, WhichImage.OLD:
            return "They are exchanged already."
        case found:
            return _after_a_check(work, action, found, WhichImage.NEW)
    if _both(work, action) != (WhichImage.NEW, WhichImage.OLD):
        raise LiveosError("The names do not read back as they were exchanged.", _KEPT)
    return f"The new image is {clean(action.image)}; the old one is kept as {clean(action.beside)}."


def exchange_back(work: Work, action: ExchangeImages) -> str:
    """Give the old image its name back."""
    match _both(work, action):
        case WhichImage.NEW, WhichImage.OLD:
            work.stick.exchange(action.image, action.beside)
            return "The old image has its name again."
        case WhichImage.OLD, _:
            return "The old image had kept its name."
        case found:
            return _after_a_check(work, action, found, WhichImage.OLD)


def _after_a_check(
    work: Work, action: ExchangeImages, found: tuple[WhichImage, WhichImage], wanted: WhichImage
) -> str:
    """See to it that the image that is left of two bears the name that a boot looks for.

    Raises LiveosError where that is not the one that is `wanted`, or more is wrong.
    """
    match found:
        case WhichImage.EMPTY, (WhichImage.OLD | WhichImage.NEW) as left:
            work.stick.exchange(action.image, action.beside)
        case (WhichImage.OLD | WhichImage.NEW) as left, WhichImage.EMPTY:
            pass
        case _:
            raise _unexpected(work, action, found)
    lost, way = (
        ("new", "Go back with this job (`jobs rollback`), and merge again.")
        if left is WhichImage.OLD
        else ("old", "The new one is whole: go on with this job (`jobs resume`).")
    )
    words = f"The power failed while the images were exchanged, and the {lost} one was lost"
    if left is wanted:
        return f"{words}; {clean(action.image)} is the {left} one."
    raise LiveosError(f"{words}.", f"{clean(action.image)} is the {left} one. {way}")


def set_aside(work: Work, action: SetAside) -> str:
    """Move a file into the job's folder."""
    kept = _kept_aside(work, action)
    if not work.stick.is_file(action.path) and work.stick.is_file(kept):
        return "It is set aside already."
    work.stick.move(action.path, kept)
    return f"{clean(action.path)} is set aside."


def put_back(work: Work, action: SetAside) -> str:
    """Move it back."""
    kept = _kept_aside(work, action)
    if not work.stick.is_file(kept):
        return "It had not been set aside yet."
    work.stick.move(kept, action.path)
    return f"{clean(action.path)} is back."


def _kept_aside(work: Work, action: SetAside) -> str:
    return work.own_path(action.path.rpartition("/")[2])


def _both(work: Work, action: ExchangeImages) -> tuple[WhichImage, WhichImage]:
    notes = image_notes(work.notes)
    return (
        which_image(work.stick, action.image, notes),
        which_image(work.stick, action.beside, notes),
    )


def _unexpected(
    work: Work, action: ExchangeImages, found: tuple[WhichImage, WhichImage]
) -> LiveosError:
    # Where it is so this has the better words.
    check_not_the_same(work.stick, action.beside, action.image)
    return LiveosError(
        f"{clean(action.image)} is {_WORDS[found[0]]}, and {clean(action.beside)} is "
        f"{_WORDS[found[1]]}.",
        f"Nothing was exchanged. {_KEPT}",
    )


_WORDS = {
    WhichImage.OLD: "the old image",
    WhichImage.NEW: "the new image",
    WhichImage.EMPTY: "empty",
    WhichImage.NEITHER: "neither the old image nor the new one",
    WhichImage.GONE: "not there",
}


def _identity(stick: Folder, path: str) -> dict[str, Any]:
    """How an image is known again: size and first bytes. Raises NotThereError."""
    with stick.open(path) as file:
        digest = hashlib.sha256(file.read(0, _HEAD_BYTES)).hexdigest()
        return {"bytes": file.identity.size_bytes, "sha256_head": digest}
