"""`jobs`: what is at work, what was interrupted, and what is to become of it."""

from collections.abc import Callable
from pathlib import Path

from liveos_tui.commands import job_list
from liveos_tui.commands.confirming import (
    check_can_ask,
    confirms,
    says_yes,
    types_name,
    unless_stopped,
)
from liveos_tui.commands.following import follow, held_back, listener
from liveos_tui.commands.output import NotAskedError, can_ask, say
from liveos_tui.commands.ways import in_a_sentence
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import IS, JobState
from liveos_tui.jobs.folder import ALIVE, STANDING, UnknownJobError
from liveos_tui.jobs.workshop import Job, Workshop
from liveos_tui.live.model import Operation
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.agreement import agreement
from liveos_tui.plans.model import Confirmation
from liveos_tui.plans.steps import of_job
from liveos_tui.system.probes import Probes


class UnknownPlaceError(LiveosError):
    """A folder was named that is none."""

    exit_code = ExitCode.USAGE


def jobs(
    workshop: Workshop,
    verb: str,
    job_id: str | None,
    target: str | None,
    *,
    as_json: bool,
    yes: bool = False,
    folder: str | None = None,
    own: str | None = None,
) -> int:
    """Do `verb` to a job, whose journal is on the stick `target`. Raises LiveosError.

    `folder`: where the job's folder on another disk is now, if it has one. `own`: the stick of the
    running system, whose journals are listed when no target is named.
    """
    listed = own if target is None else target
    if verb == "list":
        _list(workshop, listed, target, folder, as_json=as_json)
        return ExitCode.WELL
    if job_id is None:
        raise NotAskedError(
            f"Which job? `jobs {verb}` needs its ID.", "`liveos-tui jobs` lists them."
        )
    to = listener(as_json=as_json, named=target)
    said = ""
    match verb:
        case "attach":
            return follow(workshop, job_id, _find(workshop, job_id).plan, to)
        case "cancel":
            workshop.cancel(job_id)
            said = f"The job {job_id} was asked to end; it does where that does no harm."
        case "pause":
            workshop.pause(job_id)
            said = f"The job {job_id} was asked to stand still; `jobs resume` has it go on."
        case "leave":
            workshop.leave(job_id, target)
            said = f"The job {job_id} is left as it is, and not offered again."
        case "forget" | "rollback" | "resume":
            known = _known(workshop, job_id, listed, folder)
            _check_there(known, listed, folder)
            _CHECKS[verb](known, in_a_sentence(known, target))
            if not yes and not _agreed(known, verb, as_json=as_json):
                say(f"Nothing was {'removed' if verb == 'forget' else 'changed'}.\n")
                return ExitCode.CANCELLED
            if verb != "forget":
                answer = _answer(known, yes=yes, as_json=as_json) if verb == "resume" else None
                with held_back() as hear:
                    _begin(workshop, verb, known, target, folder)
                    plan = _find(workshop, job_id).plan
                    return follow(workshop, job_id, plan, to, agree=answer, hear=hear)
            said = f"The job {job_id} is forgotten: {workshop.forget(job_id, target, folder)}"
    if not as_json:
        say(f"{said}\n")
    return ExitCode.WELL


def _list(
    workshop: Workshop, listed: str | None, named: str | None, folder: str | None, *, as_json: bool
) -> None:
    _check_named(named, folder)
    found = workshop.jobs(listed, folder)
    if named is not None:
        found = tuple(job for job in found if job.on_target)
    say(job_list.as_json(found) if as_json else job_list.as_text(found, listed, named))


_REMOVE = (
    "With yes, what this job has left on the stick will be removed: its journal, and what it had "
    "saved."
)
_ROLL_BACK = "With yes, all that this job has written to the stick will be undone."
_FORGET = (
    "If you go on, {} this job has saved to go back will be removed, and there is no way back "
    "then. Boot the stick before, and see that it is well."
)


def _check_named(target: str | None, folder: str | None) -> None:
    """Raise LiveosError where a person has named a stick or a folder that cannot be looked at."""
    if target is not None:
        with recognise(Probes(), target).hold:
            pass
    if folder is not None and not Path(folder).is_dir():
        raise UnknownPlaceError(
            f"{clean(folder)} is not there, or is no folder.",
            "Connect that disk, and name the folder where it is now (--work DIR).",
        )


def _listed(workshop: Workshop, job_id: str, target: str | None, folder: str | None) -> Job | None:
    return next((job for job in workshop.jobs(target, folder) if job.id == job_id), None)


