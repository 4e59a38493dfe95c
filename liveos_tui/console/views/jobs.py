"""Jobs in lists: when, what, where, how far."""

from datetime import datetime, tzinfo

from rich.cells import cell_len

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import (
    EMPTY,
    Line,
    Span,
    both_ends,
    cell,
    clip,
    clip_start,
    width_of,
    wrap,
)
from liveos_tui.console.theme import Role
from liveos_tui.console.views.proposal import place_words
from liveos_tui.console.views.questions import NAMES
from liveos_tui.console.views.results import JOB_WORDS, more_than_state
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import IS, JobState
from liveos_tui.jobs.folder import ALIVE
from liveos_tui.jobs.workshop import Job

ROWS = 2
"""Lines of the dashboard's block."""

DETAIL_ROWS = 8

_WHEN = 11
_WHAT = 8
_STICK = 14
_STATE = 11
_DONE = 8
_WHERE = 18
# A shorter piece of a sentence says nothing; the details have all of it.
_LEAST_RESULT = 24


def header(width: int) -> Line:
    """The names of the columns."""
    result = " Result" if _result_room(width) else ""
    words = (
        f"   {cell('Started', _WHEN)} {cell('What', _WHAT)} {cell('Stick', _STICK)} "
        f"{cell('State', _STATE)} {cell('Done', _DONE)} {cell('Where', _WHERE)}{result}"
    )
    return (Span(clip(words.rstrip(), width), Role.MUTED),)


def row(job: Job, now: datetime, width: int, glyphs: Glyphs) -> Line:
    """One job in one line; where its stick is tells it from another of the same name."""
    word, role = JOB_WORDS[job.state]
    start = (
        f"   {cell(when(job, now), _WHEN)} {cell(NAMES[job.plan.operation], _WHAT)} "
        f"{cell(job.plan.place.name, _STICK, glyphs.dots)} "
    )
    where = clip_start(clean(job.plan.place.device or job.plan.place.target), _WHERE, glyphs.dots)
    return (
        Span(start),
        Span(word, role),
        Span(" " * (_STATE - len(word)) + f" {cell(_done(job), _DONE)} {cell(where, _WHERE)} "),
        Span(clip(_told(job), _result_room(width), glyphs.dots), Role.MUTED),
    )


def _result_room(width: int) -> int:
    """Cells for how a job has ended; 0 where they are too few to be read."""
    room = width - (3 + _WHEN + _WHAT + _STICK + _STATE + _DONE + _WHERE + 6) - 1
    return room if room >= _LEAST_RESULT else 0


def details(job: Job | None, width: int, glyphs: Glyphs) -> list[Line]:
    """Everything that is known of the selected job; how it ended is shown whole."""
    if job is None:
        return []
    place = job.plan.place
    uuid = f", UUID {place.uuid}" if place.uuid else ""
    where = clip_start(place_words(place), width - cell_len(f"{place.name}  {uuid}"), glyphs.dots)
    lines: list[Line] = [
        (Span(clip(job.plan.title, width, glyphs.dots), Role.STRONG),),
        (Span(clip(f"{place.name}  {where}{uuid}", width, glyphs.dots)),),
        (Span(clip(f"Job {job.id}", width, glyphs.dots), Role.MUTED),),
    ]
    lines += [(Span(row),) for row in wrap(_told(job), width)]
    if len(lines) <= DETAIL_ROWS:
        return lines
    more = "Enter opens the job: its result has all of it."
    return [*lines[: DETAIL_ROWS - 1], (Span(clip(more, width, glyphs.dots), Role.MUTED),)]


def why_not(key: str, job: Job, *, in_list: bool = False) -> str:
    """Why a key does nothing to a job as it is, and what can be done instead.

    `in_list`: it is one of those in Jobs, where Enter opens it. On its own screen Enter does the
    next step, which may write.
    """
    alive, how = job.state in ALIVE, IS[job.state]
    match key:
        case "c":
            return f"There is nothing to cancel: this job {how}. {_ways(job)}"
        case "L":
            return f"There is nothing to leave as it is: this job {how}. {_ways(job)}"
        case "r" if alive:
            return f"There is nothing to take up again: {_stands(job, in_list=in_list)}"
        case "r":
            return f"There is nothing to go on with: this job {how}. {_ways(job)}"
        case "u" | "f" if alive:
            stands = _stands(job, in_list=in_list)
            return f"That can only be done once it has ended: {stands} c cancels it."
        case "u":
            return f"This job cannot be undone. {job.why_not_back} {_ways(job)}".rstrip()
        case "f" if job.can_resume:
            return f"A job that has not come to its end keeps what it needs. {_ways(job)}"
        case "f":
            return f"There is no way back to give up: this job {how}. {_ways(job)}".rstrip()
        case _:
            return f"There is nothing to do next: this job {how}. {_ways(job)}"


def _stands(job: Job, *, in_list: bool) -> str:
    """How a job is that has not ended, and the key that leads on."""
    opens = " Enter opens it." if in_list else ""
    match job.state:
        case JobState.WAITING if not in_list:
            return "it waits for you. Enter goes on with the next step."
        case JobState.WAITING:
            return f"it waits for you.{opens}"
        case JobState.PAUSED if not in_list:
            return "it is paused. p goes on."
        case JobState.PAUSED:
            return f"it is paused.{opens}"
    return f"it is at work.{opens}"


def _ways(job: Job) -> str:
    """The keys that do something to a job."""
    undone = job.state is JobState.ROLLED_BACK
    forgets = "removes what it has kept" if undone else "gives up its way back"
    ways = {
        "c cancels it": job.state in ALIVE,
        "r goes on": job.can_resume,
        "u undoes it": job.can_roll_back,
        f"f in Jobs {forgets}": job.can_be_forgotten,
    }
    words = ", ".join(way for way, is_open in ways.items() if is_open)
    return f"What can be done: {words}." if words else ""


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
    how_far = f"{_done(job)} steps" if pressing(jobs) else when(job, now)
    text = f"   {NAMES[job.plan.operation]} {job.plan.place.name}, {how_far}"
    key: Line = (Span("  "), Span("j", Role.KEY), Span(" Jobs "))
    # How it ended is told whole, or where there is room for it.
    told = _told(job)
    words = f"{text}  {told}{more}"
    room = width - cell_len(f"   {last}{word}") - width_of(key)
    if pressing(jobs) or not told or cell_len(words) > room:
        words = f"{text}{more}"
    start: Line = (Span(f"   {last}"), Span(word, role), Span(words))
    return [(Span(" Jobs", Role.HEADING),), both_ends(start, key, width)]


def _told(job: Job) -> str:
    return more_than_state(job.message, job.state)


def _done(job: Job) -> str:
    return "" if job.state is JobState.ROLLED_BACK else f"{job.done} of {len(job.plan.steps)}"


def _zone(now: datetime) -> tzinfo | None:
    return now.tzinfo
