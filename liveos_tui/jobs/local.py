"""The workshop of this machine: plans what is asked, starts workers, knows what became of jobs.

What is alive is in memory (jobs.folder). What was interrupted by a power cut only the journal on
the stick knows (jobs.journal). Where both tell of a job, the journal says what can be done about
it.
"""

import secrets
import time
from collections.abc import Callable, Hashable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.control import Allow, Cancel, GoOn, Pause, StepBack
from liveos_tui.jobs.events import IS, EndEvent, JobState
from liveos_tui.jobs.folder import JobFolder, JobFolders, Run, UnknownJobError
from liveos_tui.jobs.forgetting import forget
from liveos_tui.jobs.journal import JournalState, glance, leave, read, valid_id
from liveos_tui.jobs.listing import by_id, listed
from liveos_tui.jobs.locked import locked_stick
from liveos_tui.jobs.order import Order, OrderKind
from liveos_tui.jobs.proposing import lasting_name, propose
from liveos_tui.jobs.starting import start_worker
from liveos_tui.jobs.unfinished import check_free
from liveos_tui.jobs.workshop import Feed, Job, Proposal, Wish
from liveos_tui.live.booted import is_live
from liveos_tui.live.placing import place_of
from liveos_tui.live.recognise import LIVE, absolute, recognise
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.untrusted import folders_elsewhere
from liveos_tui.system.files import Folder, NotThereError
from liveos_tui.system.probes import Probes

_KEPT_JOBS = 20


