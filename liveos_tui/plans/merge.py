"""Merge an overlay into a new image, so that the overlay is empty again."""

from dataclasses import dataclass

from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.merging import MergeFacts
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.merge_apart import (
    apart_afterwards,
    apart_go_back,
    apart_rooms,
    apart_warning,
    why_not_apart,
)
from liveos_tui.plans.merge_checks import check_images, check_well
from liveos_tui.plans.merge_choices import choose_compression, choose_engine
from liveos_tui.plans.merge_room import (
    Estimate,
    estimate_image,
    fits_beside,
    no_room_beside,
    room_warnings,
    rooms,
    scratch_bytes,
    second_overlay_bytes,
)
from liveos_tui.plans.merge_steps import MergeWords
from liveos_tui.plans.merge_summary import afterwards, fill_warnings, go_back, summary
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.refused import UNCHANGED, PlanRefusedError
from liveos_tui.plans.steps import Words

_NOTHING_TO_SWITCH = (
    "The stick is not in use: --no-switch changes nothing, it uses the new image at its next boot."
)


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
    check_well(diagnosis)
    check_images(diagnosis, facts)
    compression = choose_compression(facts, wish.compression, wish.level)
    engine = choose_engine(diagnosis, facts, wish.engine)
    estimate = estimate_image(diagnosis, facts)
    apart = _apart(diagnosis, facts, engine, estimate)
    general = Words(diagnosis, device_mapper)
    words = MergeWords(general.joined, facts, engine, compression, apart)
    steps, second_bytes = [general.open_stick()], 0
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
        summary=(
            *summary(diagnosis, facts, engine, compression, estimate, apart),
            *(() if running is not None or wish.switch else (_NOTHING_TO_SWITCH,)),
        ),
        warnings=(*fill_warnings(diagnosis), *room_warnings(diagnosis, estimate))
        if apart is None
        else (apart_warning(apart),),
        room=rooms(diagnosis, facts, engine, estimate, second_bytes)
        if apart is None
        else apart_rooms(diagnosis, facts, engine, estimate),
        go_back=go_back(running is not None) if apart is None else apart_go_back(apart),
        afterwards=afterwards(facts, running is not None, wish.switch)
        if apart is None
        else (apart_afterwards(facts, apart),),
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


def _running_root(diagnosis: Diagnosis, *, device_mapper: bool) -> str | None:
    """The dm device of the running root ("live-rw"); None for an overlay that is not in use."""
    if not diagnosis.in_use:
        return None
    if not device_mapper or diagnosis.device is None:
        raise PlanRefusedError(
            "The overlay is in use, and only root can merge it then, with the kernel's "
            "device-mapper.",
            f"Run it as root. {UNCHANGED}",
        )
    return diagnosis.device