def _known(workshop: Workshop, job_id: str, listed: str | None, folder: str | None) -> Job:
    """The job, looked for before anything is asked. Raises UnknownJobError."""
    job = _listed(workshop, job_id, listed, folder)
    if job is not None and listed is None:
        # Its stick may have to be mounted to be looked at: there is the journal.
        return _listed(workshop, job_id, job.plan.place.target, folder) or job
    if job is not None:
        return job
    place = "" if listed is None else f", nor has {clean(listed)}"
    raise UnknownJobError(
        f"This machine has no job {clean(job_id)}{place}.",
        "Nothing was changed. `liveos-tui jobs` lists them; with `--target STICK` also those that "
        "a stick's journals tell of.",
    )


def _check_there(job: Job, listed: str | None, folder: str | None) -> None:
    """Raise LiveosError where the stick of a job is not where its journal would be read.

    With a `folder` on another disk that is read as well.
    """
    if folder is not None or job.state in ALIVE or not job.plan.writes:
        return
    try:
        _check_named(listed or job.plan.place.target, None)
    except LiveosError as error:
        raise LiveosError(
            f"The stick of the job {job.id} is not where it was. {error.message}",
            "Nothing was changed. Connect it, or name it where it is now (--target STICK).",
        ) from error


def _check_can_forget(job: Job, ways: str) -> None:
    if job.state in ALIVE or job.can_resume:
        raise LiveosError(
            f"The job {job.id} has not come to its end: it {IS[job.state]}.",
            f"Nothing was removed. First: {ways}.",
        )


def _check_can_resume(job: Job, ways: str) -> None:
    if job.state is JobState.RUNNING:
        raise _not_changed(f"The job {job.id} is at work already.", ways)
    if job.state not in STANDING and not job.can_resume:
        raise _not_changed(
            f"There is nothing to go on with: the job {job.id} {IS[job.state]}.", ways
        )


def _check_can_roll_back(job: Job, ways: str) -> None:
    if not job.can_roll_back:
        raise _not_changed(f"The job {job.id} cannot be undone. {job.why_not_back}", ways)


def _not_changed(why: str, ways: str) -> LiveosError:
    more = f" What can be done with this one: {ways}." if ways else ""
    return LiveosError(why, f"Nothing was changed.{more}")


_CHECKS = {
    "forget": _check_can_forget,
    "rollback": _check_can_roll_back,
    "resume": _check_can_resume,
}


def _agreed(job: Job, verb: str, *, as_json: bool) -> bool:
    """Whether the person wants that. Raises NotAskedError where nobody can be asked.

    What is left of a job is asked as its own command asks.
    """
    plan = job.plan
    match verb:
        case "resume" if job.state is JobState.PAUSED or plan.confirmation is Confirmation.NONE:
            return True
        case "forget" if not job.kept:
            return True
    check_can_ask(job.id, "Add --yes.", as_json=as_json)
    which = f"{plan.title}.", job_list.where(plan.place)
    match verb:
        case "resume":
            return unless_stopped(lambda: _confirms_the_rest(job))
        case "forget" if job.state is not JobState.ROLLED_BACK:
            # There is no way back from giving the way back up.
            merge = plan.operation is Operation.MERGE
            what = _FORGET.format("the old image and all that" if merge else "all that")
            return unless_stopped(lambda: types_name(plan.place.name, *which, what))
    what = _REMOVE if verb == "forget" else _ROLL_BACK
    return unless_stopped(lambda: says_yes(*which, what))


def _confirms_the_rest(job: Job) -> bool:
    """Whether the person confirms what is left of a job. Raises KeyboardInterrupt."""
    plan = job.plan
    how_far = f"{plan.title}: {job.done} of {len(plan.steps)} steps are done."
    what = of_job(f"{agreement(plan, job.done)} {plan.go_back}", job.id)
    return confirms(plan, how_far, job_list.where(plan.place), what)


def _answer(job: Job, *, yes: bool, as_json: bool) -> Callable[[], bool] | None:
    """What a job is answered that goes on, and waits then: it does before it begins to write.

    One that was paused may have been so before it was agreed to; None where nobody can be asked.
    """
    if yes or job.state is not JobState.PAUSED:
        return lambda: True
    return (lambda: _confirms_the_rest(job)) if can_ask() and not as_json else None


def _begin(workshop: Workshop, verb: str, job: Job, target: str | None, folder: str | None) -> None:
    """Have a job go back, or on: one that is paused, waits, or has ended before its last step."""
    match verb, job.state:
        case "rollback", _:
            workshop.roll_back(job.id, target, folder)
        case _, JobState.PAUSED:
            workshop.go_on(job.id)
        case _, JobState.WAITING:
            workshop.allow(job.id, len(job.plan.steps))
        case _:
            workshop.resume(job.id, target, folder)


def _find(workshop: Workshop, job_id: str) -> Job:
    for job in workshop.jobs():
        if job.id == job_id:
            return job
    # It says in its own words what is wrong with that name.
    workshop.feed(job_id).close()
    raise LiveosError(f"The job {job_id} cannot be read.", "Nothing was changed.")
