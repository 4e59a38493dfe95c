"""Listening to a job until it ends, or until the person has seen enough."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from liveos_tui.commands.narration import JsonLines, Listener, Narrator
from liveos_tui.commands.output import ask, can_ask, say
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.jobs.events import IS, EndEvent, Event, JobState, WaitingEvent
from liveos_tui.jobs.folder import ALIVE, STANDING
from liveos_tui.jobs.workshop import Feed, Workshop
from liveos_tui.plans.model import Plan

_LOOK_SECONDS = 0.1

_CODES = {
    JobState.DONE: ExitCode.WELL,
    JobState.ROLLED_BACK: ExitCode.WELL,
    JobState.LEFT: ExitCode.WELL,
    JobState.CANCELLED: ExitCode.CANCELLED,
}


def listener(*, as_json: bool, named: str | None = None) -> Listener:
    """Whoever is told what a job does: a terminal, a log, a script.

    `named`: the stick, where the person has named it.
    """
    if as_json:
        return JsonLines(say)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return Narrator(say, columns, named)


def tell_failure(error: LiveosError) -> int:
    """Tell a script that nothing came of it, as the last event; the exit code."""
    cancelled = error.exit_code is ExitCode.CANCELLED
    state = JobState.CANCELLED if cancelled else JobState.FAILED
    listener(as_json=True).event(EndEvent(state, error.message, error.hint))
    return error.exit_code


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Ctrl+C waits while a job is begun: who has pressed it is to be told what became of the job.

    What is given lets it through, and raises KeyboardInterrupt where it has come.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield lambda: None
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))

    def let_through() -> None:
        signal.signal(signal.SIGINT, before)
        if came:
            came.clear()
            raise KeyboardInterrupt

    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)


def follow(
    workshop: Workshop,
    job_id: str,
    plan: Plan,
    to: Listener,
    *,
    agree: Callable[[], bool] | None = None,
    hear: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Tell what a job does until it ends; the exit code.

    Where the job waits for the person, `agree` asks: it goes on to its end then, or is cancelled.
    Ctrl+C ends the listening, never the job by itself; one that was held back comes by `hear`.
    """
    feed = workshop.feed(job_id)
    cancelled = False
    try:
        to.job(job_id, plan)
        while True:
            try:
                hear()
                for event in _news(feed):
                    if cancelled and isinstance(event, WaitingEvent):
                        # It was told before the job had heard that it is to end.
                        continue
                    to.event(event)
                    if isinstance(event, EndEvent):
                        if cancelled and event.state is JobState.DONE:
                            to.remark("It was too late to cancel it.")
                        _tell_offers(workshop, job_id, plan, to)
                        return _CODES.get(event.state, ExitCode.FAILED)
                    if not isinstance(event, WaitingEvent):
                        continue
                    if agree is None:
                        _tell_offers(workshop, job_id, plan, to)
                    else:
                        to.pause()
                        if agree():
                            workshop.allow(job_id, len(plan.steps))
                        else:
                            workshop.cancel(job_id)
                sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                to.pause()
                cancelled = _is_cancelled(workshop, job_id, will_ask=agree is not None)
                if not cancelled:
                    return ExitCode.CANCELLED
    finally:
        feed.close()


def _news(feed: Feed) -> list[Event]:
    """What has come, without what the job has waited for and got since."""
    events = feed.poll()
    return [each for each in events if each is events[-1] or not isinstance(each, WaitingEvent)]


def _tell_offers(workshop: Workshop, job_id: str, plan: Plan, to: Listener) -> None:
    # A stick that was pulled out is not a second failure.
    with suppress(LiveosError):
        for job in workshop.jobs(plan.place.target):
            if job.id == job_id:
                to.after(job)


def _state(workshop: Workshop, job_id: str) -> JobState:
    """How a job is, as far as that can be known."""
    with suppress(LiveosError):
        states = (job.state for job in workshop.jobs() if job.id == job_id)
        return next(states, JobState.RUNNING)
    return JobState.RUNNING


def _is_cancelled(workshop: Workshop, job_id: str, *, will_ask: bool) -> bool:
    """Ask what Ctrl+C was meant for; whether the job was asked to end, or has ended.

    `will_ask`: it may wait for an answer before it writes.
    """
    state = _state(workshop, job_id)
    if state not in ALIVE:
        return True
    stands = IS[state] if state in STANDING else ""
    goes_on = "goes on, up to its question," if will_ask else "goes on"
    how = f"The job {stands}, and keeps the stick" if stands else f"The job {goes_on}"
    leaves = "leaves it so" if stands else "leaves it running"
    answer: str | None = "" if can_ask() else None
    try:
        if answer is not None:
            say(f"\n{how} without this terminal.\n")
            answer = ask(f"c cancels it, Enter {leaves}: ")
        while answer and answer.lower() != "c":
            answer = ask(f"c or Enter: c cancels it, Enter {leaves}: ")
    except KeyboardInterrupt:
        answer = None
    if answer is not None and answer.lower() == "c":
        # It may have ended while the question stood: that is told next.
        with suppress(LiveosError):
            workshop.cancel(job_id)
        return True
    said, verb = (f"It {stands}", "resume") if stands else (f"It {goes_on.strip(',')}", "attach")
    print(f"liveos-tui: {said}: liveos-tui jobs {verb} {job_id}", file=sys.stderr)
    return False
