"""A merge for a stick without room for two images: both lie on another disk for a while.

The new image is made and compared there, and the old one is copied there, before anything on the
stick is touched. Then the old one is removed from the stick and the new one written in its place.
"""

from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.growth import MIB
from liveos_tui.live.merging import MergeFacts
from liveos_tui.live.words import rounded_up, size
from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.merge_room import Estimate, mirror_bytes
from liveos_tui.plans.model import Room
from liveos_tui.plans.steps import JOB_FOLDER
from liveos_tui.plans.ways import BACK, FORGET, WORK

SPARE_BYTES = MIB
"""What is left free on the stick beside the new image: for the journal, and the folders."""


def apart_bytes(diagnosis: Diagnosis, facts: MergeFacts, engine: Engine, estimate: Estimate) -> int:
    """Room that both images, and the mirror's copy, need in the work folder. Bytes."""
    mirrored = mirror_bytes(diagnosis) if engine is Engine.MIRROR else 0
    return facts.image_bytes + estimate.most_bytes + mirrored


def why_not_apart(
    diagnosis: Diagnosis, facts: MergeFacts, engine: Engine, estimate: Estimate
) -> str | None:
    """Why the images cannot be made in the work folder, in a sentence; None where they can."""
    if diagnosis.in_use:
        return (
            "The running system's own stick must have room for both: attach the stick to another "
            "Linux to merge it with a work folder there."
        )
    # A folder elsewhere makes room for the old image, no more.
    free = (diagnosis.free_bytes or 0) + facts.image_bytes - SPARE_BYTES
    if estimate.likely_bytes > free:
        return (
            f"A folder on another disk would not help: with the old image gone, the stick has room "
            f"for {size(max(0, free))} only."
        )
    work = facts.work
    if work is None:
        return (
            f"Or name a folder on another disk {WORK}: the new image is made there, and then "
            "takes the old one's place."
        )
    if work.in_memory:
        return (
            f"{clean(work.path)} lies in memory, and a power cut would lose the only copy of the "
            "image: name a folder on a disk."
        )
    if work.number == facts.number:
        return f"{clean(work.path)} lies on the stick's own file system: name one on another disk."
    needed = apart_bytes(diagnosis, facts, engine, estimate)
    largest = max(facts.image_bytes, estimate.most_bytes)
    return why_not_work_folder(work, needed, facts.own_roots, largest)


def apart_rooms(
    diagnosis: Diagnosis, facts: MergeFacts, engine: Engine, estimate: Estimate
) -> tuple[Room, ...]:
    """What is needed where."""
    work = facts.work
    return (
        Room(
            "on the stick once the old image is gone",
            rounded_up(estimate.most_bytes),
            (diagnosis.free_bytes or 0) + facts.image_bytes,
        ),
        Room(
            f"in {clean(work.path)} for both images" if work else "for both images",
            rounded_up(apart_bytes(diagnosis, facts, engine, estimate)),
            work.free_bytes if work else None,
        ),
    )


def apart_summary(apart: str) -> str:
    """What is done other than usually, in a sentence or two."""
    return (
        f"The stick has no room for two images: the new one is made in {clean(apart)}, and the old "
        "one is copied there. When both have been read back, the new one takes the old one's place "
        "on the stick."
    )


def apart_warning(apart: str) -> str:
    """What a power cut means while the stick has no image."""
    return (
        "While the new image is written to the stick, the stick has no image, and does not boot. "
        "After a power cut in those minutes nothing is lost: connect the stick and the disk with "
        f"{clean(apart)} to any Linux, and run `liveos-tui jobs resume JOB --target STICK --work "
        "DIR` (or `jobs rollback`). Both disks have the journal."
    )


def apart_go_back(apart: str) -> str:
    """How everything is undone."""
    return (
        f"Going back {BACK} writes the old image back from {clean(apart)}/{JOB_FOLDER} and gives "
        "the overlay its header, byte for byte: until the stick has been booted with the new "
        "image, and as long as the copy is kept."
    )


def apart_afterwards(facts: MergeFacts, apart: str) -> str:
    """What to do when it has ended."""
    return (
        "Boot the stick, and see that it is well. The old image "
        f"({size(facts.image_bytes)}), and the new one once more, are kept in "
        f"{clean(apart)}/{JOB_FOLDER} until you let them go {FORGET}."
    )
