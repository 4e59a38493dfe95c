"""The steps of a plan at the left of the work screen, and one of them at its right."""

import shlex
from collections.abc import Sequence

from liveos_tui.console.drawing import bar, moving_bar
from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.joblog import JobLog, LogLine, StepLog
from liveos_tui.console.lines import EMPTY, Line, Span, cell, clip, right, spread, wrap
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import percent, size
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import ProgressEvent, StepState
from liveos_tui.plans.model import Cancel, Plan, Step
from liveos_tui.plans.text import frame_of

LOOK, RESULT = "look", "result"
"""Keys of the entries that are no steps; those of the steps are their indexes."""

STATE_WORDS = {
    StepState.RUNNING: ("RUN", Role.NOTICE),
    StepState.DONE: ("OK", Role.GOOD),
    StepState.FAILED: ("FAIL", Role.DANGER),
    StepState.CANCELLED: ("STOP", Role.WARNING),
    StepState.UNDONE: ("UNDO", Role.WARNING),
}
WAITING_WORD = ("WAIT", Role.NOTICE)
PAUSED_WORD = ("HOLD", Role.NOTICE)

_WENT_WRONG = frozenset({StepState.FAILED, StepState.CANCELLED})

_WORD = 4
_MARKER = 2
_LEAST_OUTPUT = 3

_CANCELLING = {
    Cancel.NOW: "It can be cancelled at any moment.",
    Cancel.SAFE_POINT: "Cancelled, it ends when it is done.",
    Cancel.NEVER: "Once begun it cannot be cancelled any more.",
}


def entries(
    plan: Plan | None, log: JobLog | None, looked: bool, width: int, glyphs: Glyphs
) -> list[tuple[str, list[Line]]]:
    """The look, every step with its state, and the result once there is one."""
    look = ("OK", Role.GOOD) if looked else ("", Role.TEXT)
    rows = [(LOOK, [_entry(look, "", "Look at it", width, glyphs)])]
    for index, step in enumerate(plan.steps if plan else ()):
        row = _entry(state_word(log, index), str(index + 1), step.title, width, glyphs)
        rows.append((str(index), [row]))
    if log is not None and log.end is not None:
        rows.append((RESULT, [_entry(("", Role.TEXT), "", "Result", width, glyphs)]))
    return rows


def state_word(log: JobLog | None, index: int) -> tuple[str, Role]:
    """The state of a step as it is shown, and its role."""
    if log is None:
        return "", Role.TEXT
    if log.waiting == index:
        return WAITING_WORD
    if log.paused and log.running == index:
        return PAUSED_WORD
    state = log.steps[index].state
    if state is StepState.RUNNING and log.end is not None:
        state = StepState.CANCELLED
    return STATE_WORDS[state] if state else ("", Role.TEXT)


def _entry(word: tuple[str, Role], number: str, title: str, width: int, glyphs: Glyphs) -> Line:
    start = f"{right(number, 3)} "
    room = width - _MARKER - _WORD - len(start)
    return (
        Span(" " * _MARKER),
        Span(word[0], word[1]),
        Span(" " * (_WORD - len(word[0])) + start + clip(title, room, glyphs.dots)),
    )


def pending(step: Step, width: int) -> list[Line]:
    """A step that is still to be done: what it will do, and how it is undone."""
    lines = [*_text(step.why, width), EMPTY, *_commands(step, width)]
    lines += _listed("Needs", step.needs, width)
    lines += _listed("Writes", step.writes or ("Nothing to the stick.",), width)
    lines += _listed("Undo", (step.undo,), width)
    return lines + _listed("Cancel", (_CANCELLING[step.cancel],), width)


def told(
    step: Step, log: StepLog, width: int, height: int, glyphs: Glyphs, *, beat: int, running: bool
) -> list[Line]:
    """A step that is being done or behind: its command, the end of its output, how far it is."""
    why = [*_text(step.why, width), EMPTY]
    ran = any(line.command for line in log.lines)
    top = [] if ran else _commands(step, width)
    bottom: list[Line] = [EMPTY] if log.lines or step.commands else []
    if running:
        bottom += progress(log.progress, width, glyphs, beat=beat)
    if log.text:
        role = STATE_WORDS[log.state][1] if log.state else Role.TEXT
        bottom += _text(log.text, width, role if log.state in _WENT_WRONG else Role.STRONG)
    for text in log.found:
        bottom += _text(text, width)
    # What came of it matters more than why it was done.
    if len(why) + len(top) + _LEAST_OUTPUT + len(bottom) <= height:
        top = why + top
    elif ran:
        # The colon is for a command, which is above what is shown.
        frame = frame_of(step.action)
        top = _text(f"{frame.removesuffix(':')}." if frame else "", width, Role.NOTICE)
    room = max(_LEAST_OUTPUT, height - len(top) - len(bottom))
    return [*top, *_end_of(log.lines[-room:], width, room), *bottom]


