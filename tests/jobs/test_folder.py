"""A job's folder in memory: order, worker, events, requests; nobody else's hands in it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import PLAN

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.control import Cancel, FileControl
from liveos_tui.jobs.events import EndEvent, JobState, StepEvent, StepState
from liveos_tui.jobs.folder import JobFolder, JobFolders, UnknownJobError
from liveos_tui.jobs.order import Order, OrderKind, Wanted
from liveos_tui.system.private_folder import private_folder, remove_tree
from liveos_tui.system.probes import Probes
from liveos_tui.system.processes import lives, own_process, process

ORDER = Order(OrderKind.START, "grow-1", PLAN)


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    return JobFolders(Probes(), tmp_path / "jobs")


@pytest.fixture
def folder(folders: JobFolders) -> JobFolder:
    made = folders.make("grow-1")
    made.prepare(ORDER, 1_700_000_000.0)
    return made


def test_the_order_comes_back(folder: JobFolder) -> None:
    assert folder.order() == replace(ORDER, started=1_700_000_000.0)


def test_the_folder_is_its_users_alone(folder: JobFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_worker_that_has_not_arrived_is_not_alive(folder: JobFolder) -> None:
    assert not folder.arrived
    assert not folder.alive()


def test_a_worker_that_has_arrived_is_alive(folder: JobFolder) -> None:
    folder.arrive(own_process(Probes()))

    assert folder.arrived
    assert folder.alive()


def test_a_number_that_was_given_again_is_not_the_worker(folder: JobFolder) -> None:
    own = own_process(Probes())
    folder.arrive(replace(own, began=own.began + 1))

    assert not folder.alive()


def test_a_worker_of_another_boot_is_not_alive(folder: JobFolder) -> None:
    folder.arrive(replace(own_process(Probes()), boot_id="another"))

    assert not folder.alive()


def test_a_process_that_has_ended_is_not_alive_while_its_parent_has_not_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    stat = "7 (a name) with) brackets) S " + " ".join(["0"] * 18) + " 4711 0 0\n"
    (tmp_path / "proc" / "7" / "stat").write_text(stat)
    machine = Probes(root=tmp_path)
    living = process(machine, 7)
    assert living is not None
    assert living.began == 4711

    (tmp_path / "proc" / "7" / "stat").write_text(stat.replace(" S ", " Z "))
    assert not lives(machine, living)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"pid": "1", "began": 0, "boot_id": ""}', "[" * 100_000]
)
def test_a_spoilt_worker_file_is_no_worker(folder: JobFolder, text: str) -> None:
    (folder.path / "worker.json").write_text(text)

    assert not folder.alive()


@pytest.mark.parametrize("text", ["", "null", '{"schema": 1}', '{"schema": 2, "order": "start"}'])
def test_a_spoilt_order_is_one_sentence(folder: JobFolder, text: str) -> None:
    (folder.path / "plan.json").write_text(text)

    with pytest.raises(LiveosError, match="cannot be read"):
        folder.order()


def test_an_order_of_another_kind_is_refused(folder: JobFolder) -> None:
    path = folder.path / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"order": "erase"}))

    with pytest.raises(LiveosError, match="cannot be read"):
        folder.order()


def test_a_job_without_a_worker_and_without_an_end_is_interrupted(folder: JobFolder) -> None:
    with folder.log() as log:
        log.tell(StepEvent(0, StepState.DONE))
    run = folder.run()

    assert run.state is JobState.INTERRUPTED
    assert run.done == 1
    assert run.started == 1_700_000_000.0


def test_a_job_whose_worker_is_just_being_started_is_not_interrupted(folders: JobFolders) -> None:
    folder = folders.make("grow-1")
    with folder.claimed():
        folder.prepare(ORDER, 1_700_000_000.0)

        assert folder.run().state is JobState.RUNNING
    assert folder.run().state is JobState.INTERRUPTED


def test_a_job_at_work_is_running(folder: JobFolder) -> None:
    folder.arrive(own_process(Probes()))

    assert folder.run().state is JobState.RUNNING


def test_a_job_that_has_ended_says_how(folder: JobFolder) -> None:
    with folder.log() as log:
        log.tell(EndEvent(JobState.FAILED, "The stick is full."))

    assert (folder.run().state, folder.run().message) == (JobState.FAILED, "The stick is full.")


def test_only_a_job_at_work_can_be_asked(folder: JobFolder) -> None:
    with pytest.raises(LiveosError, match="not at work"):
        folder.ask(Cancel())

    folder.arrive(own_process(Probes()))
    folder.ask(Cancel())
    assert FileControl(folder.control).wanted() is Wanted.END


def test_a_new_run_begins_with_nothing_told_and_nothing_asked(folder: JobFolder) -> None:
    with folder.log() as log:
        log.tell(EndEvent(JobState.CANCELLED, "Cancelled."))
    folder.ask_first(Cancel())
    folder.prepare(replace(ORDER, kind=OrderKind.RESUME), 1.0)

    assert folder.run().state is JobState.INTERRUPTED
    assert FileControl(folder.control).wanted() is Wanted.GO_ON
    assert not folder.arrived


def test_who_listens_to_the_old_run_hears_its_end(folder: JobFolder) -> None:
    end = EndEvent(JobState.CANCELLED, "Cancelled.")
    with folder.log() as log:
        log.tell(StepEvent(0, StepState.RUNNING))
        folder.arrive(own_process(Probes()))
        feed = folder.feed()
        assert feed.poll() == [StepEvent(0, StepState.RUNNING)]
        folder.prepare(replace(ORDER, kind=OrderKind.RESUME), 1.0)
        log.tell(end)

    assert feed.poll() == [end]
    feed.close()


def test_a_job_at_work_is_not_begun_a_second_time(folder: JobFolder) -> None:
    folder.arrive(own_process(Probes()))

    with pytest.raises(LiveosError, match="at work already"), folder.claimed():
        pass


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "../../etc", "A", "a\n", "x" * 65])
def test_a_name_that_leads_elsewhere_is_no_job(folders: JobFolders, name: str) -> None:
    with pytest.raises(UnknownJobError, match="is no job's name"):
        folders.find(name)


def test_a_job_that_is_not_there_is_one_sentence(folders: JobFolders) -> None:
    with pytest.raises(UnknownJobError, match="no job grow-2 in this boot"):
        folders.find("grow-2")


def test_a_link_is_nobodys_job(folders: JobFolders, folder: JobFolder, tmp_path: Path) -> None:
    (folder.path.parent / "grow-2").symlink_to(tmp_path)

    with pytest.raises(LiveosError, match="is a link"):
        folders.find("grow-2")


def test_the_oldest_ended_jobs_are_forgotten(folders: JobFolders) -> None:
    for number in range(5):
        folder = folders.make(f"grow-{number}")
        folder.prepare(ORDER, float(number))
        with folder.log() as log:
            log.tell(EndEvent(JobState.DONE, "Done."))
    folders.make("grow-9").prepare(ORDER, -1.0)
    folders.prune(2)

    assert [folder.id for folder in folders.all()] == ["grow-3", "grow-4", "grow-9"]


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(LiveosError, match="others may write"):
        private_folder(tmp_path / "open")


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    theirs = Path("/usr")
    if os.geteuid() == 0:
        theirs = tmp_path / "theirs"
        theirs.mkdir(mode=0o700)
        os.chown(theirs, 12345, 12345)

    with pytest.raises(LiveosError, match="belongs to someone else"):
        private_folder(theirs)


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")

    with pytest.raises(LiveosError, match="is a link"):
        private_folder(tmp_path / "link")


def test_a_tree_is_removed_but_not_what_its_links_lead_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").touch()
    (tree / "link").symlink_to(tmp_path / "kept")
    remove_tree(tree)

    assert not tree.exists()
    assert (tmp_path / "kept" / "file").exists()
