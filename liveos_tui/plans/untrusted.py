"""What a plan that was read from JSON may hold: a stick's journal may have been made to harm.

The types alone (plans.codec) let two things pass: text that a terminal acts on, and steps that
remove a file which is no job's to remove.
"""

from dataclasses import replace

from liveos_tui.formats.text import clean
from liveos_tui.live.contents import beside as beside_of
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import (
    ExchangeImages,
    FreezeRoot,
    KeepImage,
    MakeImage,
    ReplaceImage,
    SetAside,
    SwitchRoot,
)
from liveos_tui.plans.model import Plan, Room, Step

_TEXT_LIMIT = 8192
_ELSEWHERE = ("work", "apart", "scratch")


def harmless(plan: Plan) -> Plan:
    """The plan with all text for people made harmless. Paths stay raw, as the stick has them."""
    return replace(
        plan,
        place=_place(plan.place),
        title=_text(plan.title),
        steps=tuple(map(_step, plan.steps)),
        summary=_texts(plan.summary),
        warnings=_texts(plan.warnings),
        room=tuple(map(_room, plan.room)),
        go_back=_text(plan.go_back),
        afterwards=_texts(plan.afterwards),
    )


def contradiction(plan: Plan) -> str | None:
    """What no plan of this project says, in a sentence; None for one that it may have made.

    A job that goes on removes what an earlier run has left under the name of the new image, or of
    the second overlay, and one that is forgotten removes what these have replaced: nothing else of
    a stick may be called so.
    """
    image, overlay = plan.place.image or "", plan.place.overlay
    for step in plan.steps:
        match step.action:
            case MakeImage(beside=beside) if beside != beside_of(image):
                return "its new image has another name than such an image has"
            case ExchangeImages(one, beside) | ReplaceImage(one, beside) if (
                one != image or beside != beside_of(image)
            ):
                return "it exchanges other files than the images"
            case KeepImage(one) if one != image:
                return "it keeps another file than the image"
            case SetAside(path) if path in {image, overlay}:
                return "it sets the image or the overlay aside"
            case SwitchRoot(second=second, second_bytes=size) if (
                second != beside_of(overlay) or size <= 0
            ):
                return "its second overlay has another name than such an overlay has"
            case FreezeRoot(scratch_bytes=size) if size <= 0:
                return "its scratch store has no size"
    return None


def folders_elsewhere(plan: Plan) -> tuple[str, ...]:
    """Folders of the machine, outside of the stick, in which the plan's steps write: raw, sorted.

    A journal on a stick must not choose them: whoever goes on with its job has to know of them.
    """
    found = {getattr(step.action, name, None) for step in plan.steps for name in _ELSEWHERE}
    return tuple(sorted(path for path in found if path is not None))


def _place(place: Place) -> Place:
    return replace(
        place,
        name=_text(place.name),
        label=_optional(place.label),
        uuid=_optional(place.uuid),
        filesystem=_optional(place.filesystem),
        model=_optional(place.model),
        serial=_optional(place.serial),
    )


def _step(step: Step) -> Step:
    return replace(
        step,
        title=_text(step.title),
        why=_text(step.why),
        commands=tuple(map(_texts, step.commands)),
        needs=_texts(step.needs),
        writes=_texts(step.writes),
        undo=_text(step.undo),
    )


def _room(room: Room) -> Room:
    return replace(room, where=_text(room.where))


def _texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_text, texts))


def _optional(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _text(text: str) -> str:
    return clean(text, _TEXT_LIMIT)
