"""The commands that a plan shows, and those that its job has told."""

import re
from collections.abc import Iterable

from liveos_tui.jobs.events import CommandEvent, Event
from liveos_tui.plans.capitals import MEANINGS
from liveos_tui.plans.model import Plan

Commands = list[list[tuple[str, ...]]]
"""Argument lists, step by step."""

_CAPITALS = re.compile(rf"\b(?:{'|'.join(sorted(MEANINGS, key=len, reverse=True))})\b")


def planned(plan: Plan) -> Commands:
    return [list(step.commands) for step in plan.steps]


def told(plan: Plan, events: Iterable[Event]) -> Commands:
    """In the words of the plan: where it has a word in capitals, what the job has told there."""
    found: Commands = [[] for _ in plan.steps]
    for event in events:
        if isinstance(event, CommandEvent):
            shown = plan.steps[event.step].commands
            number = len(found[event.step])
            alike = number < len(shown) and _is_alike(shown[number], event.argv)
            found[event.step].append(shown[number] if alike else event.argv)
    return found


def _is_alike(shown: tuple[str, ...], argv: tuple[str, ...]) -> bool:
    return len(shown) == len(argv) and all(map(_is_alike_word, shown, argv))


def _is_alike_word(shown: str, word: str) -> bool:
    parts = (re.escape(part) for part in _CAPITALS.split(shown))
    return re.fullmatch(".+".join(parts), word) is not None
