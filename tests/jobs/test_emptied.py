"""An overlay whose header is all zeros because a job has emptied it, told from one that lost it."""

from pathlib import Path

import pytest
from recovering import Models, Patient, copy

from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.model import Operation
from liveos_tui.plans.model import Plan
from liveos_tui.practice.builder import PracticeState

pytestmark = pytest.mark.real_tools


@pytest.fixture
def stick(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.NEARLY_FULL), tmp_path)


def proposed(stick: Patient, operation: Operation) -> Proposal:
    return propose(stick.probes, str(stick.folder), Wish(operation))


def reset(stick: Patient) -> Plan:
    plan = proposed(stick, Operation.RESET).plan
    assert plan is not None
    stick.carry(plan)
    return plan


def header(proposal: Proposal) -> str:
    return next(fact.text for fact in proposal.facts if fact.name == "Header")


def overwrite(stick: Patient, offset: int, data: bytes) -> None:
    with stick.store.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_one_that_a_job_has_emptied_is_well(stick: Patient) -> None:
    reset(stick)
    told = proposed(stick, Operation.RECOVER)

    assert told.nothing_to_do
    assert told.why_not.startswith("The overlay is fresh")
    assert "a merge or a reset has emptied this overlay" in header(told)
    assert "lost" not in header(told) + told.why_not + told.hint


def test_one_that_no_job_has_emptied_may_have_lost_its_header(stick: Patient) -> None:
    overwrite(stick, 0, bytes(512))
    told = proposed(stick, Operation.RECOVER)

    assert not told.nothing_to_do
    assert "its header was lost" in told.why_not


def test_one_that_was_used_since_it_was_emptied_may_have_lost_its_header(stick: Patient) -> None:
    reset(stick)
    overwrite(stick, 4096 + 16, (77).to_bytes(8, "little"))

    assert "its header was lost" in proposed(stick, Operation.RECOVER).why_not


def test_one_that_was_put_back_may_lose_its_header(stick: Patient) -> None:
    plan = reset(stick)
    stick.carry(plan, OrderKind.ROLL_BACK)
    overwrite(stick, 0, bytes(512))

    assert "its header was lost" in proposed(stick, Operation.RECOVER).why_not
