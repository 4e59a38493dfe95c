"""What matters now: the findings of the last sample."""

from liveos_tui.console.lines import Line, Span, cell, wrap
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import SEVERITY_WIDTH, severity_word
from liveos_tui.live.model import Finding

_INDENT = 3 + SEVERITY_WIDTH + 2
"""Cells before the text: the marker's place, the severity and a gap."""


def heading(seen: Observation | None) -> Line:
    """What the findings are: of this moment, or of the last one that is known."""
    old = seen is not None and seen.old and seen.system is not None
    return (Span(" What mattered when last seen" if old else " What matters now", Role.HEADING),)


def entries(seen: Observation | None, width: int) -> list[tuple[str, list[Line]]]:
    """Each finding as its code and its lines."""
    if seen is None or seen.system is None:
        return []
    return [(f.code, finding(f, width)) for f in seen.system.findings]


def finding(value: Finding, width: int) -> list[Line]:
    """Severity and what is the matter; below it what helps."""
    word, role = severity_word(value.severity)
    room = width - _INDENT - 1
    gap = " " * (_INDENT - 3 - len(word))
    rows = wrap(value.text, room)
    lines: list[Line] = [(Span("   "), Span(word, role), Span(gap + (rows[0] if rows else "")))]
    lines += [(Span(" " * _INDENT + row),) for row in rows[1:]]
    lines += [(Span(" " * _INDENT + row, Role.MUTED),) for row in wrap(value.action, room)]
    return lines


def nothing(seen: Observation | None) -> Line:
    """What stands there without findings."""
    if seen is None or seen.system is None:
        return ()
    return (Span("   " + cell("Nothing. All is well.", 40), Role.TEXT),)
