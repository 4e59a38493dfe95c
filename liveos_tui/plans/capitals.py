"""What words in capitals stand for in the commands of a plan: what gets its name only later."""

import re

from liveos_tui.plans.model import Plan

MEANINGS = {
    "STICK": "the folder where the stick is mounted for the job",
    "IMAGE": "the folder where the stick's image is mounted, only to be read",
    "NEW": "the folder where the new image is mounted, only to be read",
    "BASE": "the loop device of the base image",
    "OVERLAY": "the loop device of the overlay",
    "VALID-HEADER": "a header for the overlay that says that it is valid, in memory",
    "HEADER": "the loop device of that header",
    "STORE": "the overlay with that header",
    "VIEW": "base image and overlay, joined to one device or file",
    "FILE-IN-RUN": "a file in memory for what is written and thrown away",
    "SCRATCH": "the loop device of that file",
    "REHEARSAL": "VIEW, with a layer on it that is thrown away",
    "TRIAL": "VIEW, with a layer on it that is thrown away",
    "COPY": "the loop device of the mirror's copy",
    "MIRROR": "the device that copies VIEW",
    "EMPTY-FOLDER": "an empty folder, the top of the new image",
    "MERGED-VIEW": "hands mksquashfs what is in VIEW (a command of this program)",
    "SCRATCH-FILE": "a file for what the system overwrites meanwhile",
    "MODE": "the permissions that the old image has there",
    "JOB": "the ID of the job",
}
"""In the order in which they are explained."""


def explained(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The words in capitals of a plan's steps, each with what it stands for."""
    words = [word for step in plan.steps for argv in step.commands for word in argv]
    text = "\n".join((*words, *(place for step in plan.steps for place in step.writes)))
    return tuple((word, meaning) for word, meaning in MEANINGS.items() if _stands_in(word, text))


def _stands_in(word: str, text: str) -> bool:
    """Whether it is a word of its own there, or begins a path; a job's name is within one."""
    begin = r"(?:\A|\s|liveos-tui-(?:jobs/)?)"
    return re.search(rf"{begin}{word}(?![\w])(?!-[A-Z])", text) is not None
