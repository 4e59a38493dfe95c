"""What is told of the image that a merge keeps beside the one that the stick boots with."""

from pathlib import Path

import pytest
from recovering import JOB, CutError, Models, Patient, copy, power_cut

from liveos_tui.commands.looking import with_jobs
from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.jobs.folder import JobFolders
from liveos_tui.jobs.forgetting import forget
from liveos_tui.jobs.journal import leave, read
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.local import LocalMachine
from liveos_tui.live.model import Finding, Operation
from liveos_tui.practice.builder import PracticeState, build
from liveos_tui.system.private_folder import remove_tree
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import StickFolder

pytestmark = pytest.mark.real_tools

BESIDE = "LiveOS/squashfs.alt"


def second_image(stick: Path) -> Finding:
    watch = LocalMachine().open(str(stick))
    try:
        findings = with_jobs(watch.sample()).findings
    finally:
        watch.close()
    return next(each for each in findings if each.code == "second-image")


def test_the_old_image_of_a_merge_is_told_as_such_with_the_job_that_lets_it_go(
    tmp_path: Path,
) -> None:
    stick = build(tmp_path / "stick", PracticeState.HEALTHY).folder
    shop = LocalWorkshop(folders=JobFolders(Probes(), tmp_path / "jobs"))
    plan = shop.propose(str(stick), Wish(Operation.MERGE)).plan
    assert plan is not None
    feed = shop.feed(job := shop.start(plan))
    events = feed.poll()
    while not events or not isinstance(events[-1], EndEvent):
        events += feed.poll()
    assert events[-1].state is JobState.DONE
    known = second_image(stick)
    remove_tree(stick / "liveos-tui-jobs")
    unknown = second_image(stick)

    assert "is the old image of a merge that is done, kept for the way back." in known.text
    assert f"`liveos-tui jobs forget {job} --target {stick}`" in known.action
    # Without the journal nobody knows which of the two it is.
    assert "or the new one until it is done" in unknown.text


class TestHalfMade:
    """The power was cut while the new image was made, and the merge was left as it is."""

    @pytest.fixture
    def stick(self, models: Models, tmp_path: Path) -> Patient:
        stick = copy(models(PracticeState.HEALTHY), tmp_path)
        with power_cut((stick.folder / BESIDE).exists), pytest.raises(CutError):
            stick.carry(stick.merge_plan())
        with StickFolder(stick.folder) as folder:
            leave(folder, JOB)
        return stick

    def test_it_is_told_as_the_new_image_with_the_way_back(self, stick: Patient) -> None:
        found = second_image(stick.folder)

        assert "the new image, as far as it was made, of a merge that was left as" in found.text
        assert f"`liveos-tui jobs rollback {JOB} --target {stick.folder}`" in found.action
        assert "forget" not in found.action

    def test_it_is_told_to_whoever_wants_to_merge_again(self, stick: Patient) -> None:
        found = propose(stick.probes, str(stick.folder), Wish(Operation.MERGE))

        assert "the new image, as far as it was made, of a merge that was left as" in found.why_not
        assert f"`liveos-tui jobs rollback {JOB} --target {stick.folder}`" in found.hint

    def test_going_back_removes_it(self, stick: Patient) -> None:
        plan = read(StickFolder(stick.folder), JOB).plan
        end = stick.carry(plan, OrderKind.ROLL_BACK)

        assert end.state is JobState.ROLLED_BACK
        assert not (stick.folder / BESIDE).exists()

    def test_it_goes_with_a_job_that_is_forgotten(self, stick: Patient) -> None:
        with StickFolder(stick.folder) as folder:
            forget(folder, read(folder, JOB))

        assert not (stick.folder / BESIDE).exists()
