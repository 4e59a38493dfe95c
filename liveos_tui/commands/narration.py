"""Events of a job as lines of text, for a terminal or a log."""

import json
import shlex
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from liveos_tui.commands.ways import ways
from liveos_tui.formats.text import clean
from liveos_tui.jobs.event_codec import document
from liveos_tui.jobs.events import (
    GOING_BACK,
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.words import duration, percent, size
from liveos_tui.plans.model import Plan, Step
from liveos_tui.plans.text import frame_of, wrapped

_COMMAND_LIMIT = 4096
# A program that has much to say is told by its beginning and its end.
_FIRST_LINES = 8
_LAST_LINES = 4
_LEADS = {
    StepState.DONE: "",
    StepState.FAILED: "FAILED: ",
    StepState.CANCELLED: "Cancelled. ",
    StepState.UNDONE: "",
}


class Listener(Protocol):
    """Someone to whom a job is told."""

    def job(self, job_id: str, plan: Plan) -> None:
        """It is about this job."""
        ...

    def event(self, event: Event) -> None:
        """Something has happened."""
        ...

    def after(self, job: Job) -> None:
        """It has ended, or waits; this is what can be done with it."""
        ...

    def remark(self, text: str) -> None:
        """Something that is for people alone."""
        ...

    def pause(self) -> None:
        """Something else is about to be written: leave no half line."""
        ...


class JsonLines:
    """One object a line: the job first, then its events (jobs.event_codec)."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def job(self, job_id: str, plan: Plan) -> None:
        """See `Listener.job`."""
        titles = [step.title for step in plan.steps]
        self._line({"event": "job", "id": job_id, "title": plan.title, "steps": titles})

    def event(self, event: Event) -> None:
        """See `Listener.event`."""
        self._line(document(event))

    def after(self, job: Job) -> None:
        """See `Listener.after`. `jobs list --json` tells it."""

    def remark(self, text: str) -> None:
        """See `Listener.remark`."""

    def pause(self) -> None:
        """See `Listener.pause`."""

    def _line(self, fields: dict[str, object]) -> None:
        self._say(json.dumps(fields) + "\n")


class Narrator:
    """Lines for people. Progress is one line that is drawn again, of `columns`, on a terminal.

    Without a terminal (`columns` is None) a phase is told once, when it begins. `named`: the stick,
    where the person has named it.
    """

    def __init__(
        self, say: Callable[[str], None], columns: int | None, named: str | None = None
    ) -> None:
        self._say = say
        self._columns = columns
        self._named = named
        self._job_id = ""
        self._steps: Sequence[Step] = ()
        self._drawn = 0
        self._phase = ""
        self._step = -1
        self._told = ""
        self._before: list[int] = []
        self._framed = False
        self._lines = 0
        self._last: deque[str] = deque(maxlen=_LAST_LINES)

    def job(self, job_id: str, plan: Plan) -> None:
        """See `Listener.job`."""
        self._job_id, self._steps = job_id, plan.steps
        self._line(f"Job {job_id}: {plan.title}")

    def event(self, event: Event) -> None:
        """See `Listener.event`."""
        if not isinstance(event, OutputEvent | ProgressEvent):
            self._end_output()
        match event:
            case StepEvent(step, StepState.DONE) if step != self._step:
                self._before.append(step)
            case StepEvent(step, StepState.RUNNING, text):
                back = text == GOING_BACK
                self._tell_before(going_back=back)
                self._phase, self._step, self._framed = "", step, False
                self._line(f"{'Going back, step' if back else 'Step'} {self._number(step)}")
                self._line(f"  {text}" if text and not back else "")
            case StepEvent(_, state, text):
                self._told = text
                self._text(f"{_LEADS[state]}{text}", "  ")
            case ProgressEvent():
                self._progress(event)
            case CommandEvent(step, argv):
                self._frame(step)
                self._line(f"  $ {clean(shlex.join(argv), _COMMAND_LIMIT)}")
            case OutputEvent(_, text):
                self._output(text)
            case FoundEvent(_, text):
                self._text(text, "  * ")
            case WaitingEvent(step):
                self._line(f"It waits for an answer before step {step + 1}.")
            case PausedEvent(_, paused):
                goes_on = f"`liveos-tui jobs resume {self._job_id}` has it go on."
                self._line(f"  Paused: {goes_on}" if paused else "  It goes on.")
            case EndEvent(state, message, hint, report):
                # A failed step has said the same already.
                self._text("" if message == self._told else message)
                for line in report:
                    self._text(line, "  - ")
                self._text(hint)

    def after(self, job: Job) -> None:
        """See `Listener.after`."""
        for way in ways(job, self._named, listening=True):
            self._line(way)

    def remark(self, text: str) -> None:
        """See `Listener.remark`."""
        self._text(text)

    def pause(self) -> None:
        """See `Listener.pause`."""
        if self._drawn:
            self._say("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _number(self, step: int) -> str:
        title = self._steps[step].title if step < len(self._steps) else "?"
        return f"{step + 1} of {len(self._steps)}: {title}"

    def _tell_before(self, *, going_back: bool) -> None:
        """Which steps an earlier run has done; on the way back they are told one by one."""
        if self._before and not going_back:
            first, last = self._before[0] + 1, self._before[-1] + 1
            which = f"Step {first} was" if first == last else f"Steps {first} to {last} were"
            self._line(f"{which} done by an earlier run.")
        self._before.clear()

    def _frame(self, step: int) -> None:
        """Before the first program of a step: what its words are about."""
        words = frame_of(self._steps[step].action) if step < len(self._steps) else ""
        if words and not self._framed:
            self._framed = True
            self._line(f"  {words}")

    def _output(self, text: str) -> None:
        """A program's line: at once while it has not said much, else only if it is of the last."""
        self._lines += 1
        if self._lines <= _FIRST_LINES:
            self._program_line(text)
        else:
            self._last.append(text)

    def _end_output(self) -> None:
        """Tell the end of what a program had to say, and how much was left out before."""
        left_out = self._lines - _FIRST_LINES - len(self._last)
        if left_out > 0:
            how = f"`liveos-tui jobs attach {self._job_id} --json` has all"
            self._text(f"{left_out} lines are left out; {how}", "    ... ")
        for text in self._last:
            self._program_line(text)
        self._lines = 0
        self._last.clear()

    def _program_line(self, text: str) -> None:
        self._line(f"    {'(copy) ' if self._framed else ''}{text}")

    def _text(self, text: str, lead: str = "") -> None:
        if text.strip():
            for line in wrapped(text, lead):
                self._line(line)

    def _line(self, text: str) -> None:
        if text.strip():
            self.pause()
            self._say(text + "\n")

    def _progress(self, event: ProgressEvent) -> None:
        if self._columns is None:
            if event.phase != self._phase:
                self._phase = event.phase
                self._line(f"  {event.phase}")
            return
        # The last column stays free: some terminals go to the next line from there.
        words = progress_words(event)[: self._columns - 1]
        self._say("\r" + words.ljust(self._drawn))
        self._drawn = len(words)


def progress_words(event: ProgressEvent) -> str:
    """How far it is, in one line: "  growing the file  42 %  61 MiB/s  about 2 minutes left"."""
    words = [event.phase]
    if event.fraction is not None:
        words.append(percent(event.fraction))
    if event.rate is not None:
        words.append(f"{size(event.rate)}/s")
    if event.seconds_left is not None:
        words.append(f"{duration(event.seconds_left)} left")
    return "  " + "  ".join(words)
