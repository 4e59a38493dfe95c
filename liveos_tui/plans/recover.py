"""Bring an overlay back that is Invalid, full, or holds a file system with errors.

Two illnesses, two paths. A store that is Invalid is refused by the kernel as a whole: its valid
byte is set, and what it lacked is given to it before. A store that is only full is loaded by the
kernel as it is: it is given room, and the file system that ran out of it is repaired.
"""

from contextlib import suppress

from liveos_tui.formats.cow import CowSummary
from liveos_tui.formats.text import shell_word
from liveos_tui.live.diagnosis import Cause, Diagnosis, Illness
from liveos_tui.live.facts import EXT, REPAIR_TOOLS
from liveos_tui.live.growth import kept_bytes
from liveos_tui.live.model import Operation
from liveos_tui.live.words import need, rounded_up, size
from liveos_tui.plans.model import Confirmation, Plan, Room, Step
from liveos_tui.plans.refused import UNCHANGED, NothingToDoError, PlanRefusedError
from liveos_tui.plans.sizes import (
    Growth,
    lacking_bytes,
    parts_of_room,
    propose_growth,
    repair_bytes,
    wished_growth,
)
from liveos_tui.plans.steps import Words
from liveos_tui.plans.ways import BACK

# Of a store that is fuller than this, the next session fills the rest.
_NEARLY_FULL = 0.95

_BOOT_WITHOUT = (
    "Boot this stick once without its overlay (leave rd.live.overlay= out at the boot prompt), or "
    "plug it into another Linux, and recover it there."
)


def plan_recover(
    diagnosis: Diagnosis,
    *,
    rehearse: bool = False,
    repair: bool = False,
    grow_bytes: int | None = None,
    to_bytes: int | None = None,
    copies: tuple[str, ...] = (),
    device_mapper: bool = True,
) -> Plan:
    """Plan the recovery; with `rehearse` only its rehearsal, which writes nothing to the stick.

    `repair`: also where nothing is known to be wrong, and only e2fsck can find something.
    `grow_bytes` and `to_bytes` name the growth (a proposal otherwise), `copies` folders on other
    disks for the backup. `device_mapper`: the kernel joins base and overlay, not the console.
    Raises PlanRefusedError.
    """
    _refuse(diagnosis, look_anyway=rehearse or repair)
    words = Words(diagnosis, device_mapper)
    if rehearse:
        return _rehearsal(diagnosis, words)
    growth = _growth(diagnosis, wished_growth(diagnosis, grow_bytes, to_bytes))
    doubtful = _is_doubtful(diagnosis)
    steps: list[Step] = [words.open_stick(), words.rehearse(read_all=doubtful)]
    steps.append(words.back_up(copies))
    if growth is not None:
        steps.append(words.grow_file(growth.to_bytes))
    if diagnosis.missing_bytes:
        steps.append(words.fill_holes())
    if diagnosis.illness is Illness.INVALID:
        steps.append(words.set_valid())
    steps += [words.register(), words.repair(), words.verify(), words.take_down()]
    return Plan(
        operation=Operation.RECOVER,
        place=diagnosis.place,
        title=f"Recover the overlay of {diagnosis.place.name}",
        steps=tuple(steps),
        confirmation=Confirmation.LABEL if doubtful else Confirmation.ENTER,
        summary=_summary(diagnosis, growth),
        warnings=_warnings(diagnosis, growth),
        room=_room(diagnosis, growth),
        go_back=f"Going back {BACK} gives the overlay the exact bytes that it had; what e2fsck has "
        "changed is undone, too. That holds until the stick is next booted with it: go back "
        "before, or not at all.",
        afterwards=_afterwards(diagnosis),
    )


def _refuse(diagnosis: Diagnosis, *, look_anyway: bool) -> None:
    """Raise PlanRefusedError where there is nothing to recover, or no way to do it."""
    if diagnosis.refusal:
        raise PlanRefusedError(diagnosis.refusal, diagnosis.hint)
    if diagnosis.in_use:
        raise _in_use(diagnosis)
    looked_at = look_anyway and diagnosis.header is not None
    if diagnosis.illness is Illness.NONE and not (looked_at or _is_unproven(diagnosis)):
        raise _is_fine(diagnosis)
    if diagnosis.base_bytes is None:
        told = [fact for fact in diagnosis.facts if fact.name == "Base image"]
        why = next((fact.text for fact in told if fact.bad or fact.unknown), "")
        if any(fact.unknown for fact in told):
            raise PlanRefusedError(
                f"Whether the overlay's base image is whole is not known. {why}".strip(),
                f"See to it that the image can be looked into, and try again. {UNCHANGED}",
            )
        raise PlanRefusedError(
            f"Without its base image the overlay cannot be recovered. {why}".strip(),
            "Get this very image again and put it on the stick: the overlay fits no other. "
            f"{UNCHANGED}",
        )
    kind = diagnosis.root_filesystem
    if kind is None:
        raise PlanRefusedError(
            "No file system is seen through the overlay, so there is nothing that e2fsck could "
            "repair.",
            "Copy the stick before anything else; `e2fsck -b 32768` on a copy may find another "
            f"superblock. {UNCHANGED}",
        )
    if kind not in EXT:
        tool = REPAIR_TOOLS.get(kind)
        raise PlanRefusedError(
            f"The root file system is {kind}, and e2fsck repairs ext2, ext3 and ext4 only.",
            f"Work on a copy of the stick, with {tool or 'its own tool'}. {UNCHANGED}",
        )


