"""The list of jobs: of what this machine has in memory, and of the journals on sticks."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.folder import ALIVE, JobFolders, Run
from liveos_tui.jobs.journal import NOTHING_WRITTEN, JournalState, journals
from liveos_tui.jobs.proposing import lasting_name
from liveos_tui.jobs.workshop import NO_JOURNAL, Job
from liveos_tui.live.place import Place
from liveos_tui.live.placing import place_of
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.model import Plan
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes

_NOT_KEPT = "The stick has nothing of it."


def listed(
    probes: Probes, folders: JobFolders, target: str | None, work: str | None
) -> tuple[Job, ...]:
    """See `jobs.workshop.Workshop.jobs`."""
    found: dict[str, Job] = {}
    known = by_id(Folder(Path(work))) if work else {}
    place, of_target = _journals(probes, target) if target is not None else (None, {})
    known |= of_target
    of_sticks: dict[str, dict[str, JournalState]] = {}

    def is_looked_at(plan: Plan) -> bool:
        return place is not None and plan.place.is_same_stick(place)

    for folder in folders.all():
        with suppress(LiveosError):
            run = folders.run_of(folder)
            journal = known.get(folder.id)
            if journal is None and (stick := _stick_of(run)) is not None:
                # Without mounting anything, and once for all jobs of a stick.
                if stick not in of_sticks:
                    of_sticks[stick] = by_id(probes.folder(stick))
                journal = of_sticks[stick].get(folder.id)
            no_journal = _NOT_KEPT if is_looked_at(run.order.plan) else NO_JOURNAL
            found[folder.id] = _job_of_run(folder.id, run, journal, no_journal)
    for job_id, journal in known.items():
        found.setdefault(job_id, job_of_journal(journal))
    jobs = (
        replace(job, on_target=job.id in of_target or is_looked_at(job.plan))
        for job in found.values()
    )
    return tuple(sorted(jobs, key=lambda job: job.started, reverse=True))


def _journals(probes: Probes, target: str) -> tuple[Place | None, dict[str, JournalState]]:
    """Which stick that is, and what its journals tell; nothing where it cannot be looked at."""
    place: Place | None = None
    found: dict[str, JournalState] = {}
    with suppress(LiveosError):
        recognised = recognise(probes, target)
        with recognised.hold:
            site = recognised.site
            if site.mount_point is not None:
                found = by_id(probes.folder(site.mount_point))
            place = place_of(probes, site, lasting_name(target))
    return place, found


def by_id(disk: Folder) -> dict[str, JournalState]:
    """The journals of a stick, or of a folder on another disk, newest first."""
    return {journal.job_id: journal for journal in journals(disk)}


def _stick_of(run: Run) -> str | None:
    """Where the journal of a job of this boot is, if it has come to its end and can have one."""
    plan = run.order.plan
    return plan.place.mount_point if run.state not in ALIVE and plan.writes else None


def job_of_journal(journal: JournalState) -> Job:
    """A job of which only its stick tells."""
    return Job(
        journal.job_id,
        journal.plan,
        journal.state,
        journal.started,
        journal.done,
        journal.message,
        journal.can_resume,
        journal.why_not_back,
        kept=True,
        touched=journal.touched,
        undo_first=journal.undo_first,
    )


def _job_of_run(job_id: str, run: Run, journal: JournalState | None, no_journal: str) -> Job:
    """A job that this machine knows; `no_journal` says why it cannot be undone without one."""
    if run.state in ALIVE or journal is None:
        plan, done = run.order.plan, run.done
        if run.state in ALIVE:
            why_not = "It is still at work: cancel it first."
        else:
            why_not = no_journal if plan.has_written(done + 1) else NOTHING_WRITTEN
        return Job(job_id, plan, run.state, run.started, done, run.message, why_not_back=why_not)
    known = job_of_journal(journal)
    if run.state is JobState.INTERRUPTED or journal.state is JobState.LEFT:
        return known
    # The end is told in memory first; a stick that was pulled out has not been told it.
    return replace(known, state=run.state, message=run.message)
