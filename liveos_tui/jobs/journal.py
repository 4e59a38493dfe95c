"""The journal of a job: JSON lines on the stick, each on the medium before what it announces.

    {"journal": 1, "job": ID, "number": 4, "started": SECONDS, "plan": {...}}    the first line
    {"at": SECONDS, "order": "start"}                                 a worker has begun
    {"at": SECONDS, "step": 3, "state": "running"}                    before it is done, or undone
    {"at": SECONDS, "step": 6, "note": {"saved": "repair.cow"}}       within a step
    {"at": SECONDS, "step": 3, "state": "done", "text": "..."}        after it; failed, cancelled,
                                                                      undone
    {"at": SECONDS, "end": "done", "message": "..."}                  the worker has ended

A power cut may leave half a line at the end: it is not there. A journal is read as anything else
on a stick is: it may have been made to harm.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from liveos_tui.errors import FormatError, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import JobState, StepState
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import RefreshLoop, SwitchRoot
from liveos_tui.plans.codec import from_json, to_json
from liveos_tui.plans.model import Plan
from liveos_tui.system.files import Folder, NotThereError, OpenFile
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import WritableFile

JOURNAL_NAME = "journal.jsonl"
SCHEMA = 1

_LIMIT_BYTES = 1 << 20
# What is read takes a multiple of its size in memory.
_LIMIT_BYTES_TOGETHER = 8 << 20
_MOST_JOBS = 1000
_MOST_NUMBER = 1 << 53  # whole numbers of JSON
_LATEST = 1 << 33  # seconds since 1970: the year 2242
_MESSAGE_LIMIT = 1000
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

NOTHING_WRITTEN = "It has written nothing that could be undone."

Notes = dict[str, Any]
"""What a step has written down for its own undo. JSON values."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """A job as its journal tells of it. `started` is seconds since 1970.

    `done` steps are behind it, in order; `begun` is the step that was under way, None between two.
    `notes` are by step. Without the line that ends it a job is INTERRUPTED: whether its worker
    still lives, only the machine knows. `number` counts the jobs of a stick, since the clock of a
    live system may be wrong. `undo_first`: the job that has written to the stick since, and can be
    undone; "" where there is none.
    """

    job_id: str
    plan: Plan
    started: float
    state: JobState
    done: int = 0
    begun: int | None = None
    message: str = ""
    notes: dict[int, Notes] = field(default_factory=dict)
    number: int = 0
    undo_first: str = ""

    @property
    def can_resume(self) -> bool:
        """Whether there is something left to do, and it was not decided to leave it."""
        unfinished = {JobState.INTERRUPTED, JobState.FAILED, JobState.CANCELLED}
        return self.state in unfinished and self.done < len(self.plan.steps)

    @property
    def touched(self) -> bool:
        """Whether a step that writes was begun, and not undone."""
        begun = self.done if self.begun is None else self.begun + 1
        return self.plan.has_written(begun)

    @property
    def half_done(self) -> bool:
        """Whether it comes before anything new: begun, and neither ended nor undone nor left.

        A growth is whole at every moment: the file has its old size, or a larger one.
        """
        return self.can_resume and self.touched and self.plan.operation is not Operation.GROW

    @property
    def why_not_back(self) -> str:
        """Why it cannot be undone, in a sentence; "" where it can.

        An overlay in use only ever grows, and a running root that was switched stays so. What two
        jobs have written comes off in the opposite order, or the later one finds a stick that it
        does not know.
        """
        actions = [step.action for step in self.plan.steps]
        if self.state is JobState.ROLLED_BACK:
            return "It was undone already."
        if not self.touched:
            return NOTHING_WRITTEN
        if any(isinstance(action, RefreshLoop) for action in actions):
            return "An overlay that is in use only ever grows."
        if any(isinstance(action, SwitchRoot) for action in actions[: self.done]):
            return "The running system uses what it has made."
        if self.undo_first:
            return (
                f"The job {self.undo_first} has changed the stick since: undo that one first, or "
                "forget it."
            )
        return ""


def valid_id(job_id: str) -> bool:
    """Whether this can be the name of a job: it is used as the name of folders and devices."""
    return 0 < len(job_id) <= 64 and _ID_CHARACTERS.issuperset(job_id)


def folder_of(job_id: str) -> str:
    """The folder of a job on the stick. Raises FormatError for what is no id."""
    if not valid_id(job_id):
        raise FormatError(f"{clean(job_id)} is no job's name.", "`liveos-tui jobs` lists them.")
    return f"{JOBS_FOLDER}/{job_id}"


def parse(data: bytes) -> JournalState:
    """Read a journal. Raises FormatError when it is none."""
    lines = _lines(data)
    first = next(lines, None)
    if first is None or first.get("journal") != SCHEMA:
        raise FormatError("The journal is empty, or of another version.", "It was left as it is.")
    job_id, started, plan = first.get("job"), first.get("started"), first.get("plan")
    if not (isinstance(job_id, str) and valid_id(job_id) and isinstance(plan, dict)):
        raise FormatError("The journal does not say which job it is of.")
    reader = _Reader(from_json(plan))
    for line in lines:
        reader.take(line)
    return JournalState(
        job_id=job_id,
        plan=reader.plan,
        started=_moment(started),
        state=reader.end,
        done=reader.done,
        begun=reader.begun,
        message=reader.message,
        notes=reader.notes,
        number=_number(first.get("number")),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= _MOST_NUMBER else 0


def _moment(value: object) -> float:
    """Seconds since 1970 that a calendar knows; 0 for anything else."""
    if isinstance(value, int | float) and 0 <= value <= _LATEST:
        return float(value)
    return 0.0


class _Reader:
    """Follows a journal line by line."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = JobState.INTERRUPTED
        self.done = 0
        self.begun: int | None = None
        self.message = ""
        self.notes: dict[int, Notes] = {}

    @property
    def end(self) -> JobState:
        """How the job is. After its last step only the line that says so can be missing."""
        all_done = self.done == len(self.plan.steps) and self.begun is None
        if self.state is JobState.INTERRUPTED and all_done:
            return JobState.DONE
        return self.state

    def take(self, line: dict[str, Any]) -> None:
        message = line.get("message", line.get("text", ""))
        if isinstance(message, str) and message:
            self.message = clean(message, _MESSAGE_LIMIT)
        step = line.get("step")
        if isinstance(step, int) and 0 <= step < len(self.plan.steps):
            note = line.get("note")
            if isinstance(note, dict):
                self.notes.setdefault(step, {}).update(note)
            self._take_step(step, line.get("state"))
        if "order" in line:
            self.state = JobState.INTERRUPTED
        if line.get("end") in tuple(JobState):
            self.state = JobState(line["end"])

    def _take_step(self, step: int, state: object) -> None:
        match state:
            case StepState.RUNNING:
                # Also one that is about to be undone: it may be half done from here on.
                self.done, self.begun = min(self.done, step), step
            case StepState.DONE:
                self.done, self.begun = max(self.done, step + 1), None
            case StepState.UNDONE:
                self.done, self.begun = min(self.done, step), None
                self.notes.pop(step, None)


