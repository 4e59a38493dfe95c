"""The lines below the steps: what comes next, how to undo, what leaving leaves."""

from collections.abc import Sequence

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.joblog import JobLog
from liveos_tui.console.lines import Line, Span, wrap, wrap_at_most
from liveos_tui.console.theme import Role
from liveos_tui.console.views import results
from liveos_tui.errors import LiveosError
from liveos_tui.plans.model import Cancel, Plan

ROWS = 3
"""Rows that are kept for the notes where their number is not to change."""

# An error that a person can act on has fewer; one of another program may have any number.
_MOST_ROWS = 8

_CANCELLING = {
    Cancel.NOW: "Cancelling: it ends at once.",
    Cancel.SAFE_POINT: "Cancelling: it ends when this step is done.",
    Cancel.NEVER: "This step cannot be cancelled any more: it ends after it.",
}

_PAUSED = {
    False: "nothing is read or written, and nothing is undone. p goes on, c cancels.",
    True: "the system goes on, and what it overwrites still fills the scratch store. p goes on.",
}
"""What a pause leaves, by whether the running system itself is worked on."""

Note = tuple[str, Role]
"""A sentence and what it is for; an empty one is left out."""


def of_steps(plan: Plan | None, log: JobLog | None, status: str) -> list[Note]:
    """Below steps that are led one by one: what is next, what undoing and leaving do."""
    return [
        (status, Role.STRONG),
        (results.undo_words(plan, log), Role.TEXT),
        (results.leave_words(log), Role.MUTED),
    ]


def of_phases(plan: Plan | None, log: JobLog | None, status: str) -> list[Note]:
    """Below phases that follow each other: what undoing, cancelling and leaving do."""
    return [
        (results.undo_words(plan, log, whole=True), Role.TEXT),
        (status, Role.STRONG) if status else (results.cancel_words(plan, log), Role.TEXT),
        (results.leave_words(log), Role.MUTED),
    ]


def lines(
    notes: Sequence[Note], trouble: LiveosError | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """The notes; an error takes the place of everything."""
    if trouble is not None:
        word = " ERROR "
        text = f"{trouble.message} {trouble.hint}".strip()
        rows = wrap_at_most(text, width - len(word) - 2, _MOST_ROWS, glyphs.dots)
        starts = [word] + [" " * len(word)] * (len(rows) - 1)
        return [
            (Span(f"{start} {row}".ljust(width), Role.ALERT),)
            for start, row in zip(starts, rows, strict=True)
        ]
    return [(Span(f" {row}", role),) for text, role in notes for row in wrap(text, width - 2)]


def status(
    plan: Plan | None, log: JobLog | None, next_step: int | None, *, cancelling: bool, whole: bool
) -> str:
    """What Enter does, or what the job is about to do."""
    if plan is None or (log is not None and log.end is not None):
        return ""
    if cancelling:
        running = log.running if log is not None else None
        return _CANCELLING[plan.steps[running].cancel if running is not None else Cancel.NOW]
    if log is not None and log.paused:
        return f"Paused: {_PAUSED[plan.works_in_use]}"
    if next_step is not None and log is not None:
        return f"Next: {next_step + 1} {plan.steps[next_step].title}"
    if whole and log is not None:
        return "All steps that are left follow."
    return ""
