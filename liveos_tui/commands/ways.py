"""What can be done with a job, as it is typed."""

from liveos_tui.formats.text import shell_word
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Operation

_MEANINGS = {
    "attach": "listen",
    "pause": "stand still",
    "cancel": "end it",
    "resume": "go on",
    "rollback": "undo all of it",
    "leave": "leave it as it is",
    "forget": "give up the way back",
}


def offers(job: Job) -> list[str]:
    """What can be done with a job, as words of `liveos-tui jobs`."""
    found = []
    match job.state:
        case JobState.RUNNING:
            # Only a merge takes long enough.
            pause = ["pause"] if job.plan.operation is Operation.MERGE else []
            found = ["attach", *pause, "cancel"]
        case JobState.WAITING | JobState.PAUSED:
            found = ["attach", "resume", "cancel"]
    if job.can_resume:
        found.append("resume")
    if job.can_roll_back:
        found.append("rollback")
    if job.can_resume:
        found.append("leave")
    if job.can_be_forgotten:
        found.append("forget")
    return found


def ways(job: Job, named: str | None, *, listening: bool = False) -> list[str]:
    """What can be done with a job: what it means, and the command.

    A stick that was `named` is named again. Who is `listening` to the job is not told how.
    """
    meanings = dict(_MEANINGS)
    if job.state is JobState.ROLLED_BACK:
        meanings["forget"] = "remove what it kept"
    if job.state is JobState.WAITING:
        meanings["resume"] = "answer"
    first = [("undo the later one first", "rollback", job.undo_first)] if job.undo_first else []
    own = [
        (meanings[verb], verb, job.id)
        for verb in offers(job)
        if not (listening and verb == "attach")
    ]
    return [f"{meaning} -> {_command(verb, of, named)}" for meaning, verb, of in (*first, *own)]


def in_a_sentence(job: Job, named: str | None) -> str:
    """What can be done with a job, as "`liveos-tui jobs ...` or `...`"; "" for nothing."""
    first = [("rollback", job.undo_first)] if job.undo_first else []
    commands = (*first, *((verb, job.id) for verb in offers(job)))
    return " or ".join(f"`{_command(verb, of, named)}`" for verb, of in commands)


def _command(verb: str, job_id: str, named: str | None) -> str:
    option = "" if named is None else f" --target {shell_word(named)}"
    return f"liveos-tui jobs {verb} {job_id}{option}"
