"""Whether overlay and images are fit to be merged; if not, why not."""

from liveos_tui.formats.image_kinds import ImageKind
from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.live.facts import EXT
from liveos_tui.live.merging import MergeFacts
from liveos_tui.plans.refused import (
    UNCHANGED,
    BesideTakenError,
    NothingToDoError,
    PlanRefusedError,
)

_RECOVER_FIRST = (
    "Recover it first: a merged image must be the same file system as base and overlay, so only a "
    f"clean one is merged. {UNCHANGED}"
)
_ILL = {
    Illness.INVALID: "Invalid",
    Illness.OVERFLOW: "overflowed",
    Illness.FULL: "full",
    Illness.ERRORS: "not well: its file system has noted errors",
    Illness.FOREIGN: "damaged, or of a kind that is not known here",
}


def check_well(diagnosis: Diagnosis) -> None:
    """Raise PlanRefusedError unless the overlay and the file system in it are whole."""
    if diagnosis.refusal:
        raise PlanRefusedError(diagnosis.refusal, diagnosis.hint)
    view = diagnosis.view
    if diagnosis.illness is not Illness.NONE:
        raise PlanRefusedError(f"The overlay is {_ILL[diagnosis.illness]}.", _RECOVER_FIRST)
    if diagnosis.root_filesystem is not None and diagnosis.root_filesystem not in EXT:
        raise PlanRefusedError(
            f"The root file system is {diagnosis.root_filesystem}: which of its blocks are in use "
            "is known here for ext2, ext3 and ext4 only.",
            UNCHANGED,
        )
    if view is None or diagnosis.base is None:
        raise PlanRefusedError(
            "The root file system cannot be read through base image and overlay.",
            "To recover it (r, or `liveos-tui recover`) begins with a rehearsal, which tells more "
            f"and writes nothing. {UNCHANGED}",
        )
    if diagnosis.summary is None or diagnosis.summary.exceptions == 0:
        raise NothingToDoError("The overlay is empty: there is nothing to merge.", UNCHANGED)
    # What is mounted is never clean: it is quiesced when the view is frozen, and checked then.
    if not diagnosis.in_use and not view.clean:
        raise PlanRefusedError(
            "The root file system was not unmounted cleanly: its journal is to be replayed first.",
            _RECOVER_FIRST,
        )


def check_images(diagnosis: Diagnosis, facts: MergeFacts) -> None:
    """Raise PlanRefusedError unless there is an image to merge with, and one can take its place."""
    image = facts.image
    if image is None or image.damage:
        raise PlanRefusedError(
            "The image is missing or damaged.",
            f"Get this very image again: the overlay fits no other. {UNCHANGED}",
        )
    if image.kind is ImageKind.EROFS:
        raise PlanRefusedError(
            "The image is an EROFS, and only squashfs images are made here.",
            f"The stick works on as it is. {UNCHANGED}",
        )
    if image.kind is ImageKind.SQUASHFS and diagnosis.place.base is None:
        raise PlanRefusedError(
            "The image is flat: it holds the root's files, and no file system to merge with.",
            UNCHANGED,
        )
    if facts.beside_taken:
        raise BesideTakenError(
            f"{clean(facts.beside)} is there already, and no job of this stick tells what it is.",
            f"It may be an image of an earlier merge. Move it to another disk. {UNCHANGED}",
        )
    if not facts.exchanges:
        raise PlanRefusedError(
            "This kernel cannot exchange two names on FAT at once; Linux 6.0 and later can.",
            f"Merge it on a machine with a newer Linux. {UNCHANGED}",
        )
