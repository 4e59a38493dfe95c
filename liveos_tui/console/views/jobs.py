"""Jobs in lists: when, what, where, how far."""

from datetime import datetime, tzinfo

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import EMPTY, Line, Span, both_ends, cell, clip, wrap_at_most
from liveos_tui.console.theme import Role
from liveos_tui.console.views.proposal import place_words
from liveos_tui.console.views.questions import NAMES
from liveos_tui.console.views.results import JOB_WORDS
from liveos_tui.console.workers import ALIVE
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Job

ROWS = 2
"""Lines of the dashboard's block."""

DETAIL_ROWS = 6

_WHEN = 11
_WHAT = 8
_STICK = 14
_STATE = 11
_DONE = 8


def header(width: int) -> Line:
    """The names of the columns."""
    words = (
        f"   {cell('Started', _WHEN)} {cell('What', _WHAT)} {cell('Stick', _STICK)} "
        f"{cell('State', _STATE)} {cell('Done', _DONE)} Message"
    )
    return (Span(clip(words, width), Role.MUTED),)


def row(job: Job, now: datetime, width: int, glyphs: Glyphs) -> Line:
    """One job in one line."""
    word, role = JOB_WORDS[job.state]
    start = (
        f"   {cell(when(job, now), _WHEN)} {cell(NAMES[job.plan.operation], _WHAT)} "
        f"{cell(job.plan.place.name, _STICK, glyphs.dots)} "
    )
    rest = f" {cell(_done(job), _DONE)} "
    room = width - len(start) - _STATE - len(rest) - 1
    return (
        Span(start),
        Span(word, role),
        Span(" " * (_STATE - len(word)) + rest),
        Span(clip(job.message, room, glyphs.dots), Role.MUTED),
    )


def details(job: Job | None, width: int, glyphs: Glyphs) -> list[Line]:
    """Everything that is known of the selected job."""
    if job is None:
        return []
    place = job.plan.place
    lines: list[Line] = [
        (Span(clip(job.plan.title, width, glyphs.dots), Role.STRONG),),
        (Span(clip(f"{place.name}  {place_words(place)}", width, glyphs.dots)),),
        (Span(clip(f"Job {job.id}", width, glyphs.dots), Role.MUTED),),
    ]
    room = DETAIL_ROWS - len(lines)
    return lines + [(Span(row),) for row in wrap_at_most(job.message, width, room, glyphs.dots)]


def nothing(known: bool, glyphs: Glyphs) -> list[Line]:
    """What stands there without jobs."""
    text = "There are no jobs." if known else f"Looking for jobs {glyphs.dots}"
    return [EMPTY, (Span(f"   {text}", Role.MUTED),)]


def when(job: Job, now: datetime) -> str:
    """When it was started: the time of today, or the day as well."""
    began = datetime.fromtimestamp(job.started, _zone(now))
    return f"{began:%H:%M}" if began.date() == now.date() else f"{began:%m-%d %H:%M}"


def of_interest(jobs: tuple[Job, ...]) -> Job | None:
    """The job that the dashboard tells first: an interrupted one, a live one, else the last."""
    for states in ({JobState.INTERRUPTED}, ALIVE):
        for job in jobs:
            if job.state in states:
                return job
    return jobs[0] if jobs else None


def pressing(jobs: tuple[Job, ...]) -> bool:
    """Whether there is a job that needs a place on the dashboard."""
    job = of_interest(jobs)
    return job is not None and (job.state in ALIVE or job.state is JobState.INTERRUPTED)


def shown(jobs: tuple[Job, ...], rows_left: int) -> bool:
    """Whether the block is shown: the last job only where it takes no room from anything else."""
    return pressing(jobs) or (bool(jobs) and rows_left > ROWS)


def block(jobs: tuple[Job, ...], now: datetime, width: int) -> list[Line]:
    """The dashboard's block: one job, and the key that leads to all of them."""
    job = of_interest(jobs)
    if job is None:
        return []
    word, role = JOB_WORDS[job.state]
    last = "" if pressing(jobs) else "last: "
    more = f"   and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    text = f"   {NAMES[job.plan.operation]} {job.plan.place.name}, {_progress(job, now)}{more}"
    start: Line = (Span(f"   {last}"), Span(word, role), Span(text))
    key: Line = (Span("  "), Span("j", Role.KEY), Span(" Jobs "))
    return [(Span(" Jobs", Role.HEADING),), both_ends(start, key, width)]


def _progress(job: Job, now: datetime) -> str:
    if job.state in ALIVE or job.state is JobState.INTERRUPTED:
        return f"{_done(job)} steps"
    return f"{when(job, now)}  {job.message}".rstrip()


def _done(job: Job) -> str:
    return f"{job.done} of {len(job.plan.steps)}"


def _zone(now: datetime) -> tzinfo | None:
    return now.tzinfo
