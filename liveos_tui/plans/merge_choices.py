"""What of a merge can be chosen: its engine, and how the new image is compressed."""

from liveos_tui.formats.mksquashfs import LEVELS
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.merging import MergeFacts, is_squashfs
from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.plans.actions import Compression, Engine
from liveos_tui.plans.merge_room import mirror_bytes
from liveos_tui.plans.refused import UNCHANGED, PlanRefusedError
from liveos_tui.plans.ways import WORK


def choose_compression(
    facts: MergeFacts, compressor: str | None, level: int | None
) -> Compression | None:
    """How the new image is compressed: as the old one, unless a person wishes otherwise.

    None: not at all. Raises PlanRefusedError for a wish that cannot be had.
    """
    image = facts.image
    if image is None or not is_squashfs(image):
        if compressor is not None or level is not None:
            raise PlanRefusedError(
                "The stick's image is not compressed, and stays so.",
                f"Leave --comp and --level out. {UNCHANGED}",
            )
        return None
    if facts.compressors is None:
        raise PlanRefusedError(
            "mksquashfs is not there, which makes the new image.",
            f"Install squashfs-tools. {UNCHANGED}",
        )
    name = compressor or image.compressor or ""
    if name not in facts.compressors:
        known = ", ".join(sorted(facts.compressors))
        raise PlanRefusedError(
            f"This machine's mksquashfs does not compress with {name or 'an unknown method'}.",
            f"It has {known}: choose one of them on the command line (--comp NAME). {UNCHANGED}",
        )
    levels = LEVELS.get(name, range(0))
    if level is not None and level not in levels:
        words = f"levels from {levels[0]} to {levels[-1]}" if levels else "no levels"
        raise PlanRefusedError(f"{name} has {words}.", UNCHANGED)
    if compressor is None and level is None:
        level = image.level
    return Compression(name, image.block_bytes or 128 * 1024, level)


def choose_engine(diagnosis: Diagnosis, facts: MergeFacts, wished: Engine | None) -> Engine:
    """The engine that a person wishes, or the faster one that fits. Raises PlanRefusedError."""
    why_not = engines_not(diagnosis, facts)
    if wished is not None:
        if reason := why_not.get(wished):
            raise PlanRefusedError(_not_used(wished, reason), UNCHANGED)
        return wished
    # The stream reads every block once and writes it once: it is always the faster one.
    for engine in (Engine.STREAM, Engine.MIRROR):
        if engine not in why_not:
            return engine
    raise PlanRefusedError(" ".join(_not_used(*each) for each in why_not.items()), UNCHANGED)


def _not_used(engine: Engine, reason: str) -> str:
    return f"The engine {engine} cannot be used: {reason}"


def engines_not(diagnosis: Diagnosis, facts: MergeFacts) -> dict[Engine, str]:
    """Why an engine cannot be used, as it stands after a colon; those that can are left out."""
    found = {}
    for engine in Engine:
        if trouble := facts.troubles.get(engine.value):
            found[engine] = trouble
    if facts.work is None:
        found.setdefault(Engine.MIRROR, f"it needs a folder on another disk {WORK}.")
    elif problem := why_not_work_folder(facts.work, mirror_bytes(diagnosis), facts.own_roots):
        found.setdefault(Engine.MIRROR, problem)
    return found
