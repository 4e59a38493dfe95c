"""The list of jobs in words and as a document: what each is, where, how far it came."""

import json
import time
from typing import Any

from liveos_tui.commands.ways import ways
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.place import Place
from liveos_tui.plans.text import wrapped

_SCHEMA = 1


def as_json(found: tuple[Job, ...]) -> str:
    """The jobs for scripts, as one document."""
    document: dict[str, Any] = {
        "schema": _SCHEMA,
        "jobs": [
            {
                "id": job.id,
                "operation": job.plan.operation,
                "title": job.plan.title,
                "target": job.plan.place.target,
                "label": job.plan.place.label,
                "uuid": job.plan.place.uuid,
                "device": job.plan.place.device,
                "state": job.state,
                "started": job.started,
                "steps_done": job.done,
                "steps": len(job.plan.steps),
                "message": job.message,
                "can_resume": job.can_resume,
                "can_roll_back": job.can_roll_back,
            }
            for job in found
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def as_text(found: tuple[Job, ...], listed: str | None, named: str | None) -> str:
    """The jobs for people; a stick that was `named` is named again where a job is to be led on."""
    if not found:
        if listed is None:
            return "This machine has no jobs.\n"
        return f"There are no jobs of {clean(listed)}: neither here nor in a journal on it.\n"
    return "".join(f"{line}\n" for job in found for line in _lines(job, named))


def _lines(job: Job, named: str | None) -> list[str]:
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.started))
    lines = [f"{job.id}  {job.state.upper()}"]
    undone = job.state is JobState.ROLLED_BACK
    how_far = "" if undone else f", {job.done} of {len(job.plan.steps)} steps done"
    lines += wrapped(f"{job.plan.title}, begun {began}{how_far}.", "  ")
    lines += wrapped(where(job.plan.place), "  ")
    lines += wrapped(job.message, "  ") if job.message else []
    lines += [f"  {way}" for way in ways(job, named)]
    return lines


def where(place: Place) -> str:
    """On which stick: two may have one name."""
    words = dict.fromkeys([place.device or "", place.target])
    uuid = f"UUID {place.uuid}" if place.uuid else ""
    return f"On {', '.join(clean(word) for word in (*words, uuid) if word)}."
