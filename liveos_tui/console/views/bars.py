"""The lines at the edges of a screen: title, keys, and what cannot be missed."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import (
    Line,
    Span,
    both_ends,
    clip,
    clip_start,
    width_of,
    wrap_at_most,
)
from liveos_tui.console.state import Observation, TroubleKind
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import where

ALERT_ROWS = 4
NOTICE_ROWS = 3

# A label of FAT has 11 letters, one of ext4 16; longer ones are not from a file system.
_LABEL_WIDTH = 20
_UUID_WIDTH = 36
_LEAST_PATH = 16
_GAP = 2

_GIVES_WAY = "F3"

Key = tuple[str, str]
"""A key and what it does."""


def target_title(seen: Observation | None, now: datetime, width: int, glyphs: Glyphs) -> Line:
    """The dashboard's first line: which stick, where, and what is on it."""
    if seen is None:
        return title(("liveos-tui",), (), now, width, glyphs)
    system = seen.system
    if system is None:
        return title((seen.target,), (), now, width, glyphs)
    target = system.target
    names = [
        clip(target.label or "no label", _LABEL_WIDTH, glyphs.dots),
        clip(target.uuid or "", _UUID_WIDTH, glyphs.dots),
    ]
    facts = filter(None, (target.device or target.path, where(target), target.release))
    return title((" ".join(filter(None, names)),), tuple(facts), now, width, glyphs)


def title(
    strong: Sequence[str], facts: Sequence[str], now: datetime, width: int, glyphs: Glyphs
) -> Line:
    """A screen's first line: its subject, facts about it, the time.

    Where they are too long, a path loses its beginning first.
    """
    end = f"  {now:%H:%M} "
    room = width - len(end)
    over = sum(cell_len(text) + _GAP for text in (*strong, *facts)) - 1 - room
    strong, facts = (
        [_shorter(text, over, glyphs.dots) if text.startswith("/") else text for text in texts]
        for texts in (strong, facts)
    )
    name = clip(" " + "  ".join(strong), room, glyphs.dots)
    rest = "".join(f"  {fact}" for fact in facts)
    start: Line = (Span(name, Role.BAR_STRONG), Span(rest, Role.BAR))
    return both_ends(start, (Span(end, Role.BAR),), width, glyphs.dots)


def _shorter(path: str, over: int, dots: str) -> str:
    """A path that gives `over` cells to what stands behind it, as far as its name can be told."""
    return clip_start(path, max(_LEAST_PATH, cell_len(path) - over), dots)


def keys(hints: Sequence[Key], width: int) -> Line:
    """The last line: the keys that do something here.

    Where they are many, the gaps become narrow, and the key that the help names as well gives way.
    The help itself stays: whoever is lost needs it.
    """
    kept = [hint for hint in hints if hint[0] != _GIVES_WAY]
    for shown, gap in ((hints, 3), (hints, 2), (kept, 3), (kept, 2)):
        line = _keys(shown, gap)
        if width_of(line) - gap <= width:
            return line
    return _keys(kept, 1)


def _keys(hints: Sequence[Key], gap: int) -> Line:
    spans = [Span(" ")]
    for key, does in hints:
        spans += [Span(key, Role.KEY), Span(f" {does}{' ' * gap}")]
    return tuple(spans)


def alert(seen: Observation | None, width: int, glyphs: Glyphs) -> list[Line]:
    """Why the figures are old or missing, and since when; no lines when all is well."""
    if seen is None:
        return []
    trouble = seen.trouble
    if trouble is None:
        if seen.system is None and seen.waiting:
            words = f" Looking at  {glyphs.dots} "
            target = clip_start(seen.target, width - cell_len(words), glyphs.dots)
            return [(Span(f" Looking at {target} {glyphs.dots}", Role.STRONG),)]
        return []
    parts = [trouble.message, trouble.hint]
    if trouble.kind is TroubleKind.GONE and not trouble.hint:
        parts.append("It is watched for: when it is back, the figures go on.")
    if seen.system is not None and seen.seen is not None:
        parts.insert(1, f"The figures are from {seen.seen:%H:%M:%S}.")
    word = f" {trouble.kind.value} "
    indent = len(word) + 1
    text = " ".join(part for part in parts if part)
    rows = wrap_at_most(text, width - indent - 1, ALERT_ROWS, glyphs.dots)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        start = word if number == 0 else " " * len(word)
        lines.append((Span(f"{start} {row}".ljust(width), Role.ALERT),))
    return lines


def notice(text: str, width: int, glyphs: Glyphs) -> list[Line]:
    """Why a key did nothing, in a few rows."""
    rows = wrap_at_most(text, width - 2, NOTICE_ROWS, glyphs.dots)
    return [(Span(f" {row}", Role.NOTICE),) for row in rows]
