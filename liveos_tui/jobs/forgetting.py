"""Give up the way back of a job that has ended: what it kept for that is removed from the stick."""

from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import IS
from liveos_tui.jobs.journal import JOURNAL_NAME, JournalState, folder_of
from liveos_tui.jobs.merging import (
    WhichImage,
    check_not_the_same,
    image_notes,
    new_image_begun,
    which_image,
)
from liveos_tui.live.words import size
from liveos_tui.plans.actions import ExchangeImages, SwitchRoot
from liveos_tui.system.files import NotThereError
from liveos_tui.system.stick_writing import StickFolder

_KEPT = "Nothing was removed."


def forget(
    stick: StickFolder,
    journal: JournalState,
    work: str | None = None,
    used_before: str | None = None,
) -> str:
    """Remove the image that a merge has replaced, and all that a job has saved; what, in words.

    The stick's image itself is never removed: the two are told apart by what is in them. `work`:
    where the job's folder on another disk is now, as the person has named it; else it is the one
    that was `used_before`, or the plan's. Raises LiveosError, before anything is removed, where
    that is not sure.
    """
    if journal.can_resume:
        raise LiveosError(
            f"The job {journal.job_id} has not been ended: it {IS[journal.state]}.",
            f"Go on with it, go back, or leave it as it is first. {_KEPT}",
        )
    others = _other_image(stick, journal), _other_overlay(journal)
    place = journal.plan.place
    for other, used in zip(others, (place.image, place.overlay), strict=True):
        if other is not None and used is not None:
            check_not_the_same(stick, other, used)
    apart = _forget_apart(stick, journal, work, used_before)
    freed = 0
    for other in others:
        if other is not None:
            freed += _size(stick, other)
            stick.remove(other)
    freed += _remove_own(stick, folder_of(journal.job_id))
    return f"{size(freed)} are free again on the stick{apart}."


def _remove_own(disk: StickFolder, folder: str) -> int:
    """Remove a job's own folder from a disk; how many bytes that frees. Raises NotThereError."""
    freed = 0
    # The journal goes last: as long as there is one, this can be done again.
    for name in sorted(disk.names(folder), key=lambda name: name == JOURNAL_NAME):
        freed += _size(disk, f"{folder}/{name}")
        disk.remove(f"{folder}/{name}")
    disk.remove_folder(folder)
    return freed


def _forget_apart(
    stick: StickFolder, journal: JournalState, work: str | None, used_before: str | None
) -> str:
    """Remove a job's images on another disk; how a sentence on what is free ends then.

    A disk that is not connected leaves an empty folder at times: only one that was named may be so.
    """
    apart = journal.plan.apart
    if apart is None:
        return ""
    image, notes = journal.plan.place.image or "", image_notes(journal.notes)
    if notes and which_image(stick, image, notes) not in {WhichImage.OLD, WhichImage.NEW}:
        raise LiveosError(
            f"The stick's {clean(image)} is no image of this merge.",
            f"{_KEPT} Go on with the job, or go back.",
        )
    at = Path(work or used_before or apart)
    own = folder_of(journal.job_id)
    try:
        with StickFolder(at) as folder:
            return f", and {size(_remove_own(folder, own))} in {clean(str(at))}"
    except NotThereError as error:
        if work is None or not at.is_dir():
            raise LiveosError(
                f"The images of the job {journal.job_id} are not in {clean(str(at))}: it can "
                "still go back with them.",
                f"{_KEPT} Connect that disk, and name the folder where it is now (`liveos-tui jobs "
                f"forget {journal.job_id} --target STICK --work DIR`). Of a disk that is lost, "
                "name any folder.",
            ) from error
        return (
            f". There is nothing of this job in {clean(str(at))}. If it went on with another "
            f"folder (--work), its images are there still, in {own}"
        )


def _other_image(stick: StickFolder, journal: JournalState) -> str | None:
    """The image of a merge that the stick does not boot with; None where there is none."""
    action = next(
        (s.action for s in journal.plan.steps if isinstance(s.action, ExchangeImages)), None
    )
    if action is None:
        return None
    notes = image_notes(journal.notes)
    if not notes:
        # It never was whole: what there is of it was made by this job.
        return action.beside if new_image_begun(journal.notes) else None
    pair = which_image(stick, action.image, notes), which_image(stick, action.beside, notes)
    match pair:
        case (WhichImage.OLD, WhichImage.NEW) | (WhichImage.NEW, WhichImage.OLD):
            return action.beside
        case WhichImage.OLD | WhichImage.NEW, WhichImage.EMPTY:
            return action.beside
        case _, WhichImage.GONE:
            return None
    raise LiveosError(
        f"{clean(action.image)} and {clean(action.beside)} are not both images of this merge.",
        f"{_KEPT} Check the stick from another Linux (`fsck.vfat -a DEVICE`) before anything else.",
    )


def _other_overlay(journal: JournalState) -> str | None:
    """The overlay that a running root was switched from: at a boot nothing looks for that name."""
    actions = (step.action for step in journal.plan.steps)
    return next((each.second for each in actions if isinstance(each, SwitchRoot)), None)


def _size(stick: StickFolder, path: str) -> int:
    try:
        with stick.open(path) as file:
            return file.identity.size_bytes
    except NotThereError:
        return 0
