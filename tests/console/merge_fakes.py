"""Merges as their plans and jobs tell them: an attached stick, and the one that runs."""

from dataclasses import replace

from console_fakes import GIB, MIB
from workshop_fakes import PLACE, FakeJob

from liveos_tui.formats.squash_command import SquashOptions, squash_command
from liveos_tui.jobs.events import (
    CommandEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    ProgressEvent,
    StepEvent,
    StepState,
)
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import (
    CheckRoot,
    CompareImage,
    Compression,
    Engine,
    ExchangeImages,
    MakeImage,
    MirrorView,
    OpenStick,
    ResetStore,
    SetAside,
)
from liveos_tui.plans.model import Cancel, Confirmation, Plan, Room, Step

FACTS = (
    Fact("Overlay", "425 MiB of 512 MiB are used, in 108,800 chunks"),
    Fact("Image", "LiveOS/squashfs.img, 1.1 GiB, squashfs, zstd"),
    Fact("File system", "ext4, cleanly unmounted, 736 MiB of 2.0 GiB are used"),
    Fact("Mirror", "needs a folder on another disk (--work DIR)"),
)

MKSQUASHFS = squash_command(
    "/run/media/me/STICK2/LiveOS/squashfs.alt",
    "LiveOS/rootfs.img",
    SquashOptions("zstd", 131072),
)

_OPEN = Step(OpenStick(), "Lock, check again", "Nobody else may work on this stick meanwhile.")
_CHECK = Step(
    CheckRoot(),
    "Check the file system",
    "Base image and overlay are joined, read-only, and e2fsck looks at the root file system.",
    (("e2fsck", "-f", "-n", "VIEW"),),
    needs=("e2fsck (e2fsprogs)",),
)
_MIRROR = Step(
    MirrorView("/mnt/work"),
    "Mirror the view",
    "device-mapper's mirror copies the merged view to a file in the work folder.",
    (("dmsetup", "create", "--readonly", "MIRROR"),),
    needs=("2.0 GiB in /mnt/work",),
    undo="The copy is removed.",
)
_MAKE = Step(
    MakeImage(
        "LiveOS/squashfs.alt", Engine.STREAM, "LiveOS/rootfs.img", Compression("zstd", 131072)
    ),
    "Make the new image",
    "mksquashfs makes a new image of the merged view, beside the old one.",
    (MKSQUASHFS,),
    needs=("mksquashfs (squashfs-tools)", "up to 1.4 GiB on the stick"),
    writes=("LiveOS/squashfs.alt: the new image",),
    undo="The new image is removed.",
)
_REST = (
    Step(
        CompareImage("LiveOS/squashfs.alt", "LiveOS/rootfs.img"),
        "Read back and compare",
        "The new image is read back from the medium, and all of it is compared.",
    ),
    Step(
        ExchangeImages("LiveOS/squashfs.img", "LiveOS/squashfs.alt"),
        "Exchange the images",
        "Old and new image exchange their names, at once.",
        writes=("LiveOS/squashfs.img and LiveOS/squashfs.alt: their names",),
        undo="The names are exchanged back.",
        cancel=Cancel.SAFE_POINT,
    ),
    Step(
        SetAside("LiveOS/osmin.img"),
        "Set osmin.img aside",
        "It is wrong for the new image.",
        writes=("LiveOS/osmin.img: moved to liveos-tui-jobs/JOB",),
        undo="It is moved back.",
        cancel=Cancel.SAFE_POINT,
    ),
    Step(
        ResetStore(),
        "Empty the overlay",
        "All that is in the overlay is in the new image.",
        writes=("LiveOS/overlay-STICK2-0BAD-F00D: the first 512 bytes become zeros",),
        undo="The first 512 bytes are written back.",
        cancel=Cancel.SAFE_POINT,
    ),
)

MERGE = Plan(
    Operation.MERGE,
    PLACE,
    "Merge the overlay of STICK2 into a new image",
    (_OPEN, _CHECK, _MAKE, *_REST),
    Confirmation.LABEL,
    summary=(
        "The 425 MiB in the overlay become part of a new image, and the overlay is empty again. "
        "It takes 4 to 6 minutes.",
        "The new image has about 1.2 GiB (the old one: 1.1 GiB), compressed with zstd as the old "
        "one. The merged view is streamed into it: no copy of it lies anywhere.",
    ),
    warnings=("The stick has to stay plugged in.",),
    room=(Room("on the stick, for the new image", 1433 * MIB, 1741 * MIB),),
    go_back="The old image gets its name back and the overlay its header, byte for byte, as long "
    "as the old image is kept.",
    afterwards=("Boot the stick and see that all is there.",),
)