def _end_of(lines: Sequence[LogLine], width: int, room: int) -> list[Line]:
    """The last whole lines that fit; the end of the last one where not even that fits."""
    rows: list[Line] = []
    for line in reversed(lines):
        more = output_rows(line, width)
        if rows and len(rows) + len(more) > room:
            break
        rows = more + rows
    return rows[-room:]


def progress(event: ProgressEvent | None, width: int, glyphs: Glyphs, *, beat: int) -> list[Line]:
    """The bar, and below it phase, percent, rate and time left, as far as they are known."""
    if event is None or event.fraction is None:
        line = moving_bar(beat, width, Role.FILL, glyphs)
        return [line, (Span(_cells(event.phase if event else "working", width)),)]
    parts = [f"{event.phase} {percent(event.fraction)}".strip()]
    if event.seconds_left is not None:
        parts.append(f"{clock_time(event.seconds_left)} left")
    if event.rate is not None:
        parts.append(f"{size(event.rate)}/s")
    return [bar(event.fraction, width, Role.FILL, glyphs), (Span(spread(parts, width)),)]


def clock_time(seconds: float) -> str:
    """Minutes and seconds: "1:05"; with hours where there are any."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def output_rows(line: LogLine, width: int) -> list[Line]:
    """A line of output in as many rows as it needs; a command after a dollar sign."""
    if line.command:
        return _command(line.text, width)
    return [(Span(row, Role.MUTED),) for row in wrap(line.text, width)] or [EMPTY]


def transcript(plan: Plan, log: JobLog, width: int) -> list[Line]:
    """Everything that all steps have told."""
    lines: list[Line] = [EMPTY]
    for index, (step, told_so_far) in enumerate(zip(plan.steps, log.steps, strict=True)):
        if told_so_far.state is None and not told_so_far.lines:
            continue
        word, role = state_word(log, index)
        lines.append((Span(f" {index + 1} {step.title}  ", Role.HEADING), Span(word, role)))
        if told_so_far.dropped:
            lines.append((Span(f"   ({told_so_far.dropped} earlier lines left out)", Role.MUTED),))
        rows = _text(frame_of(step.action), width - 4, Role.NOTICE) if told_so_far.lines else []
        rows += [row for line in told_so_far.lines for row in output_rows(line, width - 4)]
        for text in (*told_so_far.found, told_so_far.text):
            rows += _text(text, width - 4)
        lines += [(Span("   "), *row) for row in rows]
        lines.append(EMPTY)
    if log.end is not None:
        lines += [(Span(" "), *row) for row in _text(log.end.message, width - 2, Role.STRONG)]
    if len(lines) == 1:
        lines.append((Span(" Nothing has been told yet.", Role.MUTED),))
    return lines


def _commands(step: Step, width: int) -> list[Line]:
    rows: list[Line] = []
    for argv in step.commands:
        rows += command(argv, width)
    return rows


def command(argv: tuple[str, ...], width: int) -> list[Line]:
    """An argument list after a dollar sign."""
    return _command(clean(shlex.join(argv), 400), width)


def _command(text: str, width: int) -> list[Line]:
    first, *rest = wrap(text, width - 2) or [""]
    lines: list[Line] = [(Span("$ ", Role.MUTED), Span(first, Role.STRONG))]
    return lines + [(Span("  " + row, Role.STRONG),) for row in rest]


def _text(text: str, width: int, role: Role = Role.TEXT) -> list[Line]:
    return [(Span(row, role),) for row in wrap(text, width)]


def _listed(name: str, texts: tuple[str, ...], width: int) -> list[Line]:
    lines: list[Line] = []
    indent = 8
    for text in texts:
        for row in wrap(text, width - indent):
            start = cell("" if lines else name, indent)
            lines.append((Span(start, Role.MUTED), Span(row)))
    return lines


def _cells(text: str, width: int) -> str:
    return clip(text, width)
