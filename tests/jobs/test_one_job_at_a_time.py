"""While a job lives on a stick, nothing else begins there, and what is told names that job."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import wait_for

from liveos_tui.commands.looking import practice, status
from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
from liveos_tui.practice.builder import PracticeState, build
from liveos_tui.system.stick_writing import StickBusyError

pytestmark = pytest.mark.real_tools

AFTER_THE_GROWTH = 4


@pytest.fixture
def shop() -> LocalWorkshop:
    return LocalWorkshop()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return build(tmp_path / "stick", PracticeState.INVALID).folder


@pytest.fixture
def job(shop: LocalWorkshop, stick: Path) -> Iterator[str]:
    """A recovery that waits, half done."""
    plan = shop.propose(str(stick), Wish(Operation.RECOVER)).plan
    assert plan is not None
    job = shop.start(plan, allowed=AFTER_THE_GROWTH)
    wait_for(lambda: state_of(shop, job) is JobState.WAITING, "the job")
    yield job
    if state_of(shop, job) is JobState.WAITING:
        shop.cancel(job)
        feed = shop.feed(job)
        wait_for(lambda: any(isinstance(each, EndEvent) for each in feed.poll()), "its end")


def state_of(shop: LocalWorkshop, job: str) -> JobState:
    return next(found.state for found in shop.jobs() if found.id == job)


def test_a_practice_stick_is_not_built_anew(stick: Path, job: str) -> None:
    image = (stick / "LiveOS" / "squashfs.img").stat().st_ino
    with pytest.raises(StickBusyError, match=job):
        practice(stick, "fresh", stay=True)

    assert (stick / "LiveOS" / "squashfs.img").stat().st_ino == image


def test_a_practice_stick_by_another_name_is_not_built_anew(stick: Path, job: str) -> None:
    """The lock holds where the job is not known by this name."""
    link = stick.with_name("link")
    link.symlink_to(stick)
    with pytest.raises(StickBusyError, match="Another job works on this stick"):
        practice(link, "fresh", stay=True)


def test_what_could_be_done_is_refused_with_what_can_be_asked_of_the_job(
    shop: LocalWorkshop, stick: Path, job: str
) -> None:
    found = shop.propose(str(stick), Wish(Operation.RECOVER))

    assert "works on this stick, and waits for an answer" in found.why_not
    assert f"`liveos-tui jobs resume {job}`" in found.hint
    assert "leave it as it is" not in found.hint


def test_the_status_offers_nothing_that_the_job_is_in_the_way_of(
    stick: Path, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status(str(stick), as_json=False)
    told = capsys.readouterr().out

    assert f"`liveos-tui jobs resume {job}`" in told
    assert "-> The job comes first. Keep the stick as it is" in told
    assert "$ liveos-tui" not in told


def test_of_a_job_that_has_no_worker_the_ways_are_told(
    shop: LocalWorkshop, stick: Path, job: str
) -> None:
    shop.cancel(job)
    wait_for(lambda: state_of(shop, job) is JobState.CANCELLED, "its end")
    found = shop.propose(str(stick), Wish(Operation.RECOVER))

    assert "was not ended" in found.why_not
    assert "leave it as it is" in found.hint