MIRRORED = replace(
    MERGE,
    steps=(
        _OPEN,
        _CHECK,
        _MIRROR,
        replace(
            _MAKE,
            action=MakeImage(
                "LiveOS/squashfs.alt",
                Engine.MIRROR,
                "LiveOS/rootfs.img",
                Compression("zstd", 131072),
                "/mnt/work",
            ),
        ),
        *_REST,
    ),
    room=(*MERGE.room, Room("in /mnt/work", 2 * GIB, 40 * GIB)),
)


def proposed(wish: Wish) -> Proposal:
    """The stream; the mirror where its work folder has room, which is /mnt/work."""
    if wish.engine is not Engine.MIRROR:
        return Proposal(FACTS, MERGE)
    if wish.work != "/mnt/work":
        why_not = f"The mirror needs 2.0 GiB in {wish.work}, where 12 MiB are free."
        return Proposal(FACTS, None, why_not, "Nothing was changed.")
    return Proposal(FACTS, MIRRORED)


def ended(index: int, began: float, took: float, text: str) -> tuple[Event, ...]:
    """A phase from its beginning to its end."""
    return (
        StepEvent(index, StepState.RUNNING, at=began),
        StepEvent(index, StepState.DONE, text, at=began + took),
    )


def begun() -> FakeJob:
    """A merge whose stick is locked and whose file system is well."""
    job = FakeJob(MIRRORED)
    job.tell(
        *ended(0, 100.0, 0.2, "The stick is locked for this job."),
        StepEvent(1, StepState.RUNNING, at=100.2),
        CommandEvent(1, ("e2fsck", "-f", "-n", "/dev/mapper/liveos-tui-view")),
        OutputEvent(1, "Pass 5: Checking group summary information"),
        OutputEvent(1, "root: 41022/131072 files (0.2% non-contiguous), 188416/524288 blocks"),
        StepEvent(1, StepState.DONE, "e2fsck has found nothing.", at=104.7),
    )
    job.done = 2
    return job


def mirroring() -> FakeJob:
    """A merge in the middle of its mirror."""
    job = begun()
    table = "0 4194304 mirror core 2 8192 sync 2 /dev/mapper/liveos-tui-view 0 /dev/loop7 0"
    job.tell(
        StepEvent(2, StepState.RUNNING, at=104.7),
        CommandEvent(2, ("dmsetup", "create", "liveos-tui-mirror", "--table", table)),
        OutputEvent(2, "0 4194304 mirror 2 254:2 7:6 290/512 1 AA 1 core"),
        OutputEvent(2, "0 4194304 mirror 2 254:2 7:6 293/512 1 AA 1 core"),
        ProgressEvent(2, "copying", 0.572, 61 * MIB, 12),
    )
    return job


def compressing() -> FakeJob:
    """A merge in the middle of its new image."""
    job = begun()
    job.tell(
        *ended(2, 104.7, 31.2, "2.0 GiB are mirrored; 1.3 GiB of them are zeros."),
        StepEvent(3, StepState.RUNNING, at=135.9),
        CommandEvent(3, MKSQUASHFS),
        OutputEvent(3, "Parallel mksquashfs: Using 4 processors"),
        OutputEvent(3, "Creating 4.0 filesystem on LiveOS/squashfs.alt, block size 131072."),
        ProgressEvent(3, "compressing", 0.34, 19 * MIB, 71),
    )
    job.done = 3
    return job


def exchanged(job: FakeJob) -> None:
    """Have a merge that compresses do all that is left."""
    job.tell(
        StepEvent(3, StepState.DONE, "The new image has 1.2 GiB.", at=243.0),
        *ended(4, 243.0, 20.4, "All of it is equal: 736 MiB were read and compared."),
        *ended(5, 263.4, 0.4, "The new image has the name of the old one."),
        *ended(6, 263.8, 0.1, "osmin.img is in the job's folder."),
        *ended(7, 263.9, 0.1, "The overlay is empty at the next boot."),
    )
    job.done = 8


def merged() -> FakeJob:
    """A merge that has ended well; its old image is still there."""
    job = compressing()
    exchanged(job)
    job.can_roll_back = True
    job.end(
        JobState.DONE,
        "The overlay of STICK2 is merged.",
        "Boot the stick. When it is well, let the old image go (1.1 GiB): until then it can be "
        "gone back to.",
        ("The new image has 1.2 GiB, the old one 1.1 GiB: LiveOS/squashfs.alt.",),
    )
    return job


def torn() -> FakeJob:
    """A merge that had no room for its new image."""
    job = compressing()
    job.can_resume = job.can_roll_back = True
    job.tell(
        FoundEvent(3, "The stick is full: mksquashfs had written 1.3 GiB."),
        StepEvent(3, StepState.FAILED, "The stick has no room left for the new image.", at=180.0),
    )
    job.end(
        JobState.FAILED,
        "The new image could not be made.",
        "The half image is removed, nothing in use was changed. Free 400 MiB, then go on.",
    )
    return job
