"""A job that joins with the kernel tells the very programs that its plan has shown."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "jobs"))

from recovering import JOB, Patient, build_small, copy
from told import planned, told

from liveos_tui.jobs.carry import carry_out
from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.jobs.order import Order, OrderKind, Workplace
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.model import Plan
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.kernel_views import KernelJoiner
from liveos_tui.system.probes import Probes
from liveos_tui.system.telling import TellingRunner

pytestmark = pytest.mark.usefixtures("nothing_left")


def carried(stick: Patient, plan: Plan) -> EndEvent:
    """By the kernel's device-mapper."""
    programs = TellingRunner(stick.probes.runner)
    probes = replace(stick.probes, runner=programs)
    joiner = KernelJoiner(programs)
    place = Workplace(probes, joiner, stick.scratch, stick.control, stick.events.append, programs)
    return carry_out(Order(OrderKind.START, JOB, plan), place)


@pytest.mark.parametrize(
    ("state", "wish"),
    [
        (PracticeState.INVALID, Wish(Operation.RECOVER)),
        (PracticeState.INVALID, Wish(Operation.RECOVER, rehearse=True)),
        (PracticeState.HEALTHY, Wish(Operation.MERGE)),
        (PracticeState.HEALTHY, Wish(Operation.MERGE, engine=Engine.MIRROR)),
    ],
    ids=["recover", "rehearse", "merge", "mirror"],
)
def test_what_is_shown_is_what_is_run(state: PracticeState, wish: Wish, tmp_path: Path) -> None:
    build_small(tmp_path / "model", state)
    stick = copy(tmp_path / "model", tmp_path)
    stick.probes = Probes()
    if wish.engine is Engine.MIRROR:
        (tmp_path / "work").mkdir()
        wish = replace(wish, work=str(tmp_path / "work"))
    plan = propose(stick.probes, str(stick.folder), wish).plan
    assert plan is not None

    end = carried(stick, plan)

    assert end.state is JobState.DONE, end
    assert told(plan, stick.events) == planned(plan)
    assert any(argv[0] == "dmsetup" for step in plan.steps for argv in step.commands)
