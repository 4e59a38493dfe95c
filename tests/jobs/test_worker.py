"""The worker is a process of its own: it outlives who started it, and never ends without a word."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import PLAN, wait_for

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.control import Allow
from liveos_tui.jobs.events import (
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    WaitingEvent,
)
from liveos_tui.jobs.folder import JobFolder, JobFolders
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.order import Order, OrderKind
from liveos_tui.jobs.starting import start_worker
from liveos_tui.system.probes import Probes

pytestmark = pytest.mark.real_tools

# A worker that waits until it is cancelled or allowed; what it carries out is the only thing that
# is not the real one's.
CARRY = """
import os, signal, sys, time
from pathlib import Path
from liveos_tui.jobs.events import *
from liveos_tui.jobs.folder import JobFolder
from liveos_tui.jobs.order import Wanted
from liveos_tui.jobs.worker import work
from liveos_tui.system.probes import Probes

def carry(order, place):
    place.tell(FoundEvent(0, f"session {os.getsid(0)}"))
    %s

work(JobFolder(Path(sys.argv[1]), Probes()), Probes(), carry)
"""

UNTIL_ASKED = """
    place.tell(WaitingEvent(1))
    while place.control.wanted() is Wanted.GO_ON and place.control.allowed() != 2:
        place.control.wait(0.5)
    if place.control.wanted() is Wanted.END:
        return EndEvent(JobState.CANCELLED, "Cancelled.")
    return EndEvent(JobState.DONE, "Done.")
