"""Merge an overlay into a new image, so that the overlay is empty again."""

from dataclasses import dataclass

from liveos_tui.formats.image_kinds import ImageKind
from liveos_tui.formats.mksquashfs import LEVELS
from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.live.facts import EXT
from liveos_tui.live.merging import MergeFacts, is_squashfs
from liveos_tui.live.model import Operation
from liveos_tui.live.words import size
from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.plans.actions import Compression, Engine
from liveos_tui.plans.merge_apart import (
    apart_go_back,
    apart_rooms,
    apart_summary,
    apart_warning,
    why_not_apart,
)
from liveos_tui.plans.merge_room import (
    Estimate,
    estimate_image,
    fits_beside,
    mirror_bytes,
    no_room_beside,
    room_warnings,
    rooms,
    scratch_bytes,
    second_overlay_bytes,
    time_range,
)
from liveos_tui.plans.merge_steps import MergeWords
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError
from liveos_tui.plans.steps import Words

_UNCHANGED = "Nothing was changed."
_RECOVER_FIRST = (
    "Recover it first: a merged image must be the same file system as base and overlay, so only a "
    f"clean one is merged. {_UNCHANGED}"
)
_MINUTE = 60
_LITTLE_LEFT = 0.3


@dataclass(frozen=True, slots=True)
class MergeWish:
    """What a person wants of a merge; None: as it is best. `switch`: of the running system."""

    engine: Engine | None = None
    compression: str | None = None
    level: int | None = None
    switch: bool = True


def plan_merge(
    diagnosis: Diagnosis,
    facts: MergeFacts,
    wish: MergeWish | None = None,
    *,
    device_mapper: bool = True,
) -> Plan:
    """Plan the merge. Raises PlanRefusedError, with the reason, where it cannot be done."""
    wish = wish or MergeWish()
    _check_well(diagnosis)
    _check_images(diagnosis, facts)
    compression = _compression(facts, wish)
    engine = _engine(diagnosis, facts, wish)
    estimate = estimate_image(diagnosis, facts)
    apart = _apart(diagnosis, facts, engine, estimate)
    words = MergeWords(diagnosis, facts, engine, compression, apart)
    steps, second_bytes = [Words(diagnosis, device_mapper).open_stick()], 0
    running = _running_root(diagnosis, device_mapper=device_mapper)
    if running is not None:
        steps.append(words.freeze(running, scratch_bytes(diagnosis, facts)))
    steps.append(words.check())
    if engine is Engine.MIRROR:
        steps.append(words.mirror())
    steps += [words.make(estimate.most_bytes), words.compare()]
    steps += [words.exchange()] if apart is None else [words.keep(apart), words.replace(apart)]
    if facts.small_image is not None:
        steps.append(words.set_aside(facts.small_image))
    if running is None:
        steps.append(words.reset())
    elif wish.switch:
        second_bytes = second_overlay_bytes(diagnosis, estimate)
        steps.append(words.switch(running, second_bytes))
    else:
        steps.append(words.thaw(running))
    return Plan(
        operation=Operation.MERGE,
        place=diagnosis.place,
        title=f"Merge the overlay of {diagnosis.place.name} into a new image",
        steps=tuple(steps),
        confirmation=Confirmation.LABEL,
        summary=_summary(diagnosis, facts, engine, compression, estimate, apart),
        warnings=(*_fill_warnings(diagnosis), *room_warnings(diagnosis, estimate))
        if apart is None
        else (apart_warning(apart),),
        room=rooms(diagnosis, facts, engine, estimate, second_bytes)
        if apart is None
        else apart_rooms(diagnosis, facts, engine, estimate),
        go_back=_go_back(running is not None) if apart is None else apart_go_back(apart),
        afterwards=_afterwards(facts, running is not None, wish.switch),
    )


def _apart(
    diagnosis: Diagnosis, facts: MergeFacts, engine: Engine, estimate: Estimate
) -> str | None:
    """The folder for both images where the stick has no room for them; None where it has."""
    if fits_beside(diagnosis, estimate):
        return None
    problem = why_not_apart(diagnosis, facts, engine, estimate)
    if problem is not None or facts.work is None:
        raise no_room_beside(diagnosis, estimate, problem or "")
    return facts.work.path


