"""The jobs of this boot: a folder in memory for each, which its worker and all who listen share.

    plan.json        the order: what is to be done, for which job, since when
    worker.json      which process does it
    events.jsonl     what it tells (event_log)
    control.jsonl    what a person asks of it (control)
    worker.log       what Python itself had to say, when something went wrong
    scratch/         the worker's own files

A job that goes on or is rolled back is a new run in the same folder: order, events and requests of
the run before it are gone then; the journal on the stick has what matters of them.
"""

import fcntl
import json
import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from liveos_tui.errors import ExitCode, FormatError, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.control import Request, ask
from liveos_tui.jobs.event_log import EventFeed, EventLog, state_of
from liveos_tui.jobs.events import IS, EndEvent, JobState
from liveos_tui.jobs.journal import valid_id
from liveos_tui.jobs.order import Order, OrderKind
from liveos_tui.plans.codec import from_json, to_json
from liveos_tui.plans.ways import JOBS
from liveos_tui.system.private_folder import private_folder, remove_tree, state_folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.processes import ProcessIdentity, lives

_SCHEMA = 1
_ORDER_LIMIT_BYTES = 1 << 20

LOST = EndEvent(
    JobState.INTERRUPTED,
    "The job's worker is gone without having ended it.",
    f"What was written is in the journal on the stick. Go on, or go back {JOBS}.",
)


STANDING = frozenset({JobState.WAITING, JobState.PAUSED})
"""States of a job whose worker is there, and does nothing until the person wants it."""

ALIVE = STANDING | {JobState.RUNNING}
"""States of a job whose worker is at work."""


_CAN_CHANGE = ALIVE | {JobState.INTERRUPTED}


class UnknownJobError(LiveosError):
    """There is no such job."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Run:
    """How the last run of a job is. `done` steps are behind it, `message` says how it ended."""

    order: Order
    started: float
    state: JobState
    done: int
    message: str


class JobFolder:
    """The files of one job."""

    def __init__(self, path: Path, probes: Probes) -> None:
        self.path = path
        self.id = path.name
        self._probes = probes
        self._order = path / "plan.json"
        self._worker = path / "worker.json"
        self._events = path / "events.jsonl"
        self.control = path / "control.jsonl"
        self.worker_log = path / "worker.log"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Nobody else begins a run meanwhile. Raises LiveosError while one is alive."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if self.at_work():
                raise LiveosError(
                    f"The job {self.id} is at work already.",
                    f"`liveos-tui jobs attach {self.id}` listens to it.",
                )
            yield
        finally:
            os.close(descriptor)

    def prepare(self, order: Order, started: float) -> None:
        """Lay out a new run for a worker. Raises LiveosError."""
        for old in (self._order, self._worker, self._events, self.control, self.worker_log):
            old.unlink(missing_ok=True)
        document = {
            "schema": _SCHEMA,
            "order": order.kind.value,
            "started": started,
            "plan": to_json(order.plan),
            "work": order.work,
        }
        self._write(self._order, document)

    def order(self) -> Order:
        """What the worker is to do. Raises LiveosError."""
        return self._read_order()[0]

    def arrive(self, worker: ProcessIdentity) -> None:
        """A worker says who it is. Raises LiveosError."""
        self._write(self._worker, asdict(worker))

    @property
    def arrived(self) -> bool:
        """Whether a worker has said who it is."""
        return self._worker.exists()

    def at_work(self) -> bool:
        """Whether the last run has a worker, and that has not told the end."""
        return self.alive() and state_of(self._events)[0] in {None, *STANDING}

    def alive(self) -> bool:
        """Whether the process of the last run's worker is there."""
        match _object(self._worker):
            case {"pid": int(pid), "began": int(began), "boot_id": str(boot_id)}:
                return lives(self._probes, ProcessIdentity(pid, began, boot_id))
        return False

    def _is_beginning(self) -> bool:
        """Whether somebody starts a worker at this moment, that has not said yet who it is."""
        if self.arrived:
            return False
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def log(self) -> EventLog:
        """To tell events. Raises OSError."""
        return EventLog(self._events)

    def feed(self) -> EventFeed:
        """The events of the last run, from the first."""
        return EventFeed(self._events, self.alive, LOST)

    def ask(self, request: Request) -> None:
        """Ask something of the worker. Raises LiveosError when there is none at work."""
        if not self.at_work():
            raise LiveosError(
                f"The job {self.id} is not at work any more: it {IS[self.run().state]}.",
                "Nothing was asked of it. `liveos-tui jobs` (j in the console) says what can be "
                "done with it.",
            )
        ask(self.control, request)

    def ask_first(self, request: Request) -> None:
        """Ask something of a worker that is not there yet."""
        ask(self.control, request)

    def stamp(self) -> Hashable:
        """Another one than before when there is a new run, or it has told something."""
        return tuple(_stamp(path) for path in (self._order, self._worker, self._events))

    def run(self) -> Run:
        """How the last run is. Raises LiveosError where the folder holds none."""
        order, started = self._read_order()
        alive = self.alive()
        state, done, message = state_of(self._events)
        if not alive and state in {None, *STANDING} and not self._is_beginning():
            state, message = LOST.state, LOST.message
        return Run(order, started, state or JobState.RUNNING, done, message)

    def scratch(self) -> Path:
        """An empty folder for the worker's own files. Raises LiveosError."""
        scratch = self.path / "scratch"
        remove_tree(scratch)
        return private_folder(scratch)

    def clear_scratch(self) -> None:
        """Give the memory back that the worker's files took."""
        remove_tree(self.path / "scratch")

    def remove(self) -> None:
        """Forget the job, as far as this machine's memory goes."""
        remove_tree(self.path)

    def _read_order(self) -> tuple[Order, float]:
        match _object(self._order):
            case {
                "schema": 1,
                "order": str(kind),
                "started": int() | float() as started,
                "plan": dict(plan),
                "work": None | str() as work,
            } if kind in set(OrderKind):
                began = float(started)
                return Order(OrderKind(kind), self.id, from_json(plan), work, began), began
        raise FormatError(f"The order of job {self.id} cannot be read.", "Nothing was done.")

    def _write(self, path: Path, document: dict[str, Any]) -> None:
        # Renamed into place: whoever reads finds all of it or none.
        beside = path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(document), encoding="ascii")
            beside.replace(path)
        except OSError as error:
            raise LiveosError(
                f"{clean(str(path))} could not be written: {error.strerror}.",
                "Nothing was started. Jobs keep their state in memory: free some.",
            ) from error