def _in_use(diagnosis: Diagnosis) -> PlanRefusedError:
    match diagnosis.illness:
        case Illness.INVALID:
            return PlanRefusedError(
                "The overlay is Invalid and in use: it is never written behind the kernel's back.",
                _BOOT_WITHOUT,
            )
        case Illness.OVERFLOW | Illness.FULL:
            return PlanRefusedError(
                "The overlay is full and in use: it can be grown now, and repaired only while it "
                "is not in use.",
                "Grow it. To repair the file system in it: reboot without it (leave "
                "rd.live.overlay= out at the boot prompt), and recover it then.",
            )
    return PlanRefusedError(
        "The overlay is in use: what the kernel works with is never repaired beneath it.",
        _BOOT_WITHOUT,
    )


def _is_fine(diagnosis: Diagnosis) -> PlanRefusedError:
    target = shell_word(diagnosis.place.target)
    if diagnosis.header_may_be_lost:
        return PlanRefusedError(
            "The overlay's header is all zeros: it is empty, or its header was lost.",
            "If a merge or a reset has emptied it, all is well: j Jobs, or `liveos-tui jobs "
            f"--target {target}`, shows that. If not, do not boot with it: copy the file, and put "
            f"the header back from a backup. {UNCHANGED}",
        )
    if diagnosis.header is None:
        return NothingToDoError(
            "The overlay is fresh: nothing is in it that could be recovered.",
            f"It is fine and was left alone. {UNCHANGED}",
        )
    return NothingToDoError(
        "The overlay is neither Invalid nor full, and the file system in it notes no errors: "
        "there is nothing to recover.",
        "It was left alone. Only a check proves that all is well: a rehearsal "
        f"(`liveos-tui recover --rehearse {target}`) has e2fsck look at it, and writes nothing; "
        f"`liveos-tui recover --repair {target}` has it repaired as well, after asking.",
    )


def _is_unproven(diagnosis: Diagnosis) -> bool:
    """Whether the file system was left as it was when the system died.

    An overlay that has overflowed and was grown looks like this: nothing is wrong with the store,
    and what the last writes left of the file system only e2fsck can tell.
    """
    summary, view = diagnosis.summary, diagnosis.view
    holds_something = diagnosis.header is not None and summary is not None and summary.exceptions
    return bool(holds_something and view is not None and view.needs_recovery)


def _is_doubtful(diagnosis: Diagnosis) -> bool:
    """Whether the store may be damaged: it became Invalid for something else than want of room."""
    return diagnosis.illness is Illness.INVALID and diagnosis.cause is not Cause.SPACE


def _growth(diagnosis: Diagnosis, wished: Growth | None) -> Growth | None:
    """How the file grows before the repair; None where there is room enough."""
    summary = diagnosis.summary
    fragile = summary is not None and summary.fragile_size
    if wished is not None:
        return wished
    if lacking_bytes(diagnosis) or fragile or diagnosis.illness is Illness.FULL:
        return propose_growth(diagnosis, repair=True)
    if _is_nearly_full(summary):
        # It can be repaired as it is; room for what comes after is good to have.
        with suppress(PlanRefusedError):
            return propose_growth(diagnosis, repair=True)
    if diagnosis.missing_bytes:
        kept = kept_bytes(summary.metadata_bytes if summary else 0)
        free = diagnosis.free_bytes
        if free is None or free < diagnosis.missing_bytes + kept:
            short = diagnosis.missing_bytes + kept - (free or 0)
            raise PlanRefusedError(
                f"{size(diagnosis.missing_bytes)} of the overlay are holes, and the stick has "
                f"{size(free)} free, of which {need(kept)} are kept for the job.",
                f"Free {need(short)} on the stick. {UNCHANGED}",
            )
    return None


def _is_nearly_full(summary: CowSummary | None) -> bool:
    """Whether what is left is so little that the overlay would fill at its next use."""
    if summary is None:
        return False
    return summary.used_bytes > summary.total_bytes * _NEARLY_FULL


