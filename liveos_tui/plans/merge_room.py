"""How much room and time a merge needs, and whether the room is there. Sizes are bytes."""

from dataclasses import dataclass

from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.growth import MIB, RESERVE_BYTES, choose_size
from liveos_tui.live.merging import MergeFacts, is_squashfs
from liveos_tui.live.words import need, rounded_up, size
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.model import Room
from liveos_tui.plans.refused import UNCHANGED, PlanRefusedError
from liveos_tui.plans.sizes import whole_mib

# What mksquashfs makes of any data is at most a little larger than the data.
_OVERHEAD = 1.02
_LEAST_OVERLAY_BYTES = 32 * MIB
_HARD_TO_COMPRESS = 3
_SLOW_WRITES = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """How large the new image may become: likely, and at most. Bytes.

    `measured`: a sample of what is in the overlay was compressed; without one, nothing is likely.
    """

    likely_bytes: int
    most_bytes: int
    measured: bool = True

    @property
    def words(self) -> str:
        """How large the new image becomes: "about 29 MiB", "31 MiB at most"."""
        if self.measured:
            return f"about {need(self.likely_bytes)}"
        return f"{need(self.most_bytes)} at most"


def estimate_image(diagnosis: Diagnosis, facts: MergeFacts) -> Estimate:
    """How large the new image may become: by how well the old one and a sample were compressed.

    At most: all that the overlay holds cannot be compressed at all.
    """
    if not is_squashfs(facts.image):
        whole = diagnosis.base_bytes or facts.image_bytes
        return Estimate(whole, whole)
    used = _used_bytes(diagnosis, facts)
    base_used = diagnosis.base.used_bytes if diagnosis.base else None
    ratio = min(1.0, facts.image_bytes / base_used) if base_used else 1.0
    changes = facts.changes
    if changes is not None:
        kept = max(0, used - changes.used_bytes) * ratio
        likely, most = kept + changes.used_bytes * changes.ratio, kept + changes.used_bytes
    else:
        summary = diagnosis.summary
        changed = summary.exceptions * summary.chunk_sectors * SECTOR_BYTES if summary else 0
        new = min(changed, used)
        likely, most = used * ratio, (used - new) * ratio + new
    # Where the overlay rewrote most of the base, the ratio says little.
    most = max(most, used * ratio)
    return Estimate(int(likely * _OVERHEAD), int(most * _OVERHEAD), changes is not None)


def _used_bytes(diagnosis: Diagnosis, facts: MergeFacts) -> int:
    """What is in use of the merged root: by its descriptors, where they were seen."""
    view = diagnosis.view or diagnosis.base
    used = view.used_bytes if view is not None else None
    free = facts.changes.free_bytes if facts.changes is not None else None
    if view is not None and view.total_bytes is not None and free is not None:
        used = max(0, view.total_bytes - free)
    return used if used is not None else diagnosis.base_bytes or 0


def time_range(
    diagnosis: Diagnosis, facts: MergeFacts, estimate: Estimate, *, apart: bool
) -> tuple[float, float] | None:
    """Seconds that a merge may take, at least and at most; None where nothing was measured.

    `apart`: both images are copied once more, between the stick and another disk.

    How fast a stick is written is not measured, since nothing is written to it: between as fast as
    it is read and a fifth of that. What comes first in an image is easy to compress.
    """
    speeds = facts.speeds
    if speeds is None:
        return None
    used = _used_bytes(diagnosis, facts)
    made = estimate.likely_bytes
    least = max(used / speeds.compresses, made / speeds.reads) + used / speeds.unpacks / 2
    most = (
        _HARD_TO_COMPRESS * used / speeds.compresses
        + _SLOW_WRITES * made / speeds.reads
        + 2 * used / speeds.unpacks
    )
    if not apart:
        return least, most
    copied = facts.image_bytes + made
    return least + 2 * copied / speeds.reads, most + (1 + _SLOW_WRITES) * copied / speeds.reads


def mirror_bytes(diagnosis: Diagnosis) -> int:
    """Room for the mirror's copy: the whole view, since a copy is made sparse only afterwards."""
    return diagnosis.base_bytes or 0