class JobFolders:
    """All jobs of this user and boot. `top` is their folder; found by itself when None."""

    def __init__(self, probes: Probes, top: Path | None = None) -> None:
        self._probes = probes
        self._top = top
        self._ended: dict[str, tuple[Hashable, Run]] = {}
        """Runs that have come to their end, each with the stamp of its folder then."""

    def make(self, job_id: str) -> JobFolder:
        """The folder of a job, new or not. Raises LiveosError."""
        return JobFolder(private_folder(self._path(job_id)), self._probes)

    def run_of(self, folder: JobFolder) -> Run:
        """How the last run of a job is. Raises LiveosError.

        A log may be long, and lists are made again and again: one that has ended is read once.
        """
        stamp = folder.stamp()
        known = self._ended.get(folder.id)
        if known is not None and known[0] == stamp:
            return known[1]
        run = folder.run()
        if run.state not in _CAN_CHANGE:
            self._ended[folder.id] = stamp, run
        return run

    def find(self, job_id: str) -> JobFolder:
        """The folder of a job. Raises UnknownJobError, LiveosError."""
        path = self._path(job_id)
        if not path.is_dir():
            raise UnknownJobError(
                f"This machine has no job {job_id} in this boot.",
                "`liveos-tui jobs --target TARGET` lists those that a stick's journals tell of.",
            )
        return JobFolder(private_folder(path), self._probes)

    def all(self) -> tuple[JobFolder, ...]:
        """Every job that has a folder. Raises LiveosError."""
        names = sorted(path.name for path in self._folder().iterdir() if path.is_dir())
        return tuple(JobFolder(self._folder() / name, self._probes) for name in names)

    def prune(self, keep: int) -> None:
        """Forget all but the `keep` newest jobs that have ended."""
        ended: list[tuple[float, JobFolder]] = []
        for folder in self.all():
            with suppress(LiveosError):
                run = self.run_of(folder)
                if run.state not in _CAN_CHANGE:
                    ended.append((run.started, folder))
        for _, folder in sorted(ended, key=lambda each: each[0], reverse=True)[keep:]:
            folder.remove()

    def _folder(self) -> Path:
        return private_folder(self._top or state_folder() / "jobs")

    def _path(self, job_id: str) -> Path:
        if not valid_id(job_id):
            raise UnknownJobError(
                f"{clean(job_id)} is no job's name.", "`liveos-tui jobs` lists them."
            )
        return self._folder() / job_id


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _object(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_ORDER_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
