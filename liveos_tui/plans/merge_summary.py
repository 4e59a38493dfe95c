"""What a person reads of a merge before confirming it."""

from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.merging import MergeFacts
from liveos_tui.live.words import size
from liveos_tui.plans.actions import Compression, Engine
from liveos_tui.plans.merge_apart import apart_summary
from liveos_tui.plans.merge_choices import engines_not
from liveos_tui.plans.merge_room import Estimate, time_range
from liveos_tui.plans.ways import BACK, FORGET

_MINUTE = 60
_LITTLE_LEFT = 0.3


def summary(
    diagnosis: Diagnosis,
    facts: MergeFacts,
    engine: Engine,
    compression: Compression | None,
    estimate: Estimate,
    apart: str | None,
) -> tuple[str, ...]:
    """What is made and how, in sentences; `apart` is the folder for both images."""
    used = diagnosis.summary.used_bytes if diagnosis.summary else 0
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
        f"The new image has {estimate.words} (the old one: "
        f"{size(facts.image_bytes)}), {how}. {engine_words[engine]}",
        *_other_compression_words(facts, compression),
        *((apart_summary(apart),) if apart is not None else ()),
        *_time_words(time_range(diagnosis, facts, estimate, apart=apart is not None)),
        *(
            f"The other engine ({other}) cannot be used: {reason}"
            for other, reason in engines_not(diagnosis, facts).items()
            if other is not engine
        ),
        *_folder_words(diagnosis, facts, engine, apart),
    )


def _other_compression_words(facts: MergeFacts, compression: Compression | None) -> tuple[str, ...]:
    """The figure comes from the old image and its compression."""
    image = facts.image
    if (
        image is None
        or compression is None
        or (compression.name, compression.level) == (image.compressor, image.level)
    ):
        return ()
    return (
        f"That size is for {image.compressor or 'the old compression'} as the old image has it: "
        "with yours it becomes smaller or larger.",
    )


def _folder_words(
    diagnosis: Diagnosis, facts: MergeFacts, engine: Engine, apart: str | None
) -> tuple[str, ...]:
    """What becomes of a folder that was named, where it is not used as one may think."""
    work = facts.work
    if work is None:
        return ()
    name = clean(work.path)
    if engine is Engine.STREAM and apart is None and not diagnosis.in_use:
        return (
            f"{name} is not needed, and nothing is written there: the stick has room for both "
            "images.",
        )
    if work.number == facts.number:
        return (
            f"{name} lies on the file system that holds the stick's files: what is copied there "
            "takes of the same room.",
        )
    return ()


def _time_words(seconds: tuple[float, float] | None) -> tuple[str, ...]:
    if seconds is None:
        return ()
    least, most = seconds
    if most < _MINUTE:
        return ("It takes less than a minute, by a measurement just made.",)
    low, high = max(1, int(least // _MINUTE)), -(-int(most) // _MINUTE)
    return (f"It takes {low} to {high} minutes, by a measurement just made.",)


def fill_warnings(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The running system writes on while it is merged, into what is left of its overlay."""
    store = diagnosis.summary
    if not diagnosis.in_use or store is None:
        return ()
    left = store.total_bytes - store.used_bytes
    if left > store.total_bytes * _LITTLE_LEFT:
        return ()
    return (
        f"The system goes on writing into its overlay meanwhile, which has {size(left)} left. "
        "Grow it first if it may need more: an overlay that fills up ends the system.",
    )


def go_back(running: bool) -> str:
    """How it is undone; `running`: the system that runs is merged."""
    if running:
        return (
            f"Cancelled or undone {BACK} before the switch, the root goes on with its overlay and "
            "the old image, without a reboot. The switch itself stays."
        )
    return (
        f"Going back {BACK} gives the old image its name back and the overlay its header, byte for "
        "byte: until the stick has been booted with the new image, and as long as the old one is "
        "kept."
    )


def afterwards(facts: MergeFacts, running: bool, switch: bool) -> tuple[str, ...]:
    """What to do when it has ended; `switch`: the running system goes on with the new image."""
    forget = f"The old image ({size(facts.image_bytes)}) is kept until you let it go {FORGET}."
    if not running:
        return (f"Boot the stick, and see that it is well. {forget}",)
    if switch:
        return (
            f"Go on working; nothing has to be rebooted. {forget} Boot the stick once before; its "
            "room is free after the next boot.",
        )
    return (
        "Boot the stick: it uses the new image then, under the same overlay. Merged again, or "
        f"reset from another Linux, the overlay is emptied. {forget}",
    )