def _rehearsal(diagnosis: Diagnosis, words: Words) -> Plan:
    return Plan(
        operation=Operation.RECOVER,
        place=diagnosis.place,
        title=f"Rehearse the recovery of {diagnosis.place.name}",
        steps=(words.open_stick(writable=False), words.rehearse(read_all=_is_doubtful(diagnosis))),
        confirmation=Confirmation.NONE,
        summary=(
            *_what_is_wrong(diagnosis),
            "Its recovery is rehearsed: not one byte is written to the stick.",
        ),
        go_back="There is nothing to undo.",
        afterwards=_after_rehearsal(diagnosis),
    )


def _after_rehearsal(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What there is to do, whatever e2fsck has found."""
    target = shell_word(diagnosis.place.target)
    asks = "which asks before it writes"
    do_it = f"To have it done on the stick: `liveos-tui recover {target}`, {asks}."
    if diagnosis.illness is not Illness.NONE:
        return (do_it,)
    if _is_unproven(diagnosis):
        return ("The next boot replays the journal by itself; a merge needs it done before.", do_it)
    return (
        "Where the rehearsal finds nothing to repair, all is well. What it finds has to be "
        f"repaired before the stick is used or merged: `liveos-tui recover --repair {target}`, "
        f"{asks}.",
    )


def _what_is_wrong(diagnosis: Diagnosis) -> tuple[str, ...]:
    match diagnosis.illness:
        case Illness.INVALID if _is_doubtful(diagnosis):
            return (
                "The overlay is Invalid, although it is not full: an I/O error is the likely "
                "cause, and what it holds may be damaged.",
            )
        case Illness.INVALID:
            return (
                "The overlay ran full and became Invalid: the kernel refuses all of it. What was "
                "in it before is still there.",
            )
        case Illness.FULL | Illness.OVERFLOW:
            return (
                "The overlay is full: the last writes to it were refused. The kernel still loads "
                "it (its table said PO), so what is in it can be read.",
            )
        case Illness.ERRORS:
            return ("The overlay has room; the file system in it has noted errors, or is damaged.",)
    if _is_unproven(diagnosis):
        return (
            "The overlay has room. The file system in it was not shut down cleanly: its journal "
            "is still to be replayed.",
        )
    return (
        "The overlay is neither Invalid nor full, and the file system in it notes no errors: "
        "whether there are any, e2fsck tells.",
    )


def _summary(diagnosis: Diagnosis, growth: Growth | None) -> tuple[str, ...]:
    done = []
    if growth is not None:
        done.append(f"is grown from {size(growth.from_bytes)} to {size(growth.to_bytes)}")
    if diagnosis.illness is Illness.INVALID:
        done.append("is marked valid")
    begin = "the file system in it is repaired by e2fsck"
    text = f"It {' and '.join(done)}; then {begin}" if done else begin.capitalize()
    return (
        *_what_is_wrong(diagnosis),
        f"{text}, and a second look has to find nothing. All this is rehearsed first.",
    )


def _warnings(diagnosis: Diagnosis, growth: Growth | None) -> tuple[str, ...]:
    warnings = []
    if _is_doubtful(diagnosis):
        warnings.append(
            "The stick may be failing. Copy it to another disk first, if you can, and recover the "
            "copy. Read what the rehearsal says before you go on."
        )
    lacking = lacking_bytes(diagnosis)
    if growth is not None and growth.by_bytes < lacking:
        warnings.append(
            f"e2fsck may need {need(lacking)} more, and the overlay grows by only "
            f"{size(growth.by_bytes)}. If that is too little, the repair ends before it writes."
        )
    if diagnosis.missing_bytes:
        warnings.append(
            f"{size(diagnosis.missing_bytes)} of the overlay's file are holes; they are filled in."
        )
    return tuple(warnings)


def _room(diagnosis: Diagnosis, growth: Growth | None) -> tuple[Room, ...]:
    summary = diagnosis.summary
    kept = kept_bytes(summary.metadata_bytes if summary else 0)
    needed = kept + diagnosis.missing_bytes + (growth.by_bytes if growth else 0)
    return (
        Room(
            "on the stick",
            rounded_up(needed),
            diagnosis.free_bytes,
            parts_of_room(growth, diagnosis.missing_bytes),
        ),
        Room("in /run, at most", rounded_up(repair_bytes(diagnosis)), None),
    )


def _afterwards(diagnosis: Diagnosis) -> tuple[str, ...]:
    boot = (
        "Boot again, this time with the overlay (rd.live.overlay= as before)."
        if diagnosis.place.this_system
        else "Boot the stick and see that all is there; from then on there is no way back."
    )
    return (
        boot,
        "Look into /lost+found: what e2fsck could not place is there.",
        "Then merge the overlay into a new image (m, or `merge`), which empties it, or grow it. "
        "What was changed once stays in it, even when files are deleted.",
    )
