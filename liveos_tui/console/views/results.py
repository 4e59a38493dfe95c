"""How a job ended: what came of it, in which state things are, what to do now."""

from liveos_tui.console.joblog import JobLog
from liveos_tui.console.lines import EMPTY, Line, Span, wrap
from liveos_tui.console.theme import Role
from liveos_tui.jobs.events import JobState
from liveos_tui.plans.model import Cancel, Plan
from liveos_tui.plans.ways import FORGET

JOB_WORDS = {
    JobState.RUNNING: ("RUNNING", Role.NOTICE),
    JobState.WAITING: ("WAITING", Role.NOTICE),
    JobState.PAUSED: ("PAUSED", Role.NOTICE),
    JobState.DONE: ("DONE", Role.GOOD),
    JobState.FAILED: ("FAILED", Role.DANGER),
    JobState.CANCELLED: ("CANCELLED", Role.WARNING),
    JobState.INTERRUPTED: ("INTERRUPTED", Role.WARNING),
    JobState.ROLLED_BACK: ("ROLLED BACK", Role.NOTICE),
    JobState.LEFT: ("LEFT", Role.MUTED),
}
"""A job's state as it is shown, and its role."""

_TOLD_BY_HINT = frozenset({JobState.CANCELLED, JobState.ROLLED_BACK})
"""Ends whose hint says how things are, and not what to do about it."""


def more_than_state(message: str, state: JobState) -> str:
    """How a job ended, where that says more than its state: not "Cancelled." after CANCELLED."""
    return "" if message.rstrip(".").upper() == JOB_WORDS[state][0] else message


def result(
    log: JobLog, width: int, *, resume: bool, roll_back: bool, forget: bool = False
) -> list[Line]:
    """The end of a job; `resume`, `roll_back` and `forget` say which ways are open.

    What can be done comes before the details, which may be many.
    """
    end = log.end
    if end is None:
        return []
    role = Role.DANGER if end.state is JobState.FAILED else Role.STRONG
    lines = _paragraph(end.message, width, role)
    if log.failed is not None and log.steps[log.failed].text != end.message:
        lines += _paragraph(log.steps[log.failed].text, width)
    done = end.state is JobState.DONE
    # A job that found nothing to do ends well before its last step, and nothing follows from it.
    whole = done and log.done == len(log.plan.steps)
    advice = _paragraph(end.hint, width)
    if end.state in _TOLD_BY_HINT:
        lines += advice
        advice = []
    for text in log.plan.afterwards if whole and not end.hint else ():
        advice += _item(text, width)
    # What a merge ends with says it, too.
    forget = forget and FORGET.partition(",")[0] not in end.hint
    ways = _ways(end.state, bool(advice), resume=resume, roll_back=roll_back, forget=forget)
    if advice or ways:
        heading = "What to do now" if advice or resume else "What can be done"
        lines += [EMPTY, (Span(heading, Role.HEADING),), *advice]
        for key, words in ways:
            lines += _key(key, words, width)
    details = end.report or ((log.found or _came_of_it(log)) if done else ())
    if details:
        lines += [EMPTY, (Span("What came of it", Role.HEADING),)]
        for text in details:
            lines += _item(text, width)
    return lines


def _ways(
    state: JobState, advised: bool, *, resume: bool, roll_back: bool, forget: bool
) -> list[tuple[str, str]]:
    """The keys that do something to a job that has ended so, and what each does."""
    done = state is JobState.DONE
    back = "go back: undo everything that it did"
    ways = []
    if resume:
        ways.append(("r", "go on where it stopped"))
    if roll_back:
        ways.append(("u", f"or {back}" if done and advised else back))
    if forget:
        what = "the old image, once the new one has started" if done else "what this job has kept"
        ways.append(("j", f"Jobs: f there removes {what}"))
    return ways


def _came_of_it(log: JobLog) -> tuple[str, ...]:
    """What the steps have said that write: a growth says the new size."""
    steps = zip(log.plan.steps, log.steps, strict=True)
    return tuple(told.text for step, told in steps if step.writes_overlay and told.text)


def undo_words(plan: Plan | None, log: JobLog | None, *, whole: bool = False) -> str:
    """What leaving or going back would undo at this moment; empty where there is no plan.

    `whole`: going back undoes all steps and not the last one only, so the last one that leaves
    something to undo is named.
    """
    if plan is None:
        return ""
    if log is None:
        return "Nothing has been written. Leaving changes nothing."
    if log.end is not None or (log.undone is not None and log.waiting is None):
        return ""
    if log.done <= plan.first_write and log.running in {None, *range(plan.first_write)}:
        return "Undo: nothing has been written to the stick so far."
    last = log.running if log.running is not None else log.done - 1
    while whole and not plan.steps[last].writes and last > plan.first_write:
        last -= 1
    return f"Undo: {plan.steps[last].undo}"


def cancel_words(plan: Plan | None, log: JobLog | None) -> str:
    """What cancelling leaves at this moment; empty when there is nothing to cancel."""
    if plan is None or log is None or log.end is not None:
        return ""
    at = log.running
    cancel = plan.steps[at].cancel if at is not None else Cancel.NOW
    if cancel is Cancel.NEVER:
        return "c Cancel: this phase cannot be cut off; the job would end after it."
    stops = "it stops at once" if cancel is Cancel.NOW else "it stops after this phase"
    if log.done <= plan.first_write and at in {None, *range(plan.first_write)}:
        return f"c Cancel: {stops}. Nothing has been written, nothing is left behind."
    return f"c Cancel: {stops}; then u puts all back as it was, or r goes on."


def leave_words(log: JobLog | None) -> str:
    """What happens to a job while nobody looks; empty without one, or when it has ended."""
    if log is None or log.end is not None:
        return ""
    if log.waiting is not None:
        return "Leave: the job waits, and keeps the stick to itself. j Jobs brings you back."
    if log.paused:
        return "Leave: it stays paused, and keeps the stick to itself. j Jobs brings you back."
    return "Leave: the job goes on by itself. j Jobs brings you back."


def _item(text: str, width: int) -> list[Line]:
    rows = wrap(text, width - 2)
    return [(Span(("- " if n == 0 else "  ") + row),) for n, row in enumerate(rows)]


def _key(key: str, text: str, width: int) -> list[Line]:
    rows = wrap(text, width - 3)
    return [
        (Span(key if n == 0 else " ", Role.KEY), Span("  " + row)) for n, row in enumerate(rows)
    ]


def _paragraph(text: str, width: int, role: Role = Role.TEXT) -> list[Line]:
    return [(Span(row, role),) for row in wrap(text, width)]
