"""What is told of the image that a merge keeps beside the one that the stick boots with."""

from pathlib import Path

import pytest

from liveos_tui.commands.looking import with_jobs
from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.jobs.folder import JobFolders
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.local import LocalMachine
from liveos_tui.live.model import Finding, Operation
from liveos_tui.practice.builder import PracticeState, build
from liveos_tui.system.private_folder import remove_tree
from liveos_tui.system.probes import Probes

pytestmark = pytest.mark.real_tools


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
