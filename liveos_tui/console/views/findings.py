"""What matters now: the findings of the last sample."""

from collections.abc import Iterable, Mapping

from liveos_tui.console.lines import Line, Span, both_ends, cell, width_of, wrap
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.views.bars import Key
from liveos_tui.console.wording import SEVERITY_WIDTH, severity_word
from liveos_tui.live.model import Finding, Operation

_INDENT = 3 + SEVERITY_WIDTH + 2
"""Cells before the text: the marker's place, the severity and a gap."""


def heading(seen: Observation | None) -> Line:
    """What the findings are: of this moment, or of the last one that is known."""
    old = seen is not None and seen.old and seen.system is not None
    return (Span(" What mattered when last seen" if old else " What matters now", Role.HEADING),)


def entries(
    found: Iterable[Finding], width: int, keys: Mapping[Operation, Key]
) -> list[tuple[str, list[Line]]]:
    """Each finding as its code and its lines; `keys` are those that do something now."""
    return [
        (f.code, finding(f, width, keys.get(f.operation) if f.operation else None)) for f in found
    ]


def finding(value: Finding, width: int, key: Key | None) -> list[Line]:
    """Severity, what is the matter, the key that does something about it; below it what helps."""
    word, role = severity_word(value.severity)
    end: Line = (Span(key[0], Role.KEY), Span(f" {key[1]} ")) if key else ()
    room = width - _INDENT - 1
    gap = " " * (_INDENT - 3 - len(word))
    rows = wrap(value.text, room - (width_of(end) + 1 if key else 0))
    start: Line = (Span("   "), Span(word, role), Span(gap + (rows[0] if rows else "")))
    lines: list[Line] = [both_ends(start, end, width) if key else start]
    lines += [(Span(" " * _INDENT + row),) for row in rows[1:]]
    lines += [(Span(" " * _INDENT + row, Role.MUTED),) for row in wrap(value.action, room)]
    return lines


def nothing(seen: Observation | None) -> Line:
    """What stands there without findings."""
    if seen is None or seen.system is None:
        return ()
    return (Span("   " + cell("Nothing. All is well.", 40), Role.TEXT),)