class LocalWorkshop:
    """See `jobs.workshop.Workshop`.

    `starter` starts the worker for a folder with an order, and raises LiveosError when it does not
    begin.
    """

    def __init__(
        self,
        probes: Probes | None = None,
        *,
        folders: JobFolders | None = None,
        starter: Callable[[JobFolder], None] = start_worker,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._probes = probes or Probes()
        self._folders = folders or JobFolders(self._probes)
        self._starter = starter
        self._clock = clock

    def propose(self, target: str, wish: Wish) -> Proposal:
        """See `Workshop.propose`."""
        return propose(self._probes, target, wish, self._folders)

    def start(self, plan: Plan, *, allowed: int | None = None) -> str:
        """See `Workshop.start`."""
        check_free(self._folders, plan.place)
        self._folders.prune(_KEPT_JOBS)
        now = self._clock()
        began = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        job_id = f"{plan.operation}-{began}-{secrets.token_hex(2)}"
        return self._run(Order(OrderKind.START, job_id, plan), now, allowed)

    def jobs(self, target: str | None = None, work: str | None = None) -> tuple[Job, ...]:
        """See `Workshop.jobs`."""
        return listed(self._probes, self._folders, target, work)

    def stamp(self) -> Hashable:
        """See `Workshop.stamp`."""
        return frozenset((folder.id, folder.stamp()) for folder in self._folders.all())

    def feed(self, job_id: str) -> Feed:
        """See `Workshop.feed`."""
        return self._folders.find(job_id).feed()

    def allow(self, job_id: str, steps: int) -> None:
        """See `Workshop.allow`."""
        self._folders.find(job_id).ask(Allow(steps))

    def step_back(self, job_id: str) -> None:
        """See `Workshop.step_back`."""
        self._folders.find(job_id).ask(StepBack())

    def cancel(self, job_id: str) -> None:
        """See `Workshop.cancel`."""
        self._folders.find(job_id).ask(Cancel())

    def pause(self, job_id: str) -> None:
        """See `Workshop.pause`."""
        self._folders.find(job_id).ask(Pause())

    def go_on(self, job_id: str) -> None:
        """See `Workshop.go_on`."""
        self._folders.find(job_id).ask(GoOn())

    def resume(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """See `Workshop.resume`."""
        journal, plan, work = self._found_again(job_id, target, work)
        if not journal.can_resume:
            raise _nothing(f"There is nothing to go on with: the job {job_id}", journal)
        agreed = journal.touched or plan.confirmation is Confirmation.NONE
        return self._run(
            Order(OrderKind.RESUME, job_id, plan, work),
            journal.started,
            None if agreed else plan.first_write,
        )

    def roll_back(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """See `Workshop.roll_back`."""
        journal, plan, work = self._found_again(job_id, target, work)
        if journal.why_not_back:
            raise LiveosError(
                f"The job {job_id} cannot be undone. {journal.why_not_back}",
                "Nothing was changed.",
            )
        return self._run(Order(OrderKind.ROLL_BACK, job_id, plan, work), journal.started)

    def leave(self, job_id: str, target: str | None = None) -> None:
        """See `Workshop.leave`."""
        folder = self._folder(job_id)
        with ExitStack() as held:
            if folder is not None:
                held.enter_context(folder.claimed())
            if folder is None or folder.order().plan.writes:
                named = self._target(folder, job_id, target)
                stick, _ = locked_stick(held, self._probes, named, f"leave-{job_id}")
                journal = _journal(stick, job_id)
                if not journal.can_resume:
                    raise _nothing(f"There is nothing to leave as it is: the job {job_id}", journal)
                leave(stick, job_id)
            if folder is not None:
                log = held.enter_context(folder.log())
                log.tell(EndEvent(JobState.LEFT, "It was left as it is."))

    def forget(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        """See `Workshop.forget`."""
        folder = self._folder(job_id)
        with ExitStack() as held:
            if folder is not None:
                held.enter_context(folder.claimed())
                if not _has_journal(folder.run()):
                    folder.remove()
                    return "it had written nothing to the stick."
            named = self._target(folder, job_id, target)
            stick, _ = locked_stick(held, self._probes, named, f"forget-{job_id}")
            journal = _journal(stick, job_id)
            before = _ordered(folder, journal.plan)
            said = forget(stick, journal, work, before.work if before else None)
        if folder is not None:
            folder.remove()
        return said

    def _run(self, order: Order, started: float, allowed: int | None = None) -> str:
        """Have a worker do it. `started`: when the job was begun, in its first run."""
        folder = self._folders.make(order.job_id)
        with folder.claimed():
            try:
                folder.prepare(order, started)
                if allowed is not None:
                    folder.ask_first(Allow(allowed))
                self._starter(folder)
            except LiveosError:
                # Without a worker there is no job: what the stick's journal tells still holds.
                folder.remove()
                raise
        return order.job_id

    def _folder(self, job_id: str) -> JobFolder | None:
        try:
            return self._folders.find(job_id)
        except UnknownJobError:
            if not valid_id(job_id):
                raise
            return None

    def _target(self, folder: JobFolder | None, job_id: str, target: str | None) -> str:
        """Where the stick of a job is: as named, or as the plan had it."""
        if target is not None:
            return lasting_name(target)
        if folder is None and is_live(self._probes):
            # After a boot only the journal on the stick knows it.
            return LIVE
        if folder is None:
            raise UnknownJobError(
                f"This machine has no job {job_id} in this boot.",
                "Name its stick, and the journal there is looked at (--target).",
            )
        return folder.order().plan.place.target

    def _found_again(
        self, job_id: str, target: str | None, work: str | None
    ) -> tuple[JournalState, Plan, str | None]:
        """A job by its journal, and its plan for the place where the stick is at this moment.

        And where its folder on another disk is: as named, or as it was in the run before.
        """
        work = absolute(work) if work is not None else None
        folder = self._folder(job_id)
        if folder is not None and folder.at_work():
            raise LiveosError(
                f"The job {job_id} is at work.", "Nothing was changed. Cancel it first."
            )
        named = self._target(folder, job_id, target)
        recognised = recognise(self._probes, named)
        with recognised.hold:
            site = recognised.site
            stick = self._probes.folder(site.mount_point or "/")
            journal = by_id(stick).get(job_id) or _newer_journal(job_id, stick, work)
            before = _ordered(folder, journal.plan)
            if work is None and before is not None:
                work = before.work
            elif work is None:
                _check_places(journal)
            now = place_of(self._probes, site, named)
        # After a boot a stick has another number and another name; what it is has stayed.
        place = replace(
            journal.plan.place,
            target=now.target,
            mount_point=now.mount_point,
            device=now.device,
            number=now.number,
            diskseq=now.diskseq,
            boot_id=now.boot_id,
            this_system=now.this_system,
        )
        return journal, replace(journal.plan, place=place), work


def _ordered(folder: JobFolder | None, plan: Plan) -> Order | None:
    """How these very steps were ordered in this boot: a stick may come back with others."""
    with suppress(LiveosError):
        if folder is not None and (order := folder.order()).plan.steps == plan.steps:
            return order
    return None


def _check_places(journal: JournalState) -> None:
    """Raise LiveosError for a job that only a stick knows, and that writes outside of it."""
    if folders := folders_elsewhere(journal.plan):
        raise LiveosError(
            f"As its journal says, the job {journal.job_id} works outside of the stick, too: in "
            f"{', '.join(map(clean, folders))}.",
            "Nothing was changed. A journal comes with its stick: name the folder that you mean, "
            "where it is now (`liveos-tui jobs`, --work DIR).",
        )


def _newer_journal(job_id: str, stick: Folder, work: str | None) -> JournalState:
    """What the stick tells of a job, or a folder on another disk that has its journal too.

    Raises UnknownJobError, LiveosError.
    """
    try:
        return glance(stick, job_id)
    except LiveosError as error:
        if work is not None:
            with suppress(LiveosError):
                return glance(Folder(Path(work)), job_id)
        if isinstance(error, NotThereError):
            raise _no_journal(job_id) from error
        raise


def _has_journal(run: Run) -> bool:
    """Whether a stick has a journal of a run: one that was undone has written nothing, and has."""
    order = run.order
    return order.kind is not OrderKind.START or order.plan.has_written(run.done + 1)


def _journal(stick: Folder, job_id: str) -> JournalState:
    """The whole journal of a job. Raises UnknownJobError, LiveosError."""
    try:
        return read(stick, job_id)
    except NotThereError as error:
        raise _no_journal(job_id) from error


def _nothing(words: str, journal: JournalState) -> LiveosError:
    return LiveosError(f"{words} {IS[journal.state]}.", "Nothing was changed.")


def _no_journal(job_id: str) -> UnknownJobError:
    return UnknownJobError(
        f"The stick has no journal of the job {job_id}.",
        "A job that wrote nothing to the stick has none. Nothing was changed.",
    )