def _lines(data: bytes) -> Iterator[dict[str, Any]]:
    # The last piece is empty, or a line that a power cut has torn.
    for line in data[:_LIMIT_BYTES].split(b"\n")[:-1]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def journals(stick: Folder) -> tuple[JournalState, ...]:
    """All journals of a stick, as `glance` sees them, newest first.

    What cannot be read, or is too much, is left out.
    """
    found: list[JournalState] = []
    total = 0
    try:
        names = stick.names(JOBS_FOLDER)
    except LiveosError:
        return ()
    for name in names[:_MOST_JOBS]:
        if total > _LIMIT_BYTES_TOGETHER:
            break
        try:
            state, size = _read(stick, name, OpenFile.read_readable)
        except LiveosError:
            continue
        found.append(state)
        total += size
    found.sort(key=lambda state: (state.number, state.started), reverse=True)
    in_order: list[JournalState] = []
    undo_first = ""
    for state in found:
        could_be_undone = not state.why_not_back
        in_order.append(replace(state, undo_first=undo_first) if could_be_undone else state)
        if could_be_undone:
            undo_first = undo_first or state.job_id
    return tuple(in_order)


def read(stick: Folder, job_id: str) -> JournalState:
    """The whole journal of one job. Raises NotThereError, FormatError, UnreadableError."""
    return _read(stick, job_id, lambda file, size: file.read(0, size))[0]


