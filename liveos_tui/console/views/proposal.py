"""The first view of a piece of work: what was found, and what would be done about it."""

from collections.abc import Sequence

from liveos_tui.console.lines import EMPTY, Line, Span, wrap
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import size
from liveos_tui.formats.text import clean
from liveos_tui.jobs.workshop import Proposal
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.place import Place
from liveos_tui.plans.model import Plan, Room
from liveos_tui.plans.ways import by_key

_MARK = 2


def look(proposal: Proposal, width: int) -> list[Line]:
    """What is wrong and what would be done about it; or why nothing is, and what helps instead.

    What is well comes last: it is there to be read, and keeps nobody from the plan.
    """
    plan, facts = proposal.plan, proposal.facts
    bad = [fact for fact in facts if fact.bad]
    rest = [fact for fact in facts if not fact.bad]
    blocks: list[list[Line]] = []
    if plan is None:
        why_not = _paragraph(proposal.why_not or "There is nothing to do.", width, Role.STRONG)
        blocks.append(why_not + _paragraph(proposal.hint, width))
    blocks.append(_facts("What is wrong", bad, width))
    if plan is not None:
        blocks.append(about(plan, width))
    blocks.append(_facts("What else was found" if bad else "What was found", rest, width))
    shown = [block for block in blocks if block]
    # An empty row before each but the first.
    return [line for block in shown for line in (EMPTY, *block)][1:]


def about(plan: Plan, width: int) -> list[Line]:
    """What a plan does, what to know before, the room that it needs, the way back."""
    lines: list[Line] = []
    if plan.summary:
        lines += [EMPTY, _heading("What will be done")]
        for text in plan.summary:
            lines += _paragraph(text, width)
    if plan.warnings:
        lines += [EMPTY, _heading("Know before")]
        for text in plan.warnings:
            lines += _marked("!", text, width, Role.WARNING)
    if plan.room:
        lines += [EMPTY, _heading("Room")]
        for room in plan.room:
            lines += _room(room, width)
    if plan.go_back:
        lines += [EMPTY, _heading("The way back"), *_paragraph(by_key(plan.go_back), width)]
    return lines[1:]


def place_words(place: Place) -> str:
    """Where a stick is and how large: enough to tell it from another."""
    where = clean(place.device or place.mount_point or place.target)
    return f"{where}, {size(place.size_bytes)}" if place.size_bytes is not None else where


def _facts(heading: str, facts: Sequence[Fact], width: int) -> list[Line]:
    if not facts:
        return []
    lines: list[Line] = [_heading(heading)]
    for fact in facts:
        mark, role = ("!", Role.DANGER) if fact.bad else ("?", Role.NOTICE)
        if not fact.bad and not fact.unknown:
            mark, role = "", Role.TEXT
        name = f"{fact.name}: "
        rows = wrap(name + fact.text, width - _MARK)
        for number, row in enumerate(rows):
            start = mark if number == 0 else ""
            body = row
            spans = [Span(start, role), Span(" " * (_MARK - len(start)))]
            if number == 0 and row.startswith(name.rstrip()):
                spans.append(Span(name.rstrip(), Role.MUTED))
                body = row[len(name.rstrip()) :]
            spans.append(Span(body, Role.STRONG if fact.bad else Role.TEXT))
            lines.append(tuple(spans))
    return lines


def _room(room: Room, width: int) -> list[Line]:
    have = "" if room.available_bytes is None else f", {size(room.available_bytes)} there"
    parts = f" ({room.parts})" if room.parts else ""
    text = f"{room.where}: {size(room.needed_bytes)} needed{parts}{have}"
    short = room.available_bytes is not None and room.available_bytes < room.needed_bytes
    return _marked("!" if short else "", text, width, Role.DANGER)


def _marked(mark: str, text: str, width: int, role: Role) -> list[Line]:
    rows = wrap(text, width - _MARK)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        start = mark if number == 0 else ""
        lines.append((Span(start, role), Span(" " * (_MARK - len(start)) + row)))
    return lines


def _heading(text: str) -> Line:
    return (Span(text, Role.HEADING),)


def _paragraph(text: str, width: int, role: Role = Role.TEXT) -> list[Line]:
    return [(Span(row, role),) for row in wrap(text, width)]
