"""What a person says yes to, in a sentence: what a plan writes, in its own figures."""

from liveos_tui.formats.text import clean
from liveos_tui.live.words import size
from liveos_tui.plans.actions import (
    BackUp,
    ExchangeImages,
    FillHoles,
    GrowFile,
    KeepImage,
    MakeImage,
    Repair,
    ReplaceImage,
    ResetStore,
    SetAside,
    SetValid,
    SwitchRoot,
)
from liveos_tui.plans.joined import PATH_LIMIT
from liveos_tui.plans.model import Plan, Step

_NO_IMAGE = (
    "While the new image is written to the stick, some minutes, the stick has none: if the power "
    "goes then, it does not boot until this job has gone on, or back."
)


def agreement(plan: Plan, done: int = 0) -> str:
    """What a plan that writes is about to do: "If you go on: the overlay grows from 32 MiB ...".

    `done` of its steps are behind it.
    """
    writes = [words for step in plan.steps[done:] if (words := _words(step))]
    if not writes:
        return "If you go on, nothing is written but the journal of the job."
    *first, last = writes
    words = f"If you go on: {', '.join(first)}{', and ' if first else ''}{last}."
    replaces = any(isinstance(step.action, ReplaceImage) for step in plan.steps[done:])
    return f"{words} {_NO_IMAGE}" if replaces else words


def _words(step: Step) -> str:
    """What a step writes; "" for one that writes nothing that stays."""
    match step.action:
        case BackUp():
            return f"the overlay's header and list of changes are saved ({', '.join(step.writes)})"
        case GrowFile(from_bytes, to_bytes):
            return f"the overlay grows from {size(from_bytes)} to {size(to_bytes)}"
        case FillHoles(missing_bytes):
            return f"its holes are filled in ({size(missing_bytes)})"
        case SetValid():
            return "it is marked valid"
        case Repair():
            return "the repair is written to it"
        case MakeImage(beside, apart=apart):
            where = f"in {clean(apart, PATH_LIMIT)}" if apart else f"as {clean(beside)}"
            return f"a new image is made {where} ({step.needs[-1]})"
        case ExchangeImages():
            return "it exchanges its name with the old one, which is kept"
        case KeepImage():
            return "the old one is copied there"
        case ReplaceImage():
            return "on the stick the new one takes its place"
        case SetAside(path):
            return f"{clean(path, PATH_LIMIT)} is set aside"
        case SwitchRoot():
            return "the running system goes on with the new image and a nearly empty overlay"
        case ResetStore():
            return "the overlay is emptied"
    return ""
