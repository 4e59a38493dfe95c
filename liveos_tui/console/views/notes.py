"""The lines below the steps: what comes next, how to undo, what leaving leaves."""

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.joblog import JobLog
from liveos_tui.console.lines import EMPTY, Line, Span, clip, wrap_at_most
from liveos_tui.console.theme import Role
from liveos_tui.console.views import results
from liveos_tui.errors import LiveosError
from liveos_tui.plans.model import Cancel, Plan

ROWS = 3

_CANCELLING = {
    Cancel.NOW: "Cancelling: it ends at once.",
    Cancel.SAFE_POINT: "Cancelling: it ends when this step is done.",
    Cancel.NEVER: "This step cannot be cancelled any more: it ends after it.",
}


def lines(
    plan: Plan | None,
    log: JobLog | None,
    status: str,
    trouble: LiveosError | None,
    width: int,
    glyphs: Glyphs,
) -> list[Line]:
    """`status` first; an error takes the place of everything."""
    if trouble is not None:
        word = " ERROR "
        text = f"{trouble.message} {trouble.hint}".strip()
        rows = wrap_at_most(text, width - len(word) - 2, ROWS, glyphs.dots)
        starts = [word] + [" " * len(word)] * (len(rows) - 1)
        return [
            (Span(f"{start} {row}".ljust(width), Role.ALERT),)
            for start, row in zip(starts, rows, strict=True)
        ]
    texts = [
        (status, Role.STRONG),
        (results.undo_words(plan, log), Role.TEXT),
        (results.leave_words(log), Role.MUTED),
    ]
    shown: list[Line] = [
        (Span(f" {clip(text, width - 2, glyphs.dots)}", role),) for text, role in texts if text
    ]
    return shown or [EMPTY]


def status(
    plan: Plan | None, log: JobLog | None, next_step: int | None, *, cancelling: bool, whole: bool
) -> str:
    """What Enter does, or what the job is about to do."""
    if plan is None or (log is not None and log.end is not None):
        return ""
    if cancelling:
        running = log.running if log is not None else None
        return _CANCELLING[plan.steps[running].cancel if running is not None else Cancel.NOW]
    if next_step is not None and log is not None:
        return f"Next: {next_step + 1} {plan.steps[next_step].title}"
    if whole and log is not None:
        return "All steps that are left follow."
    return ""
