"""The phases of a merge: one line each, and the plan before they begin."""

import re

from rich.cells import cell_len

from liveos_tui.console.drawing import bar, moving_bar
from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.joblog import JobLog, StepLog
from liveos_tui.console.lines import EMPTY, Line, Span, cell, clip, right, spread, width_of, wrap
from liveos_tui.console.theme import Role
from liveos_tui.console.views import proposal
from liveos_tui.console.views.results import JOB_WORDS
from liveos_tui.console.views.steps import RESULT, clock_time, command, state_word
from liveos_tui.console.wording import percent, size
from liveos_tui.jobs.events import ProgressEvent, StepState
from liveos_tui.jobs.workshop import Proposal
from liveos_tui.plans.capitals import explained
from liveos_tui.plans.model import Plan

READABLE = 100
"""Cells of a row of prose: longer ones are hard to read, however wide the terminal is."""

_CAPITALS = "What stands in capitals gets its name only when it is done:"

_MARKER = 2
_WORD = 5
_TOOK = 6
_LONGEST_TITLE = 26
_GAP = 2
_LONGEST_BAR = 60
_SHORTEST_BAR = 6


def plan(value: Proposal, width: int) -> list[Line]:
    """What would be done, the room, the way back; what was found; each phase and its command."""
    width = min(width, READABLE)
    lines = proposal.look(value, width)
    if value.plan is None:
        return lines
    lines += [EMPTY, (Span("The phases", Role.HEADING),)]
    capitals = [f"{word}: {meaning}." for word, meaning in explained(value.plan)]
    for text in [_CAPITALS, *capitals] if capitals else []:
        lines += [(Span(row, Role.MUTED),) for row in wrap(text, width)]
    for number, step in enumerate(value.plan.steps, 1):
        for row, text in enumerate(wrap(f"{step.title}: {step.why}", width - 3)):
            lines.append((Span(f"{number:<3}" if row == 0 else "   ", Role.MUTED), Span(text)))
        for argv in step.commands:
            lines += [(Span("   "), *row) for row in command(argv, width - 3)]
    return lines


def name_width(value: Plan) -> int:
    """Cells of marker, state and title: what is shown as selected of a row."""
    return _MARKER + _WORD + _title_width(value) + 1


def _title_width(value: Plan) -> int:
    longest = max((cell_len(step.title) for step in value.steps), default=0)
    return min(longest, _LONGEST_TITLE)


def entries(
    value: Plan, log: JobLog, width: int, glyphs: Glyphs, *, beat: int
) -> list[tuple[str, list[Line]]]:
    """Each phase with its state and how far it is or what came of it; the result once it is there.

    The keys are those of `views.steps`.
    """
    room = _title_width(value)
    rows = []
    for index, step in enumerate(value.steps):
        word, role = state_word(log, index)
        start = (
            Span(" " * _MARKER),
            Span(word, role),
            Span(" " * (_WORD - len(word)) + cell(step.title, room, glyphs.dots) + " " * _GAP),
        )
        left = width - width_of(start)
        runs = log.running == index and log.end is None
        if runs:
            told = log.steps[index].progress
            rest = _progress(told, left, glyphs, beat=beat, paused=log.paused)
        else:
            rest = _outcome(log.steps[index], left)
        rows.append((str(index), [(*start, *rest)]))
    if log.end is not None:
        name = Span(" " * (_MARKER + _WORD) + "Result".ljust(room + _GAP))
        took = Span(f"{_took(log.seconds)}  ", Role.MUTED)
        paused = Span("   The time includes a pause." if log.was_paused else "", Role.MUTED)
        rows.append((RESULT, [(name, took, Span(*JOB_WORDS[log.end.state]), paused)]))
    return rows


def _progress(
    event: ProgressEvent | None, width: int, glyphs: Glyphs, *, beat: int, paused: bool
) -> Line:
    """The bar, percent, rate and the time that is left, as far as they are known."""
    if paused and (event is None or event.fraction is None):
        return (Span("paused"),)
    if event is None or event.fraction is None:
        phase = clip(event.phase if event else "working", width // 2, glyphs.dots)
        length = min(_LONGEST_BAR, width - len(phase) - 2)
        return (*moving_bar(beat, length, Role.FILL, glyphs), Span(f"  {phase}"))
    parts = [right(percent(event.fraction), 5)]
    if paused:
        parts.append("paused")
    elif event.rate is not None:
        parts.append(right(f"{size(event.rate)}/s", 10))
    if event.seconds_left is not None and not paused:
        parts.append(right(f"{clock_time(event.seconds_left)} left", 9))
    figures = spread(parts, max(0, width - _SHORTEST_BAR - 1))
    length = min(_LONGEST_BAR, width - len(figures) - 1)
    return (*bar(event.fraction, length, Role.FILL, glyphs), Span(f" {figures}"))


def _outcome(step: StepLog, width: int) -> Line:
    """How long it took, and what came of it."""
    if step.state is None or step.state is StepState.RUNNING:
        return ()
    role = Role.DANGER if step.state is StepState.FAILED else Role.TEXT
    text = _shortened(step.text, width - _TOOK - 2)
    return (Span(f"{_took(step.seconds)}  ", Role.MUTED), Span(text, role))


def _shortened(text: str, width: int) -> str:
    """A sentence, or its first part where the whole one has no room; nothing where neither has.

    The phase, when it is selected, has all of it.
    """
    first = re.split("[;:] ", text, maxsplit=1)[0].rstrip(".") + "."
    return next((each for each in (text, first) if cell_len(each) <= width), "")


def _took(seconds: float | None) -> str:
    return right("" if seconds is None else took_words(seconds), _TOOK)


def took_words(seconds: float) -> str:
    """How long something took: "0.2 s", "12 s", "2:05"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 59.5 else clock_time(seconds)