def _fill_warnings(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The running system writes on while it is merged, into what is left of its overlay."""
    summary = diagnosis.summary
    if not diagnosis.in_use or summary is None:
        return ()
    left = summary.total_bytes - summary.used_bytes
    if left > summary.total_bytes * _LITTLE_LEFT:
        return ()
    return (
        f"The system goes on writing into its overlay meanwhile, which has {size(left)} left. "
        "Grow it first if it may need more: an overlay that fills up ends the system.",
    )


def _go_back(running: bool) -> str:
    if running:
        return (
            "Cancelled or undone (`jobs rollback`) before the switch, the root goes on with its "
            "overlay and the old image, without a reboot. The switch itself stays."
        )
    return (
        "`jobs rollback` gives the old image its name back and the overlay its header, byte for "
        "byte: until the stick has been booted with the new image, and as long as the old one is "
        "kept."
    )


def _afterwards(facts: MergeFacts, running: bool, switch: bool) -> tuple[str, ...]:
    forget = (
        "`liveos-tui jobs forget JOB` then removes the old image "
        f"({size(facts.image_bytes)}); until then it is kept."
    )
    if not running:
        return (f"Boot the stick, and see that it is well. {forget}",)
    if switch:
        return (
            "Go on working; nothing has to be rebooted. Before you let the old image go, boot the "
            f"stick once. {forget} Its room is free after the next boot.",
        )
    return (
        "Boot the stick: it uses the new image then, under the same overlay. Merged again, or "
        f"reset from another Linux, the overlay is emptied. {forget}",
    )


def _running_root(diagnosis: Diagnosis, *, device_mapper: bool) -> str | None:
    """The dm device of the running root ("live-rw"); None for an overlay that is not in use."""
    if not diagnosis.in_use:
        return None
    if not device_mapper or diagnosis.device is None:
        raise PlanRefusedError(
            "The overlay is in use, and only root can merge it then, with the kernel's "
            "device-mapper.",
            f"Run it as root. {_UNCHANGED}",
        )
    return diagnosis.device


def _check_well(diagnosis: Diagnosis) -> None:
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
            _UNCHANGED,
        )
    if view is None or diagnosis.base is None:
        raise PlanRefusedError(
            "The root file system cannot be read through base image and overlay.",
            f"`liveos-tui recover --rehearse` tells more, and writes nothing. {_UNCHANGED}",
        )
    if diagnosis.summary is None or diagnosis.summary.exceptions == 0:
        raise NothingToDoError("The overlay is empty: there is nothing to merge.", _UNCHANGED)
    # What is mounted is never clean: it is quiesced when the view is frozen, and checked then.
    if not diagnosis.in_use and not view.clean:
        raise PlanRefusedError(
            "The root file system was not unmounted cleanly: its journal is to be replayed first.",
            _RECOVER_FIRST,
        )


_ILL = {
    Illness.INVALID: "Invalid",
    Illness.OVERFLOW: "overflowed",
    Illness.FULL: "full",
    Illness.ERRORS: "not well: its file system has noted errors",
    Illness.FOREIGN: "damaged, or of a kind that is not known here",
}


def _check_images(diagnosis: Diagnosis, facts: MergeFacts) -> None:
    image = facts.image
    if image is None or image.damage:
        raise PlanRefusedError(
            "The image is missing or damaged.",
            f"Get this very image again: the overlay fits no other. {_UNCHANGED}",
        )
    if image.kind is ImageKind.EROFS:
        raise PlanRefusedError(
            "The image is an EROFS, and only squashfs images are made here.",
            f"The stick works on as it is. {_UNCHANGED}",
        )
    if image.kind is ImageKind.SQUASHFS and diagnosis.place.base is None:
        raise PlanRefusedError(
            "The image is flat: it holds the root's files, and no file system to merge with.",
            _UNCHANGED,
        )
    if facts.beside_taken:
        raise PlanRefusedError(
            f"{clean(facts.beside)} is there already: most likely the old image of an earlier "
            "merge.",
            "Let it go when you do not need it any more (`liveos-tui jobs`, then "
            f"`jobs forget JOB`), or move it away. {_UNCHANGED}",
        )
    if not facts.exchanges:
        raise PlanRefusedError(
            "This kernel cannot exchange two names on FAT at once; Linux 6.0 and later can.",
            f"Merge it on a machine with a newer Linux. {_UNCHANGED}",
        )


def _compression(facts: MergeFacts, wish: MergeWish) -> Compression | None:
    """How the new image is compressed: as the old one, unless a person wishes otherwise."""
    image = facts.image
    if image is None or not is_squashfs(image):
        if wish.compression is not None or wish.level is not None:
            raise PlanRefusedError(
                "The stick's image is not compressed, and stays so.",
                f"Leave --comp and --level out. {_UNCHANGED}",
            )
        return None
    if facts.compressors is None:
        raise PlanRefusedError(
            "mksquashfs is not there, which makes the new image.",
            f"Install squashfs-tools. {_UNCHANGED}",
        )
    name = wish.compression or image.compressor or ""
    if name not in facts.compressors:
        known = ", ".join(sorted(facts.compressors))
        raise PlanRefusedError(
            f"This machine's mksquashfs does not compress with {name or 'an unknown method'}.",
            f"It has {known}: choose one of them with --comp. {_UNCHANGED}",
        )
    levels = LEVELS.get(name, range(0))
    if wish.level is not None and wish.level not in levels:
        words = f"levels from {levels[0]} to {levels[-1]}" if levels else "no levels"
        raise PlanRefusedError(f"{name} has {words}.", _UNCHANGED)
    level = image.level if wish.compression is None and wish.level is None else wish.level
    return Compression(name, image.block_bytes or 128 * 1024, level)


def _engine(diagnosis: Diagnosis, facts: MergeFacts, wish: MergeWish) -> Engine:
    """The engine that a person wishes, or the faster one that fits."""
    why_not = engines_not(diagnosis, facts)
    if wish.engine is not None:
        if reason := why_not.get(wish.engine):
            raise PlanRefusedError(reason, _UNCHANGED)
        return wish.engine
    # The stream reads every block once and writes it once: it is always the faster one.
    for engine in (Engine.STREAM, Engine.MIRROR):
        if engine not in why_not:
            return engine
    raise PlanRefusedError(" ".join(why_not.values()), _UNCHANGED)


def engines_not(diagnosis: Diagnosis, facts: MergeFacts) -> dict[Engine, str]:
    """Why an engine cannot be used, in a sentence; those that can are left out."""
    found = {}
    for engine in Engine:
        if trouble := facts.troubles.get(engine.value):
            found[engine] = trouble
    if facts.work is None:
        found.setdefault(Engine.MIRROR, "The mirror needs a folder on another disk (--work DIR).")
    elif problem := why_not_work_folder(facts.work, mirror_bytes(diagnosis), facts.own_roots):
        found.setdefault(Engine.MIRROR, problem)
    return found


def _summary(
    diagnosis: Diagnosis,
    facts: MergeFacts,
    engine: Engine,
    compression: Compression | None,
    estimate: Estimate,
    apart: str | None,
) -> tuple[str, ...]:
    summary = diagnosis.summary
    used = summary.used_bytes if summary else 0
    how = (
        f"compressed with {compression.name} as the old one"
        if compression is not None
        and facts.image is not None
        and compression.name == facts.image.compressor
        else f"compressed with {compression.name}"
        if compression is not None
        else "not compressed, as the old one"
    )
    engine_words = {
        Engine.STREAM: "The merged view is streamed into it: no copy of it lies anywhere.",
        Engine.MIRROR: f"The merged view is mirrored to {facts.work.path if facts.work else ''} "
        "first.",
    }
    return (
        f"The {size(used)} in the overlay become part of a new image, and the overlay is empty "
        "again. Files, names and the file system's UUID stay as they are.",
        f"The new image has about {size(estimate.likely_bytes)} (the old one: "
        f"{size(facts.image_bytes)}), {how}. {engine_words[engine]}",
        *((apart_summary(apart),) if apart is not None else ()),
        *_time_words(time_range(diagnosis, facts, estimate, apart=apart is not None)),
        *(
            f"The other engine, {other}, cannot be used: {reason}"
            for other, reason in engines_not(diagnosis, facts).items()
            if other is not engine
        ),
    )


def _time_words(seconds: tuple[float, float] | None) -> tuple[str, ...]:
    if seconds is None:
        return ()
    least, most = seconds
    if most < _MINUTE:
        return ("It takes less than a minute, by a measurement just made.",)
    low, high = max(1, int(least // _MINUTE)), -(-int(most) // _MINUTE)
    return (f"It takes {low} to {high} minutes, by a measurement just made.",)
