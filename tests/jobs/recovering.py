"""Small practice sticks that are ill, and a workplace to recover them in."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from liveos_tui.jobs.carry import carry_out
from liveos_tui.jobs.events import EndEvent, Event, StepEvent, StepState
from liveos_tui.jobs.order import Order, OrderKind, Workplace
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.practice import builder
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState, build
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import SystemRunner

JOB = "20261124-070000-recover"
MIB = 1 << 20


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
    backs: int = 0
    waited: int = 0
    on_wait: Callable[["FakeControl"], None] = lambda _: None

    def allowed(self) -> int | None:
        return self.steps

    def cancelled(self) -> bool:
        return self.cancel()

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

    def plan(self, *, rehearse: bool = False, grow_bytes: int | None = None) -> Plan:
        found = recognise(self.probes, str(self.folder))
        with found.hold:
            diagnosis = diagnose(self.probes, found.site)
        return plan_recover(
            diagnosis, rehearse=rehearse, grow_bytes=grow_bytes, to_bytes=None, copies=()
        )

    def carry(self, plan: Plan, kind: OrderKind = OrderKind.START) -> EndEvent:
        workplace = Workplace(
            self.probes,
            UserSpaceJoiner(SystemRunner(), self.scratch),
            self.scratch,
            self.control,
            self.events.append,
        )
        return carry_out(Order(kind, JOB, plan), workplace)

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
