"""A plan and a diagnosis as text of 80 columns: what `--dry-run` prints."""

import re
import shlex
from collections.abc import Iterable, Iterator

from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.words import size
from liveos_tui.plans.actions import Action, Rehearse, Repair
from liveos_tui.plans.capitals import MEANINGS, explained
from liveos_tui.plans.model import Confirmation, Plan, Room, Step

WIDTH = 80
_NAME_WIDTH = 12
_CAPITALS_WIDTH = max(map(len, MEANINGS))
_COMMAND_LIMIT = 8192
_WORDS = re.compile(r"[^\s`]*`[^`]*`\S*|\S+")
_COMMANDS = "Commands are shown as they will be run."
_CAPITALS = "What stands here in capitals gets its name only then:"

_CONFIRMATIONS = {
    Confirmation.NONE: "It needs no confirmation: nothing is written.",
    Confirmation.ENTER: "It asks once before it writes.",
    Confirmation.LABEL: "Before it writes, the name of the stick has to be typed: {name}",
}


def plan_text(plan: Plan) -> str:
    """The whole plan: what is wrong, what would be done step by step, how to go back."""
    return "".join(f"{line}\n" for line in _plan_lines(plan))


def plan_outline(plan: Plan, *, way_back: bool = True) -> str:
    """The plan in short: what is wrong, the steps by their titles, how to go back.

    Without the `way_back` where a question says it soon.
    """
    lines = [*_outline_lines(plan), *(_back_lines(plan) if way_back else ())]
    return "".join(f"{line}\n" for line in lines)


def diagnosis_text(facts: Iterable[Fact]) -> str:
    """What was found, fact by fact; "!" marks what is wrong, "?" what is unknown."""
    return "".join(f"{line}\n" for fact in facts for line in _fact_lines(fact))


def _fact_lines(fact: Fact) -> Iterator[str]:
    mark = "!" if fact.bad else "?" if fact.unknown else " "
    yield from wrapped(fact.text, f"{mark} {fact.name:{_NAME_WIDTH}} ")


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield from _head_lines(plan)
    yield from _command_lines(plan)
    for number, step in enumerate(plan.steps, 1):
        yield ""
        yield from _step_lines(number, step)
    yield ""
    yield from wrapped(_CONFIRMATIONS[plan.confirmation].format(name=plan.place.name))
    yield from _back_lines(plan)
    if plan.afterwards:
        yield "Afterwards:"
    for sentence in plan.afterwards:
        yield from wrapped(sentence, "  - ")


def _command_lines(plan: Plan) -> Iterator[str]:
    capitals = explained(plan)
    sentences = [_COMMANDS] if any(step.commands for step in plan.steps) else []
    sentences += [_CAPITALS] if capitals else []
    if sentences:
        yield ""
        yield from wrapped(" ".join(sentences))
    for word, meaning in capitals:
        yield from wrapped(meaning, f"  {word:{_CAPITALS_WIDTH}} ")


def _outline_lines(plan: Plan) -> Iterator[str]:
    yield from _head_lines(plan)
    for number, step in enumerate(plan.steps, 1):
        yield f"{'Steps:' if number == 1 else '':9}{number} {step.title}"


def _back_lines(plan: Plan) -> Iterator[str]:
    if plan.go_back:
        yield from wrapped(plan.go_back, "Way back: ")


def _head_lines(plan: Plan) -> Iterator[str]:
    yield plan.title
    yield "=" * min(len(plan.title), WIDTH)
    for sentence in plan.summary:
        yield from wrapped(sentence)
    for warning in plan.warnings:
        yield from wrapped(warning, "WARNING: ")
    for room in plan.room:
        yield from wrapped(_room(room), "Room:    ")


def _room(room: Room) -> str:
    available = "" if room.available_bytes is None else f"; {size(room.available_bytes)} are free"
    parts = f" ({room.parts})" if room.parts else ""
    return f"{size(room.needed_bytes)} are needed {room.where}{parts}{available}"


def _step_lines(number: int, step: Step) -> Iterator[str]:
    lead = f"{number:2}  "
    yield f"{lead}{step.title}"
    indent = " " * len(lead)
    yield from wrapped(step.why, indent)
    for command in step.commands:
        # Not broken: a command is copied as it is.
        yield f"{indent}$ {clean(shlex.join(command), _COMMAND_LIMIT)}"
    for need in step.needs:
        yield from wrapped(need, f"{indent}needs:  ")
    for place in step.writes:
        yield from wrapped(place, f"{indent}writes: ")
    if not step.writes:
        yield f"{indent}writes: nothing to the stick"
    yield from wrapped(step.undo, f"{indent}undo:   ")
    yield f"{indent}cancel: {step.cancel.value}"


def frame_of(action: Action) -> str:
    """What to know before a program's own words are read; "" where they can be taken as they are.

    e2fsck says that a file system was modified, and means a copy that is thrown away.
    """
    match action:
        case Rehearse():
            return "On a scratch copy in memory; the stick is not written to:"
        case Repair():
            return "On a scratch copy in memory first; only what it comes to is written:"
    return ""


def wrapped(text: str, lead: str = "", width: int = WIDTH) -> Iterator[str]:
    """`text` after `lead`, broken between words, later lines indented to where it began.

    A command between backquotes is one word, to be copied. One that is longer than a line is kept
    whole, as a path is.
    """
    line, indent, empty = lead, " " * len(lead), True
    for word in _WORDS.findall(clean(text, 1 << 16)):
        if not empty and len(line) + 1 + len(word) > width:
            yield line
            line, empty = indent, True
        line, empty = (f"{line}{word}" if empty else f"{line} {word}"), False
    yield line.rstrip()
