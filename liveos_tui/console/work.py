"""How a person leads a piece of work through its steps: what is allowed, asked and confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from liveos_tui.console import joblog
from liveos_tui.console.views.bars import Key
from liveos_tui.console.views.questions import VERBS
from liveos_tui.console.views.steps import LOOK, RESULT
from liveos_tui.jobs.events import IS, EndEvent, Event, JobState
from liveos_tui.jobs.folder import ALIVE
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Operation
from liveos_tui.plans.model import Confirmation, Plan

_INTERRUPTED = "The job was interrupted: its worker is gone."
_INTERRUPTED_HINT = "What it did is told in its journal. Nothing goes on by itself."


class Conduct:
    """The plan, what its job has told, and what was asked of it.

    `everything`: all steps are to be done without a stop, but for the confirmation. `confirmed`:
    the person has agreed to what is written.
    """

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan
        self.log: joblog.JobLog | None = None
        self.job_id: str | None = None
        self.confirmed = False
        self.everything = False
        self.cancelling = False
        self._asked = 0
        self._undoing = False
        self._stale: Job | None = None

    @property
    def at_once(self) -> bool:
        """Whether Enter does all steps: only a recovery has something to decide between them."""
        return self.plan is not None and self.plan.operation is not Operation.RECOVER

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self.log is not None and self.log.end is not None

    @property
    def waits(self) -> bool:
        """Whether the job waits for the person, and not for what it was told already."""
        return (
            self.log is not None
            and not self.ended
            and not self._undoing
            and self.log.waiting is not None
            and self.log.waiting >= self._asked
        )

    @property
    def paused(self) -> bool:
        """Whether the job stands still within a step."""
        return self.log is not None and self.log.paused

    @property
    def may_pause(self) -> bool:
        """Whether a pause makes sense, or its end: only a merge takes long enough.

        A pause may also begin between two steps.
        """
        merges = self.plan is not None and self.plan.operation is Operation.MERGE
        works = self.log is not None and (self.log.running is not None or self.log.paused)
        return merges and works and not self.ended

    @property
    def last_done(self) -> int | None:
        """The step that can be undone by itself; the first one, the lock, stays."""
        waiting = self.log.waiting if self.log is not None and self.waits else None
        return waiting - 1 if waiting is not None and waiting > 1 else None

    @property
    def next_step(self) -> int | None:
        """The step that Enter does."""
        if self.plan is None or self.ended:
            return None
        if self.log is None:
            return 0
        return self.log.waiting if self.waits else None

    @property
    def of_interest(self) -> str:
        """The entry that shows what happens: what came of a step matters before the next one."""
        log = self.log
        if log is None:
            return LOOK
        if log.end is not None:
            return RESULT
        if log.running is not None:
            return str(log.running)
        if log.waiting is None and log.undone is not None:
            return str(log.undone)
        return str(max(0, (log.done if log.waiting is None else log.waiting) - 1))

    # What comes.

    def begun(self, job_id: str, stale: Job | None = None) -> None:
        """A job is listened to from its first event.

        `stale` is how it was before it was taken up again, which is always done to the end. One
        that had written has been agreed to; another one waits before it does.
        """
        if self.plan is not None:
            # One that is taken up again has done steps already, whatever it tells first.
            self.log = joblog.empty(self.plan, stale.done if stale is not None else 0)
        self.job_id = job_id
        self.cancelling = self._undoing = False
        self._stale = stale
        if stale is not None:
            self.confirmed = stale.touched
            self.everything = True
            self._asked = len(stale.plan.steps) if stale.touched else 0

    def told(self, events: Iterable[Event]) -> None:
        """Take in what the job tells."""
        if self.log is not None:
            self.log = joblog.add(self.log, events)
            self._undoing = False

    def ended_as(self, job: Job) -> bool:
        """Nothing can be heard of it: believe the list of jobs, where it says that it is over."""
        if self.plan is None or job.state in ALIVE:
            return False
        log = joblog.empty(self.plan, job.done)
        self.log = replace(log, end=EndEvent(job.state, job.message or f"It {IS[job.state]}."))
        return True

    def interrupted_as(self, job: Job) -> bool:
        """Whether the list of jobs says that the worker is gone, which a dead worker cannot."""
        if self.log is None or self.ended or job is self._stale:
            return False
        if job.state is not JobState.INTERRUPTED:
            return False
        end = EndEvent(job.state, job.message or _INTERRUPTED, _INTERRUPTED_HINT)
        self.log = replace(self.log, waiting=None, end=end)
        return True

    # What is asked.

    @property
    def _position(self) -> int:
        return (self.log.waiting or 0) if self.log is not None else 0

    @property
    def _unconfirmed(self) -> bool:
        plan = self.plan
        return (
            plan is not None
            and plan.confirmation is not Confirmation.NONE
            and not self.confirmed
            and self._position <= plan.first_write < len(plan.steps)
        )

    def can_advance(self, *, everything: bool) -> bool:
        """Whether a step can be begun now. While one runs, all that follow can be asked for."""
        if self.plan is None or self.ended:
            return False
        if self.log is None or self.waits:
            return True
        if everything:
            self.everything = True
        return False

    def must_confirm(self, *, everything: bool) -> bool:
        """Whether the person is to be asked before the next step."""
        if self.plan is None or not self._unconfirmed:
            return False
        whole = everything and self.at_once and self.log is None
        return whole or self._position >= self.plan.first_write

    def goal(self, *, everything: bool) -> int:
        """How many steps the job may have done when it waits again; notes that it was asked."""
        count = len(self.plan.steps) if self.plan else 0
        goal = count if everything else min(count, self._position + 1)
        if self.plan is not None and self._unconfirmed:
            goal = min(goal, self.plan.first_write)
        self.everything = everything
        self._asked = goal
        return goal

    def stepped_back(self) -> None:
        """The last step is being undone: what comes after it is decided anew."""
        self.everything = False
        self._asked = 0
        self._undoing = True
        if self.plan is not None and self._position - 1 <= self.plan.first_write:
            self.confirmed = False

    def asking_failed(self) -> None:
        """What was asked last has not reached the job."""
        self._asked = 0
        self.everything = self.cancelling = self._undoing = False

    def keys(self) -> Sequence[Key]:
        """The keys that lead on, back or out."""
        plan = self.plan
        if plan is None or self.ended:
            return []
        if self.log is None:
            if self.at_once:
                return [("Enter", VERBS[plan.operation])]
            return [("Enter", "Begin"), ("a", "All steps")]
        hints: list[Key] = []
        if self.waits:
            hints.append(("Enter", "Go on" if self.at_once else "Next"))
        if not self.at_once:
            if not self.everything and self._asked < len(plan.steps):
                hints.append(("a", "All steps"))
            if self.last_done is not None:
                hints.append(("b", "Back"))
        if self.may_pause and not self.cancelling:
            hints.append(("p", "Go on" if self.paused else "Pause"))
        if not self.cancelling:
            hints.append(("c", "Cancel"))
        return hints
