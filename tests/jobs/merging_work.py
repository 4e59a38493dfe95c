"""A job that stands before the step that makes the new image of a merge."""

from collections.abc import Iterator
from contextlib import contextmanager

from recovering import JOB, Patient

from liveos_tui.jobs.opening import open_stick
from liveos_tui.jobs.order import Order, OrderKind, Workplace
from liveos_tui.jobs.work import Work
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.model import Operation
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.actions import CompareImage, Compression, Engine, MakeImage, OpenStick
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.views import Joiner

IMAGE, BESIDE, MEMBER = "LiveOS/squashfs.img", "LiveOS/squashfs.alt", "LiveOS/rootfs.img"
MAKE = MakeImage(BESIDE, Engine.STREAM, MEMBER, Compression("zstd", 128 << 10, 1))
COMPARE = CompareImage(BESIDE, MEMBER)
_MAKES = 1


@contextmanager
def working(patient: Patient, joiner: Joiner | None = None) -> Iterator[Work]:
    """The stick is open and locked; joined in user space unless by another joiner."""
    found = recognise(patient.probes, str(patient.folder))
    with found.hold:
        place = diagnose(patient.probes, found.site).place
    steps = tuple(Step(action, "", "") for action in (OpenStick(), MAKE, COMPARE))
    plan = Plan(Operation.MERGE, place, "", steps, Confirmation.NONE)
    workplace = Workplace(
        patient.probes,
        joiner or UserSpaceJoiner(SystemRunner(), patient.scratch),
        patient.scratch,
        patient.control,
        patient.events.append,
    )
    with Work(Order(OrderKind.START, JOB, plan), workplace) as work:
        open_stick(work, OpenStick())
        work.step = _MAKES
        yield work
