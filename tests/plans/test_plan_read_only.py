"""A folder on a file system that is mounted read-only: told before the question, and left so."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from diagnoses import diagnosis

from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import PlanRefusedError
from liveos_tui.plans.reset import plan_reset

FOLDER = replace(diagnosis(Illness.FULL), read_only_mount="/mnt/my backups", stick_writable=False)


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (plan_recover, FOLDER),
        (plan_reset, FOLDER),
        (plan_grow, replace(FOLDER, illness=Illness.NONE)),
    ],
    ids=["recover", "reset", "grow"],
)
def test_nothing_is_planned_that_writes(
    plan: Callable[[Diagnosis], Plan], found: Diagnosis
) -> None:
    with pytest.raises(PlanRefusedError, match="on /mnt/my backups, which is mounted") as caught:
        plan(found)
    assert "`mount -o remount,rw '/mnt/my backups'`" in caught.value.hint


def test_what_only_looks_is_planned() -> None:
    plan = plan_recover(FOLDER, rehearse=True)

    assert not plan.has_written(len(plan.steps))


def test_a_sticks_own_mount_is_made_writable() -> None:
    opening = plan_reset(replace(FOLDER, read_only_mount=None)).steps[0]

    assert opening.commands == (("mount", "-o", "remount,rw", "/run/media/me/STICK2"),)