"""


def starter(body: str = UNTIL_ASKED) -> Callable[[JobFolder], None]:
    return lambda folder: start_worker(folder, "-c", CARRY % body.strip())


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    return JobFolders(Probes(), tmp_path / "jobs")


def workshop(folders: JobFolders, body: str = UNTIL_ASKED) -> LocalWorkshop:
    return LocalWorkshop(folders=folders, starter=starter(body))


class Listener:
    """All events of a job so far."""

    def __init__(self, shop: LocalWorkshop, job_id: str) -> None:
        self.events: list[Event] = []
        self._feed = shop.feed(job_id)

    def hears(self, kind: type[Event]) -> bool:
        self.events += self._feed.poll()
        return any(isinstance(event, kind) for event in self.events)

    def end(self) -> EndEvent:
        wait_for(lambda: self.hears(EndEvent), "the end of the job")
        self._feed.close()
        last = self.events[-1]
        assert isinstance(last, EndEvent)
        return last


def worker_pid(folder: JobFolder) -> int:
    return int(folder.path.joinpath("worker.json").read_text().split('"pid": ')[1].split(",")[0])


def test_a_job_runs_to_its_end(folders: JobFolders) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN, allowed=1)
    listener = Listener(shop, job)
    wait_for(lambda: listener.hears(WaitingEvent), "the worker to wait")
    assert shop.jobs()[0].state is JobState.WAITING
    shop.allow(job, 2)

    assert listener.end() == EndEvent(JobState.DONE, "Done.")
    assert shop.jobs()[0].state is JobState.DONE


def test_a_job_is_in_a_session_of_its_own(folders: JobFolders) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN)
    listener = Listener(shop, job)
    shop.cancel(job)
    listener.end()
    told = next(event.text for event in listener.events if isinstance(event, FoundEvent))

    assert told != f"session {os.getsid(0)}"


def test_who_comes_later_hears_all(folders: JobFolders) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN)
    first = Listener(shop, job)
    shop.cancel(job)
    first.end()
    program = (
        "import sys; from pathlib import Path\n"
        "from liveos_tui.jobs.folder import JobFolder\n"
        "from liveos_tui.system.probes import Probes\n"
        "print(JobFolder(Path(sys.argv[1]), Probes()).feed().poll())\n"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, str(folders.find(job).path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert second.stdout.strip() == str(first.events)


def test_sigterm_cancels(folders: JobFolders) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN)
    os.kill(worker_pid(folders.find(job)), signal.SIGTERM)

    assert Listener(shop, job).end().state is JobState.CANCELLED


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_terminal_that_goes_away_changes_nothing(
    folders: JobFolders, number: signal.Signals
) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN)
    os.kill(worker_pid(folders.find(job)), number)
    shop.allow(job, 2)

    assert Listener(shop, job).end().state is JobState.DONE


def test_a_job_outlives_the_console_that_started_it(folders: JobFolders, tmp_path: Path) -> None:
    # As the program itself runs: in a child that the kernel ends together with its parent.
    program = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from liveos_tui.jobs.folder import JobFolders\n"
        "from liveos_tui.jobs.local import LocalWorkshop\n"
        "from liveos_tui.jobs.starting import start_worker\n"
        "from liveos_tui.system.probes import Probes\n"
        "from liveos_tui.system.supervisor import supervised\n"
        "from samples import PLAN\n"
        "def console():\n"
        "    folders = JobFolders(Probes(), Path(sys.argv[1]))\n"
        "    shop = LocalWorkshop(folders=folders,"
        " starter=lambda folder: start_worker(folder, '-c', sys.argv[2]))\n"
        "    print(shop.start(PLAN), flush=True)\n"
        "    time.sleep(600)\n"
        "supervised(console)\n"
    )
    console = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "jobs"), CARRY % UNTIL_ASKED.strip()],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
        start_new_session=True,
    )
    assert console.stdout is not None
    with console.stdout as output:
        job = output.readline().strip()
        os.killpg(console.pid, signal.SIGHUP)
        console.kill()
        # Its pipe ends when both processes of the console have.
        assert output.read() == ""
    console.wait()
    shop = workshop(folders)
    assert shop.jobs()[0].state is not JobState.INTERRUPTED
    shop.allow(job, 2)

    assert Listener(shop, job).end().state is JobState.DONE


def test_a_mistake_of_the_worker_is_told(folders: JobFolders) -> None:
    shop = workshop(folders, "raise KeyError('a mistake')")
    job = shop.start(PLAN)
    end = Listener(shop, job).end()

    assert end.state is JobState.FAILED
    assert "KeyError('a mistake')" in end.message
    assert "KeyError" in folders.find(job).worker_log.read_text()


def test_a_worker_that_is_killed_leaves_an_interrupted_job(folders: JobFolders) -> None:
    shop = workshop(folders)
    job = shop.start(PLAN)
    os.kill(worker_pid(folders.find(job)), signal.SIGKILL)

    assert Listener(shop, job).end().state is JobState.INTERRUPTED
    assert shop.jobs()[0].state is JobState.INTERRUPTED


def test_an_order_that_cannot_be_read_is_told(folders: JobFolders) -> None:
    def spoil(folder: JobFolder) -> None:
        (folder.path / "plan.json").write_text("{}")
        starter()(folder)

    shop = LocalWorkshop(folders=folders, starter=spoil)
    job = shop.start(PLAN)

    assert "cannot be read" in Listener(shop, job).end().message


def test_a_worker_that_does_not_begin_is_one_sentence_and_no_job(folders: JobFolders) -> None:
    def broken(folder: JobFolder) -> None:
        start_worker(folder, "-c", "raise SystemExit('no such luck')")

    shop = LocalWorkshop(folders=folders, starter=broken)
    with pytest.raises(LiveosError, match=r"The worker did not start: no such luck\."):
        shop.start(PLAN)

    assert shop.jobs() == ()


def test_the_scratch_folder_is_gone_at_the_end(folders: JobFolders) -> None:
    shop = workshop(
        folders,
        "(place.scratch / 'copy').write_bytes(bytes(1000)); "
        "return EndEvent(JobState.DONE, str(place.scratch))",
    )
    end = Listener(shop, shop.start(PLAN)).end()
    scratch = Path(end.message)
    wait_for(lambda: not scratch.exists(), "the scratch folder to be removed")


def test_the_real_worker_refuses_a_stick_that_is_not_there(folders: JobFolders) -> None:
    shop = LocalWorkshop(folders=folders)
    gone = replace(PLAN, place=replace(PLAN.place, mount_point="/nowhere"))
    job = shop.start(gone)

    assert Listener(shop, job).end().state is JobState.FAILED


def test_a_request_before_the_worker_is_there_is_heard(folders: JobFolders) -> None:
    folder = folders.make("grow-1")
    folder.prepare(Order(OrderKind.START, "grow-1", PLAN), 0.0)
    folder.ask_first(Allow(2))
    starter()(folder)

    assert Listener(workshop(folders), "grow-1").end().state is JobState.DONE