def glance(stick: Folder, job_id: str) -> JournalState:
    """The journal of one job as far as it can be read. Raises NotThereError, FormatError.

    A power cut may leave a FAT where a file has a size already, and no cluster for its end: a read
    fails there until the FAT is checked. That is the first thing that a job does which goes on, and
    it reads the whole journal after it.
    """
    return _read(stick, job_id, OpenFile.read_readable)[0]


def _read(
    stick: Folder, job_id: str, content: Callable[[OpenFile, int], bytes]
) -> tuple[JournalState, int]:
    """The journal of one job, and how many bytes it has."""
    with stick.open(f"{folder_of(job_id)}/{JOURNAL_NAME}") as file:
        data = content(file, _LIMIT_BYTES)
    state = parse(data)
    if state.job_id != job_id:
        raise FormatError(
            f"The journal of {clean(job_id)} is another job's.", "It was left as it is."
        )
    return state, len(data)


class Journal:
    """Writes the journal of one job, on the stick and on another disk too. A context manager."""

    def __init__(self, *files: WritableFile) -> None:
        self._files = files
        self._end = files[0].size_bytes

    @classmethod
    def begin(
        cls,
        stick: StickFolder,
        job_id: str,
        plan: Plan,
        started: float,
        apart: StickFolder | None = None,
    ) -> "Journal":
        """Make the job's folder and journal, in `apart` as well. Raises LiveosError.

        `started`: when the job was begun, before it had anything to write down.
        """
        disks = (stick, apart) if apart is not None else (stick,)
        number = 1 + max((state.number for state in journals(stick)), default=0)
        journal = cls(*(_create(disk, job_id) for disk in disks))
        journal._append(
            {
                "journal": SCHEMA,
                "job": job_id,
                "number": number,
                "started": started,
                "plan": to_json(plan),
            }
        )
        return journal

    @classmethod
    def go_on(cls, stick: StickFolder, job_id: str, apart: StickFolder | None = None) -> "Journal":
        """Open the journal of a job that has one; a torn last line is closed.

        With `apart` the stick may have lost it: the longer one is true, since the two are written
        line by line. Raises LiveosError.
        """
        disks = (stick, apart) if apart is not None else (stick,)
        files = [_edit(disk, job_id, create=apart is not None) for disk in disks]
        _make_alike(files)
        journal = cls(*files)
        if journal._end and files[0].read(journal._end - 1, 1) != b"\n":
            journal._write(b"\n")
        return journal

    def order(self, kind: str) -> None:
        """A worker begins."""
        self._append({"at": time.time(), "order": kind})

    def step(self, step: int, state: StepState, text: str = "") -> None:
        """A step is about to run, or has ended."""
        words = {"text": text} if text else {}
        self._append({"at": time.time(), "step": step, "state": state, **words})

    def note(self, step: int, note: Notes) -> None:
        """What is needed to undo what comes next."""
        self._append({"at": time.time(), "step": step, "note": note})

    def end(self, state: JobState, message: str) -> None:
        """The worker ends."""
        self._append({"at": time.time(), "end": state, "message": message})

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *arguments: object) -> None:
        for file in self._files:
            file.__exit__(*arguments)

    def _append(self, line: dict[str, Any]) -> None:
        self._write(json.dumps(line).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        for file in self._files:
            file.write(self._end, data)
            file.sync()
        self._end += len(data)


def _create(disk: StickFolder, job_id: str) -> WritableFile:
    folder = folder_of(job_id)
    disk.make_folder(JOBS_FOLDER)
    disk.make_folder(folder)
    return disk.create(f"{folder}/{JOURNAL_NAME}")


def _edit(disk: StickFolder, job_id: str, *, create: bool) -> WritableFile:
    try:
        return disk.edit(f"{folder_of(job_id)}/{JOURNAL_NAME}")
    except NotThereError:
        if not create:
            raise
        return _create(disk, job_id)


def _make_alike(files: Sequence[WritableFile]) -> None:
    """Have each file hold what the longest one does."""
    contents = [file.read(0, min(file.size_bytes, _LIMIT_BYTES)) for file in files]
    longest = max(contents, key=len)
    for file, content in zip(files, contents, strict=True):
        if content != longest:
            file.write(0, longest)
            file.sync()


def leave(stick: StickFolder, job_id: str) -> None:
    """Note that an interrupted job is left as it is. Raises LiveosError."""
    with Journal.go_on(stick, job_id) as journal:
        journal.end(JobState.LEFT, "It was left as it is.")
