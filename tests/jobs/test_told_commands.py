"""A job tells the very programs that its plan has shown, in their order."""

from collections.abc import Callable
from pathlib import Path

import pytest
from recovering import MIB, Models, Patient, copy
from told import planned, told

from liveos_tui.jobs.events import JobState
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.merge import MergeWish
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.reset import plan_reset
from liveos_tui.practice.builder import PracticeState

pytestmark = pytest.mark.real_tools

HEALTHY, INVALID = PracticeState.HEALTHY, PracticeState.INVALID


def looked_at(stick: Patient) -> Diagnosis:
    found = recognise(stick.probes, str(stick.folder))
    with found.hold:
        return diagnose(stick.probes, found.site)


def recovered(stick: Patient, _: Path) -> Plan:
    return plan_recover(looked_at(stick), device_mapper=False)


def rehearsed(stick: Patient, _: Path) -> Plan:
    return plan_recover(looked_at(stick), rehearse=True, device_mapper=False)


def grown(stick: Patient, _: Path) -> Plan:
    return plan_grow(looked_at(stick), 4 * MIB, device_mapper=False)


def emptied(stick: Patient, _: Path) -> Plan:
    return plan_reset(looked_at(stick), device_mapper=False)


def merged(stick: Patient, _: Path) -> Plan:
    return stick.merge_plan()


def merged_with_other_options(stick: Patient, _: Path) -> Plan:
    return stick.merge_plan(MergeWish(compression="gzip", level=1))


def merged_by_the_mirror(stick: Patient, work: Path) -> Plan:
    return stick.merge_plan(MergeWish(engine=Engine.MIRROR), work)


def merged_on_another_disk(stick: Patient, work: Path) -> Plan:
    return stick.merge_plan(work=work, free=12 * MIB)


@pytest.mark.parametrize(
    ("state", "plan_of"),
    [
        (INVALID, recovered),
        (INVALID, rehearsed),
        (HEALTHY, grown),
        (HEALTHY, emptied),
        (HEALTHY, merged),
        (HEALTHY, merged_with_other_options),
        (HEALTHY, merged_by_the_mirror),
        (HEALTHY, merged_on_another_disk),
    ],
)
def test_what_is_shown_is_what_is_run(
    models: Models,
    tmp_path: Path,
    state: PracticeState,
    plan_of: Callable[[Patient, Path], Plan],
) -> None:
    stick = copy(models(state), tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    plan = plan_of(stick, work)

    end = stick.carry(plan)

    assert end.state is JobState.DONE, end
    assert told(plan, stick.events) == planned(plan)
