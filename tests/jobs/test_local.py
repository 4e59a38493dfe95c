"""The workshop on practice sticks: what is proposed, what becomes of jobs, who remembers them."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from samples import PLAN, wait_for

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import EndEvent, Event, JobState, WaitingEvent
from liveos_tui.jobs.folder import JobFolder, JobFolders, UnknownJobError
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.model import Plan
from liveos_tui.practice.builder import PracticeState, build
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import StickBusyError

pytestmark = pytest.mark.real_tools


@pytest.fixture(scope="module")
def sticks(tmp_path_factory: pytest.TempPathFactory) -> dict[PracticeState, Path]:
    top = tmp_path_factory.mktemp("sticks")
    states = (PracticeState.INVALID, PracticeState.HEALTHY)
    return {state: build(top / state, state).folder for state in states}


@pytest.fixture
def stick(sticks: dict[PracticeState, Path], tmp_path: Path) -> Path:
    """An Invalid stick of the test's own."""
    return Path(shutil.copytree(sticks[PracticeState.INVALID], tmp_path / "stick"))


@pytest.fixture
def shop(tmp_path: Path) -> LocalWorkshop:
    return LocalWorkshop(folders=JobFolders(Probes(), tmp_path / "jobs"))


def overlay_hash(stick: Path) -> str:
    path = next((stick / "LiveOS").glob("overlay-*"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plan_of(shop: LocalWorkshop, stick: Path, operation: Operation = Operation.RECOVER) -> Plan:
    plan = shop.propose(str(stick), Wish(operation)).plan
    assert plan is not None
    return plan


def listen(shop: LocalWorkshop, job: str, until: type[Event] = EndEvent) -> list[Event]:
    feed, events = shop.feed(job), list[Event]()

    def heard() -> bool:
        events.extend(feed.poll())
        return any(isinstance(event, until) for event in events)

    wait_for(heard, until.__name__)
    feed.close()
    return events


def end_of(shop: LocalWorkshop, job: str) -> EndEvent:
    end = listen(shop, job)[-1]
    assert isinstance(end, EndEvent)
    return end


def cancelled_job(shop: LocalWorkshop, stick: Path, steps: int = 5) -> str:
    """A job that was cancelled after so many of its steps."""
    job = shop.start(plan_of(shop, stick), allowed=steps)
    listen(shop, job, WaitingEvent)
    shop.cancel(job)
    assert end_of(shop, job).state is JobState.CANCELLED
    return job


def forgetful(tmp_path: Path) -> LocalWorkshop:
    """The machine after a reboot: nothing is left in memory."""
    shutil.rmtree(tmp_path / "jobs")
    return LocalWorkshop(folders=JobFolders(Probes(), tmp_path / "jobs"))


def test_an_ill_overlay_gets_a_plan_and_the_facts_that_it_comes_from(
    shop: LocalWorkshop, stick: Path
) -> None:
    proposal = shop.propose(str(stick), Wish(Operation.RECOVER))

    assert proposal.plan is not None
    assert any(fact.bad for fact in proposal.facts)


def test_a_healthy_overlay_needs_nothing(
    shop: LocalWorkshop, sticks: dict[PracticeState, Path]
) -> None:
    proposal = shop.propose(str(sticks[PracticeState.HEALTHY]), Wish(Operation.RECOVER))

    assert proposal.plan is None
    assert proposal.nothing_to_do
    assert proposal.facts


def test_what_cannot_be_done_says_why_and_what_was_found(shop: LocalWorkshop, stick: Path) -> None:
    proposal = shop.propose(str(stick), Wish(Operation.GROW))

    assert "recover it" in proposal.why_not
    assert not proposal.nothing_to_do
    assert proposal.facts


def test_a_target_is_remembered_by_its_whole_name(
    shop: LocalWorkshop, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stick.parent)

    assert plan_of(shop, Path("stick")).place.target == str(stick)


def test_a_recovery_is_done_and_can_be_undone_to_the_byte(shop: LocalWorkshop, stick: Path) -> None:
    before = overlay_hash(stick)
    job = shop.start(plan_of(shop, stick))
    assert end_of(shop, job).state is JobState.DONE
    assert overlay_hash(stick) != before
    assert shop.jobs()[0].can_roll_back

    assert shop.roll_back(job) == job
    assert end_of(shop, job).state is JobState.ROLLED_BACK
    assert overlay_hash(stick) == before
    assert not shop.jobs()[0].can_roll_back


def test_a_cancelled_job_goes_on(shop: LocalWorkshop, stick: Path) -> None:
    job = cancelled_job(shop, stick)
    assert shop.jobs()[0].can_resume

    assert shop.resume(job) == job
    assert end_of(shop, job).state is JobState.DONE


def test_a_job_keeps_the_time_of_its_first_start(stick: Path, tmp_path: Path) -> None:
    hours = iter([1000.0, 5000.0, 9000.0])
    shop = LocalWorkshop(folders=JobFolders(Probes(), tmp_path / "jobs"), clock=lambda: next(hours))
    job = cancelled_job(shop, stick)
    shop.resume(job)
    end_of(shop, job)

    assert shop.jobs()[0].started == 1000.0
    shop.roll_back(job)
    end_of(shop, job)
    assert shop.jobs()[0].started == 1000.0
    (found,) = forgetful(tmp_path).jobs(str(stick))
    assert found.started == 1000.0


def test_after_a_reboot_the_stick_remembers(
    shop: LocalWorkshop, stick: Path, tmp_path: Path
) -> None:
    job = cancelled_job(shop, stick)
    shop = forgetful(tmp_path)
    assert shop.jobs() == ()
    (found,) = shop.jobs(str(stick))

    assert (found.id, found.done, found.can_resume) == (job, 5, True)
    shop.resume(job, str(stick))
    assert end_of(shop, job).state is JobState.DONE


def test_a_stick_that_comes_back_elsewhere_is_known_again(
    shop: LocalWorkshop, stick: Path, tmp_path: Path
) -> None:
    before = overlay_hash(stick)
    job = cancelled_job(shop, stick)
    shop = forgetful(tmp_path)
    moved = stick.rename(tmp_path / "elsewhere")
    shop.roll_back(job, str(moved))

    assert end_of(shop, job).state is JobState.ROLLED_BACK
    assert overlay_hash(moved) == before


def test_a_job_that_is_left_is_not_offered_again(
    shop: LocalWorkshop, stick: Path, tmp_path: Path
) -> None:
    job = cancelled_job(shop, stick)
    shop.leave(job)

    assert shop.jobs()[0].state is JobState.LEFT
    assert not shop.jobs()[0].can_resume
    (found,) = forgetful(tmp_path).jobs(str(stick))
    assert found.state is JobState.LEFT


def test_a_job_of_before_a_reboot_can_be_left(
    shop: LocalWorkshop, stick: Path, tmp_path: Path
) -> None:
    job = cancelled_job(shop, stick)
    shop = forgetful(tmp_path)
    shop.leave(job, str(stick))

    assert shop.jobs(str(stick))[0].state is JobState.LEFT


def grown(shop: LocalWorkshop, stick: Path) -> str:
    job = shop.start(plan_of(shop, stick, Operation.GROW))
    assert end_of(shop, job).state is JobState.DONE
    return job


def test_of_two_jobs_the_later_one_is_undone_first(
    shop: LocalWorkshop, sticks: dict[PracticeState, Path], tmp_path: Path
) -> None:
    stick = Path(shutil.copytree(sticks[PracticeState.HEALTHY], tmp_path / "stick"))
    before = overlay_hash(stick)
    first, second = grown(shop, stick), grown(shop, stick)
    told = {job.id: job.why_not_back for job in shop.jobs(str(stick))}
    with pytest.raises(LiveosError, match=f"{second} has changed the stick since: undo that one"):
        shop.roll_back(first)

    assert second in told[first]
    assert told[second] == ""
    for job in (second, first):
        shop.roll_back(job)
        assert end_of(shop, job).state is JobState.ROLLED_BACK
    assert overlay_hash(stick) == before


def test_a_later_job_that_is_forgotten_is_not_in_the_way(
    shop: LocalWorkshop, sticks: dict[PracticeState, Path], tmp_path: Path
) -> None:
    stick = Path(shutil.copytree(sticks[PracticeState.HEALTHY], tmp_path / "stick"))
    first, second = grown(shop, stick), grown(shop, stick)
    shop.forget(second)

    assert [(job.id, job.can_roll_back) for job in shop.jobs(str(stick))] == [(first, True)]


def test_a_job_that_has_written_nothing_is_forgotten_without_its_stick(
    shop: LocalWorkshop, stick: Path
) -> None:
    job = cancelled_job(shop, stick, steps=1)
    stick.rename(stick.with_name("elsewhere"))

    assert shop.forget(job) == "it had written nothing to the stick."
    assert shop.jobs() == ()


def test_a_job_at_work_is_neither_gone_on_with_nor_left(shop: LocalWorkshop, stick: Path) -> None:
    job = shop.start(plan_of(shop, stick), allowed=1)
    listen(shop, job, WaitingEvent)
    for ask in (shop.resume, shop.roll_back, shop.leave):
        with pytest.raises(LiveosError, match="at work"):
            ask(job)
    shop.cancel(job)
    end_of(shop, job)


def test_a_waiting_job_goes_back_a_step_and_on(shop: LocalWorkshop, stick: Path) -> None:
    before = overlay_hash(stick)
    job = shop.start(plan_of(shop, stick), allowed=5)
    listen(shop, job, WaitingEvent)
    assert overlay_hash(stick) != before
    shop.allow(job, 3)
    for _ in range(2):
        shop.step_back(job)
    wait_for(lambda: shop.jobs()[0].done == 3, "two steps back")
    wait_for(lambda: overlay_hash(stick) == before, "the bytes of before")
    shop.allow(job, 99)

    assert end_of(shop, job).state is JobState.DONE


def test_a_job_that_has_gone_back_before_its_first_write_waits_there_when_it_goes_on(
    shop: LocalWorkshop, stick: Path
) -> None:
    before = overlay_hash(stick)
    plan = plan_of(shop, stick)
    job = shop.start(plan, allowed=plan.first_write + 1)
    listen(shop, job, WaitingEvent)
    shop.step_back(job)
    wait_for(lambda: shop.jobs()[0].done == plan.first_write, "a step back")
    shop.cancel(job)
    end_of(shop, job)
    shop.resume(job)
    listen(shop, job, WaitingEvent)

    (known,) = shop.jobs()
    assert (known.state, known.done) == (JobState.WAITING, plan.first_write)
    assert overlay_hash(stick) == before
    shop.cancel(job)
    end_of(shop, job)


def test_a_job_that_waits_does_so_again_after_a_pause(shop: LocalWorkshop, stick: Path) -> None:
    plan = plan_of(shop, stick)
    job = shop.start(plan, allowed=plan.first_write)
    listen(shop, job, WaitingEvent)
    shop.pause(job)
    wait_for(lambda: shop.jobs()[0].state is JobState.PAUSED, "it stands still")
    shop.go_on(job)
    wait_for(lambda: shop.jobs()[0].state is JobState.WAITING, "it waits")
    shop.cancel(job)
    end_of(shop, job)


def test_what_a_job_that_was_undone_has_kept_is_removed_with_it(
    shop: LocalWorkshop, stick: Path
) -> None:
    job = cancelled_job(shop, stick)
    shop.roll_back(job)
    end_of(shop, job)
    assert shop.jobs()[0].can_be_forgotten
    shop.forget(job)

    assert shop.jobs(str(stick)) == ()
    assert not (stick / "liveos-tui-jobs" / job).exists()


def test_only_what_could_go_on_can_be_left(shop: LocalWorkshop, stick: Path) -> None:
    job = cancelled_job(shop, stick)
    shop.roll_back(job)
    end_of(shop, job)

    with pytest.raises(LiveosError, match="nothing to leave as it is"):
        shop.leave(job)
    assert shop.jobs()[0].state is JobState.ROLLED_BACK


def test_a_finished_job_cannot_be_gone_on_with(shop: LocalWorkshop, stick: Path) -> None:
    job = shop.start(plan_of(shop, stick))
    end_of(shop, job)

    with pytest.raises(LiveosError, match="nothing to go on with"):
        shop.resume(job)


def test_a_rehearsal_leaves_no_trace_on_the_stick(shop: LocalWorkshop, stick: Path) -> None:
    before = sorted(path.name for path in stick.rglob("*")), overlay_hash(stick)
    plan = shop.propose(str(stick), Wish(Operation.RECOVER, rehearse=True)).plan
    assert plan is not None
    job = shop.start(plan)
    assert end_of(shop, job).state is JobState.DONE

    assert (sorted(path.name for path in stick.rglob("*")), overlay_hash(stick)) == before
    with pytest.raises(UnknownJobError, match="no journal"):
        shop.roll_back(job)


def test_a_job_that_nobody_knows_is_one_sentence(shop: LocalWorkshop, stick: Path) -> None:
    with pytest.raises(UnknownJobError, match="no job recover-1 in this boot"):
        shop.resume("recover-1")
    with pytest.raises(UnknownJobError, match="no journal of the job recover-1"):
        shop.resume("recover-1", str(stick))
    with pytest.raises(UnknownJobError, match="is no job's name"):
        shop.leave("../../etc", str(stick))


def test_a_stick_that_is_gone_does_not_hide_the_jobs(shop: LocalWorkshop, stick: Path) -> None:
    job = cancelled_job(shop, stick)
    shutil.rmtree(stick)

    for target in (None, str(stick)):
        (found,) = shop.jobs(target)
        assert (found.id, found.state) == (job, JobState.CANCELLED)
        assert not found.can_resume


def test_a_journal_that_comes_with_a_stick_chooses_no_folder_of_this_machine(
    shop: LocalWorkshop, sticks: dict[PracticeState, Path], tmp_path: Path
) -> None:
    stick, work = tmp_path / "healthy", tmp_path / "work"
    shutil.copytree(sticks[PracticeState.HEALTHY], stick)
    work.mkdir()
    wish = Wish(Operation.MERGE, engine=Engine.MIRROR, work=str(work))
    plan = shop.propose(str(stick), wish).plan
    assert plan is not None
    job = shop.start(plan, allowed=4)
    listen(shop, job, WaitingEvent)
    shop.cancel(job)
    end_of(shop, job)

    after_a_boot = LocalWorkshop(folders=JobFolders(Probes(), tmp_path / "another boot"))
    with pytest.raises(LiveosError, match="works outside of the stick, too"):
        after_a_boot.resume(job, str(stick))
    after_a_boot.roll_back(job, str(stick), str(work))
    assert end_of(after_a_boot, job).state is JobState.ROLLED_BACK


def test_the_jobs_of_a_stick_are_told_from_those_of_another(
    shop: LocalWorkshop, stick: Path, sticks: dict[PracticeState, Path]
) -> None:
    job = cancelled_job(shop, stick)

    assert [(found.id, found.on_target) for found in shop.jobs(str(stick))] == [(job, True)]
    healthy = str(sticks[PracticeState.HEALTHY])
    assert [(found.id, found.on_target) for found in shop.jobs(healthy)] == [(job, False)]


def test_a_stick_whose_folder_has_moved_still_has_its_jobs(
    shop: LocalWorkshop, stick: Path
) -> None:
    job = cancelled_job(shop, stick)
    moved = stick.rename(stick.with_name("moved"))

    assert [(found.id, found.on_target) for found in shop.jobs(str(moved))] == [(job, True)]


def test_a_stick_that_is_worked_on_is_refused_with_the_name_of_that_job(
    shop: LocalWorkshop, stick: Path
) -> None:
    plan = plan_of(shop, stick)
    job = shop.start(plan, allowed=1)
    listen(shop, job, WaitingEvent)

    with pytest.raises(StickBusyError) as refusal:
        shop.start(plan)
    assert "Recover the overlay of PRACTICE, 1 of 9 steps" in refusal.value.message
    assert job in refusal.value.message
    assert [found.id for found in shop.jobs()] == [job]
    shop.cancel(job)
    end_of(shop, job)


def test_the_stamp_is_another_one_when_a_job_has_told_something(
    shop: LocalWorkshop, stick: Path
) -> None:
    stamps = [shop.stamp()]
    job = shop.start(plan_of(shop, stick), allowed=1)
    listen(shop, job, WaitingEvent)
    stamps.append(shop.stamp())
    shop.cancel(job)
    end_of(shop, job)
    stamps.append(shop.stamp())

    assert len(set(stamps)) == 3
    assert shop.stamp() == stamps[-1]


def test_hostile_journals_are_passed_over(shop: LocalWorkshop, stick: Path) -> None:
    jobs = stick / JOBS_FOLDER
    for name, content in (("a", b"[" * 100_000), ("b", b"\xff" * 100), ("c", b'{"journal":1}\n')):
        (jobs / name).mkdir(parents=True)
        (jobs / name / "journal.jsonl").write_bytes(content)
    (jobs / "link").symlink_to("/etc")

    assert shop.jobs(str(stick)) == ()


def test_a_spoilt_folder_in_memory_does_not_hide_the_others(
    shop: LocalWorkshop, tmp_path: Path
) -> None:
    folders = JobFolders(Probes(), tmp_path / "jobs")
    (folders.make("grow-1").path / "plan.json").write_bytes(b"\xff")
    started: list[JobFolder] = []
    shop = LocalWorkshop(folders=folders, starter=started.append)
    job = shop.start(replace(PLAN, place=replace(PLAN.place, mount_point=None)))

    assert [found.id for found in shop.jobs()] == [job]