def scratch_bytes(diagnosis: Diagnosis, facts: MergeFacts) -> int:
    """Room for what the running system overwrites while its frozen view is read.

    Never more than the view has.
    """
    whole = diagnosis.base_bytes or 0
    if facts.work is not None:
        return min(whole, facts.work.free_bytes // 2)
    return min(whole, facts.memory_bytes // MIB * MIB)


def second_overlay_bytes(diagnosis: Diagnosis, estimate: Estimate) -> int:
    """The size of the overlay that a running root goes on with.

    That of the old one, if there is room. Raises PlanRefusedError where there is hardly any.
    """
    sectors = diagnosis.summary.chunk_sectors if diagnosis.summary else 8
    free = (diagnosis.free_bytes or 0) - RESERVE_BYTES - estimate.most_bytes
    most = min(diagnosis.file_bytes, free)
    found = choose_size(most, _LEAST_OVERLAY_BYTES, most, sectors)
    if found is None:
        raise PlanRefusedError(
            f"The stick has room for the new image, but then only {size(max(0, free))} are left "
            f"for a second overlay, which needs {size(_LEAST_OVERLAY_BYTES)} at least.",
            "Free room on the stick, or merge without the switch (`liveos-tui merge --no-switch`). "
            f"{UNCHANGED}",
        )
    return found


def fits_beside(diagnosis: Diagnosis, estimate: Estimate) -> bool:
    """Whether the stick has room for the new image beside the old one.

    Raises PlanRefusedError where it cannot have the new one at all.
    """
    limit, free = diagnosis.file_limit_bytes, diagnosis.free_bytes
    if limit is not None and estimate.likely_bytes > limit:
        raise PlanRefusedError(
            f"The new image would have about {need(estimate.likely_bytes)}, and a file on "
            f"{diagnosis.place.filesystem or 'this stick'} can have {limit:,} bytes at most.",
            UNCHANGED,
        )
    if free is None:
        raise PlanRefusedError("How much room the stick has is not known.", UNCHANGED)
    return estimate.likely_bytes + RESERVE_BYTES <= free


def no_room_beside(diagnosis: Diagnosis, estimate: Estimate, instead: str) -> PlanRefusedError:
    """What a person is told where there is no room; `instead` is what else there is, or why not."""
    free = diagnosis.free_bytes or 0
    short = estimate.likely_bytes + RESERVE_BYTES - free
    return PlanRefusedError(
        f"The stick has {size(free)} free, and a merge needs about "
        f"{need(estimate.likely_bytes + RESERVE_BYTES)}: {need(estimate.likely_bytes)} for the new "
        "image, which is made beside the old one, the rest for the job itself.",
        f"Free {whole_mib(short)} on the stick. {instead} {UNCHANGED}",
    )


def room_warnings(diagnosis: Diagnosis, estimate: Estimate) -> tuple[str, ...]:
    """What to know before, where the room may turn out not to be enough."""
    free, limit = diagnosis.free_bytes or 0, diagnosis.file_limit_bytes
    room = min(free - RESERVE_BYTES, limit if limit is not None else free)
    if estimate.most_bytes <= room:
        return ()
    return (
        "What is in the overlay may be hard to compress. The new image then becomes up to "
        f"{need(estimate.most_bytes)}, for which there is no room: the merge ends, and everything "
        "is as before.",
    )


def rooms(
    diagnosis: Diagnosis,
    facts: MergeFacts,
    engine: Engine,
    estimate: Estimate,
    second_bytes: int = 0,
) -> tuple[Room, ...]:
    """What a merge needs where; `second_bytes` are those of a second overlay."""
    words, needed = "on the stick for the new image", estimate.most_bytes
    if second_bytes:
        words, needed = f"{words} and a second overlay", needed + second_bytes
    stick = Room(words, rounded_up(needed), diagnosis.free_bytes)
    if engine is Engine.STREAM or facts.work is None:
        return (stick,)
    return (
        stick,
        Room(f"in {facts.work.path}", rounded_up(mirror_bytes(diagnosis)), facts.work.free_bytes),
    )
