"""Make an overlay larger, while it is in use or not."""

from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.live.facts import EXT
from liveos_tui.live.growth import kept_bytes
from liveos_tui.live.model import Operation
from liveos_tui.live.words import percent, rounded_up, size
from liveos_tui.plans.model import Confirmation, Plan, Room, Step
from liveos_tui.plans.refused import UNCHANGED, NothingToDoError, PlanRefusedError
from liveos_tui.plans.sizes import Growth, parts_of_room, propose_growth, wished_growth
from liveos_tui.plans.steps import Words


def plan_grow(
    diagnosis: Diagnosis,
    grow_bytes: int | None = None,
    to_bytes: int | None = None,
    fill_holes: bool = False,
    *,
    device_mapper: bool = True,
) -> Plan:
    """Plan the growth by `grow_bytes`, or to `to_bytes`, or as it is proposed.

    `fill_holes`: the stick has to provide all of a sparse file as well. `device_mapper`: the kernel
    joins base and overlay, not the console. Raises PlanRefusedError.
    """
    if diagnosis.refusal:
        raise PlanRefusedError(diagnosis.refusal, diagnosis.hint)
    if diagnosis.illness is Illness.INVALID:
        raise _invalid(diagnosis)
    if _is_to_be_recovered(diagnosis):
        raise PlanRefusedError(
            "The overlay is full: recover it, which grows it as well.",
            f"What the last writes left of the file system in it has to be checked. {UNCHANGED}",
        )
    named = grow_bytes is not None or to_bytes is not None
    if fill_holes and not named and not diagnosis.missing_bytes:
        raise NothingToDoError(
            "The overlay's file has no holes: there is nothing to fill in.",
            f"To make it larger, leave --fill out, or name a size (--by, --to). {UNCHANGED}",
        )
    words = Words(diagnosis, device_mapper)
    growth = wished_growth(diagnosis, grow_bytes, to_bytes) or propose_growth(
        diagnosis, repair=False
    )
    steps: list[Step] = [words.open_stick(), words.grow_file(growth.to_bytes)]
    if fill_holes and diagnosis.missing_bytes:
        steps.append(words.fill_holes())
    if diagnosis.loop is not None and diagnosis.device is not None:
        steps.append(words.refresh_loop(diagnosis.loop, diagnosis.device, growth.to_bytes))
    return Plan(
        operation=Operation.GROW,
        place=diagnosis.place,
        title=f"Grow the overlay of {diagnosis.place.name}",
        steps=tuple(steps),
        confirmation=Confirmation.ENTER,
        summary=_summary(diagnosis, growth),
        warnings=_warnings(diagnosis, steps[0], fill_holes=fill_holes),
        room=(_room(diagnosis, growth),),
        go_back=_go_back(diagnosis),
        afterwards=_afterwards(diagnosis),
    )


def _is_to_be_recovered(diagnosis: Diagnosis) -> bool:
    """Whether more room alone would hide that the file system was cut off in its work."""
    if diagnosis.illness is not Illness.FULL or diagnosis.in_use:
        return False
    return diagnosis.base_bytes is not None and diagnosis.root_filesystem in EXT


def _invalid(diagnosis: Diagnosis) -> PlanRefusedError:
    if diagnosis.in_use:
        return PlanRefusedError(
            "The overlay is Invalid: more room does not bring it back while it is in use.",
            "Boot this stick once without its overlay (leave rd.live.overlay= out at the boot "
            f"prompt) and recover it then; that grows it as well. {UNCHANGED}",
        )
    return PlanRefusedError(
        "The overlay is Invalid: recover it, which grows it as well.", UNCHANGED
    )


def _summary(diagnosis: Diagnosis, growth: Growth) -> tuple[str, ...]:
    summary = diagnosis.summary
    used = summary.used_bytes if summary else 0
    text = (
        f"The overlay grows from {size(growth.from_bytes)} to {size(growth.to_bytes)}: it is "
        f"{percent(min(1.0, used / max(1, growth.from_bytes)))} full now, "
        f"{percent(used / growth.to_bytes)} then."
    )
    match diagnosis.illness:
        case Illness.OVERFLOW:
            return (
                "The overlay has overflowed: the kernel refuses all writes to it until the next "
                "boot.",
                text,
                "This gives it the room that it lacked. It does not bring this session back: only "
                "a reboot does.",
            )
        case Illness.FULL:
            return ("The overlay is full.", text)
    if diagnosis.in_use:
        return (text, "The system goes on meanwhile. No reboot is needed.")
    return (text,)


def _warnings(diagnosis: Diagnosis, opening: Step, *, fill_holes: bool) -> tuple[str, ...]:
    warnings = []
    if diagnosis.in_use and opening.writes:
        warnings.append(
            "The stick is mounted read-only. It is made writable for as long as this takes, and "
            "read-only again at the end."
        )
    free, missing = diagnosis.free_bytes, diagnosis.missing_bytes
    if missing and not fill_holes:
        warnings.append(
            f"{size(missing)} of the file are holes that the stick has yet to provide; of its "
            f"{size(free)} they are set apart here. Filling them in makes sure of it."
        )
    return tuple(warnings)


def _room(diagnosis: Diagnosis, growth: Growth) -> Room:
    metadata = diagnosis.summary.metadata_bytes if diagnosis.summary else 0
    needed = growth.by_bytes + kept_bytes(metadata) + diagnosis.missing_bytes
    parts = parts_of_room(growth, diagnosis.missing_bytes)
    return Room("on the stick", rounded_up(needed), diagnosis.free_bytes, parts)


def _go_back(diagnosis: Diagnosis) -> str:
    if diagnosis.in_use:
        return (
            "Cancelled while the file grows, it gets its old size back. Once the kernel knows of "
            "the new size it stays: a larger overlay does no harm."
        )
    return "The file is cut to its old size, as long as nothing lies in the new part."


def _afterwards(diagnosis: Diagnosis) -> tuple[str, ...]:
    match diagnosis.illness:
        case Illness.OVERFLOW:
            return (
                "Save what is open to another disk: nothing can be written here until you reboot.",
                "Reboot with the overlay. The kernel keeps the flag of the overflow until then; "
                "after it the overlay has room, and the file system can be written again.",
                "The file system was cut off in the middle of its work, so have it checked: boot "
                "once without the overlay (leave rd.live.overlay= out at the boot prompt) and "
                "recover it: that checks it, and repairs what it finds.",
            )
        case Illness.FULL if not diagnosis.in_use:
            return ("The file system in it ran out of room: check it before you boot with it.",)
    if diagnosis.in_use and diagnosis.device is None:
        return ("Detach the loop device and attach it again: it still shows the old size.",)
    return ()
