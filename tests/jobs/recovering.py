"""Small practice sticks that are ill, and a workplace to recover them in."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from liveos_tui.jobs.carry import carry_out
from liveos_tui.jobs.events import EndEvent, Event, StepEvent, StepState
from liveos_tui.jobs.order import Order, OrderKind, Wanted, Workplace
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.merging import look_at_merge
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.merge import MergeWish, plan_merge
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.practice import builder
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState, build
from liveos_tui.practice.files import BlockFile
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import WritableFile

JOB = "20261124-070000-recover"
MIB = 1 << 20

Models = Callable[[PracticeState], Path]
"""Where a small stick in this state lies, to be copied."""


def build_small(folder: Path, state: PracticeState) -> None:
    """A practice stick with a small root file system: it is recovered in half a second."""
    sizes = builder.ROOT_BYTES, builder.OVERLAY_BYTES
    builder.ROOT_BYTES, builder.OVERLAY_BYTES = 40 * MIB, 10 * MIB
    try:
        build(folder, state)
    finally:
        builder.ROOT_BYTES, builder.OVERLAY_BYTES = sizes


@dataclass
class FakeControl:
    """Answers as a test tells it."""

    steps: int | None = None
    cancel: Callable[[], bool] = lambda: False
    pause: Callable[[], bool] = lambda: False
    backs: int = 0
    waited: int = 0
    on_wait: Callable[["FakeControl"], None] = lambda _: None

    def allowed(self) -> int | None:
        return self.steps

    def wanted(self) -> Wanted:
        if self.cancel():
            return Wanted.END
        return Wanted.STAND_STILL if self.pause() else Wanted.GO_ON

    def take_back(self) -> bool:
        self.backs -= 1
        return self.backs >= 0

    def wait(self, seconds: float) -> None:
        self.waited += 1
        self.on_wait(self)


@dataclass
class Patient:
    """A copy of an ill stick, and all that was told of its job."""

    folder: Path
    scratch: Path
    control: FakeControl = field(default_factory=FakeControl)
    events: list[Event] = field(default_factory=list)
    probes: Probes = field(default_factory=lambda: Probes(privileged=False))

    @property
    def store(self) -> Path:
        return self.folder / "LiveOS" / OVERLAY_NAME

    def plan(
        self, *, rehearse: bool = False, repair: bool = False, grow_bytes: int | None = None
    ) -> Plan:
        found = recognise(self.probes, str(self.folder))
        with found.hold:
            diagnosis = diagnose(self.probes, found.site)
        return plan_recover(
            diagnosis,
            rehearse=rehearse,
            repair=repair,
            grow_bytes=grow_bytes,
            to_bytes=None,
            copies=(),
        )

    def merge_plan(
        self, wish: MergeWish | None = None, work: Path | None = None, free: int | None = None
    ) -> Plan:
        """`free`: the stick has that many bytes left, and `work` is on another disk."""
        found = recognise(self.probes, str(self.folder))
        with found.hold:
            diagnosis = diagnose(self.probes, found.site)
            facts = look_at_merge(self.probes, found.site, str(work) if work else None)
        if free is not None:
            diagnosis, facts = replace(diagnosis, free_bytes=free), replace(facts, number="")
        return plan_merge(diagnosis, facts, wish, device_mapper=False)

    def carry(
        self, plan: Plan, kind: OrderKind = OrderKind.START, work: Path | None = None
    ) -> EndEvent:
        workplace = Workplace(
            self.probes,
            UserSpaceJoiner(SystemRunner(), self.scratch),
            self.scratch,
            self.control,
            self.events.append,
        )
        return carry_out(Order(kind, JOB, plan, str(work) if work else None), workplace)

    def done(self) -> list[int]:
        """The steps that were told as done, in order."""
        return [
            event.step
            for event in self.events
            if isinstance(event, StepEvent) and event.state is StepState.DONE
        ]


def copy(model: Path, folder: Path) -> Patient:
    """A patient that is a copy of a stick."""
    shutil.copytree(model, folder / "stick")
    scratch = folder / "scratch"
    scratch.mkdir()
    return Patient(folder / "stick", scratch)


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def step_of(plan: Plan, action: type) -> int:
    return next(n for n, step in enumerate(plan.steps) if isinstance(step.action, action))


class CutError(BaseException):
    """The power is gone: nothing more is written, and no handler for errors hears of it."""


@contextmanager
def power_cut(after: int | Callable[[], bool]) -> Iterator[list[str]]:
    """Let `after` writes to the stick happen, or those up to this; names of those that did."""
    done: list[str] = []
    is_gone = after if callable(after) else lambda: len(done) >= after

    def counted(kind: type, name: str) -> object:
        original = getattr(kind, name)

        def call(self: object, *arguments: object) -> object:
            if is_gone():
                raise CutError
            done.append(name)
            return original(self, *arguments)

        return patch.object(kind, name, call)

    with (
        counted(WritableFile, "write"),  # type: ignore[attr-defined]
        counted(WritableFile, "truncate"),  # type: ignore[attr-defined]
        counted(StickFolder, "create"),  # type: ignore[attr-defined]
        counted(StickFolder, "remove"),  # type: ignore[attr-defined]
        counted(StickFolder, "exchange"),  # type: ignore[attr-defined]
        counted(StickFolder, "move"),  # type: ignore[attr-defined]
        counted(BlockFile, "write"),  # type: ignore[attr-defined]
    ):
        yield done
