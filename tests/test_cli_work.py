"""recover, grow, reset and jobs, as a person or a script runs them, on practice sticks."""

import hashlib
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from own_state import end

from liveos_tui.cli import main
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.folder import JobFolders
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
from liveos_tui.plans.model import Plan
from liveos_tui.system.private_folder import remove_tree, state_folder
from liveos_tui.system.probes import Probes

pytestmark = pytest.mark.real_tools

PROGRAM = [sys.executable, "-m", "liveos_tui"]


def liveos_tui(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command line without a terminal; in this process, which saves the start of another one."""
    out, err = io.StringIO(), io.StringIO()
    with (
        Path(os.devnull).open() as nothing,
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(sys, "stdin", nothing)
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:  # argparse's own
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


class Terminal:
    """The program at a terminal: what it shows is read until a text comes, answers are typed."""

    def __init__(self, *words: str | Path) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self.process = subprocess.Popen(
            # A shell that starts CI in its background has it ignore Ctrl+C, and all that it starts.
            ["env", "--default-signal=INT", *PROGRAM, *map(str, words)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"COLUMNS": "80"},
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, text: str) -> None:
        while text not in self.shown:
            assert self._more(), f"it ended without {text!r}:\n{self.shown}"

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        while self._more():
            pass
        return self.process.wait(60)

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def _more(self) -> bool:
        assert select.select([self._ours], [], [], 120)[0], f"it is silent after:\n{self.shown}"
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the end of a terminal
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    top = tmp_path_factory.mktemp("sticks")
    for state in ("invalid", "healthy"):
        liveos_tui("practice", top / state, "--state", state, "--no-console").check_returncode()
    return {state: top / state for state in ("invalid", "healthy")}


@pytest.fixture
def stick(built: dict[str, Path], tmp_path: Path) -> Iterator[Path]:
    """An Invalid stick of the test's own; its jobs are forgotten afterwards."""
    stick = Path(shutil.copytree(built["invalid"], tmp_path / "stick"))
    yield stick
    forget_jobs_of(stick)


@pytest.fixture
def healthy(built: dict[str, Path], tmp_path: Path) -> Iterator[Path]:
    stick = Path(shutil.copytree(built["healthy"], tmp_path / "healthy"))
    yield stick
    forget_jobs_of(stick)


def forget_jobs_of(stick: Path) -> None:
    for folder in JobFolders(Probes()).all():
        if folder.order().plan.place.target == str(stick):
            end(folder)


def overlay(stick: Path) -> Path:
    return next((stick / "LiveOS").glob("overlay-*"))


def hashes(stick: Path) -> dict[str, str]:
    return {
        str(path.relative_to(stick)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in stick.rglob("*")
        if path.is_file()
    }


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_recovery_from_a_script(stick: Path) -> None:
    found = liveos_tui("recover", stick, "--yes")

    assert found.returncode == 0, found.stderr
    assert "Step 9 of 9" in found.stdout
    assert "\r" not in found.stdout
    assert liveos_tui("status", stick).returncode in {0, 10}


def test_a_recovery_as_json_is_one_event_a_line(stick: Path) -> None:
    found = liveos_tui("recover", stick, "--yes", "--json")
    lines = events(found.stdout)

    assert found.returncode == 0
    assert lines[0]["event"] == "job"
    assert (lines[-1]["event"], lines[-1]["state"]) == ("end", "done")


def test_a_recovery_is_undone_to_the_byte(stick: Path) -> None:
    before = hashes(stick)
    job = events(liveos_tui("recover", stick, "--yes", "--json").stdout)[0]["id"]
    found = liveos_tui("jobs", "rollback", str(job), "--yes")

    assert found.returncode == 0, found.stderr
    assert hashes(stick).items() >= before.items()


def test_a_rehearsal_asks_nothing_and_writes_nothing(stick: Path) -> None:
    before = hashes(stick)
    found = liveos_tui("recover", stick, "--rehearse")

    assert found.returncode == 0, found.stderr
    assert "files differ from the image" in found.stdout
    assert hashes(stick) == before


def test_a_rehearsal_is_told_as_one_and_ends_with_the_way_on(stick: Path) -> None:
    lines = liveos_tui("recover", stick, "--rehearse").stdout.splitlines()
    modified = [line for line in lines if "FILE SYSTEM WAS MODIFIED" in line]

    assert "  On a scratch copy in memory; the stick is not written to:" in lines
    assert modified
    assert all(line.startswith("    (copy) ") for line in modified)
    assert len(lines) < 80
    assert f"`liveos-tui recover {stick}`" in " ".join(" ".join(lines[-3:]).split())


@pytest.mark.parametrize("command", ["recover", "reset"])
def test_a_dry_run_tells_and_does_nothing(stick: Path, command: str) -> None:
    before = hashes(stick)
    found = liveos_tui(command, stick, "--dry-run")

    assert found.returncode == 0
    assert "refuses to load it" in found.stdout
    assert "Lock, check again" in found.stdout
    assert hashes(stick) == before


def test_a_dry_run_as_json_is_facts_and_plan(stick: Path) -> None:
    document = json.loads(liveos_tui("recover", stick, "--dry-run", "--json").stdout)

    assert document["schema"] == 1
    assert document["plan"]["operation"] == "recover"
    assert any(fact["bad"] for fact in document["facts"])


@pytest.mark.parametrize("words", [("recover",), ("reset",), ("recover", "--json")])
def test_without_a_terminal_and_without_yes_nothing_is_done(
    stick: Path, words: tuple[str, ...]
) -> None:
    before = hashes(stick)
    found = liveos_tui(words[0], stick, *words[1:])

    assert found.returncode == 2
    assert "this needs a yes" in found.stderr + found.stdout
    assert "Step 1" not in found.stdout
    assert hashes(stick) == before


def test_what_is_well_is_told_so_and_is_no_failure(healthy: Path) -> None:
    found = liveos_tui("recover", healthy)

    assert found.returncode == 0
    assert "nothing to recover" in found.stdout
    assert found.stderr == ""


def test_what_is_well_as_json_is_an_end(healthy: Path) -> None:
    (end,) = events(liveos_tui("recover", healthy, "--json").stdout)

    assert (end["event"], end["state"]) == ("end", "done")


def test_what_cannot_be_done_says_why(stick: Path) -> None:
    found = liveos_tui("grow", stick, "--by", "8M")

    assert found.returncode == 1
    assert "recover it" in found.stderr


def test_an_overlay_grows_by_what_was_asked(healthy: Path) -> None:
    before = overlay(healthy).stat().st_size
    found = liveos_tui("grow", healthy, "--by", "8M", "--yes")

    assert found.returncode == 0, found.stderr
    assert overlay(healthy).stat().st_size == before + 8 * 1024**2


def test_an_overlay_grows_to_what_was_asked(healthy: Path) -> None:
    assert liveos_tui("grow", healthy, "--to", "48M", "--yes").returncode == 0
    assert overlay(healthy).stat().st_size == 48 * 1024**2


@pytest.mark.parametrize("size", ["8X", "-1M", "0", " ", "1e3", "\x1b[2J"])
def test_a_size_that_is_none_is_a_mistake_of_usage(healthy: Path, size: str) -> None:
    found = liveos_tui("grow", healthy, f"--by={size}")

    assert found.returncode == 2
    assert ("is negative" if size.startswith("-") else "is no size") in found.stderr
    assert "Nothing was changed. Write 64M" in found.stderr
    assert "\x1b" not in found.stderr


def test_by_and_to_exclude_each_other(healthy: Path) -> None:
    assert liveos_tui("grow", healthy, "--by", "1M", "--to", "1G").returncode == 2


def test_a_reset_empties_the_overlay(healthy: Path) -> None:
    assert liveos_tui("reset", healthy, "--yes").returncode == 0

    status = json.loads(liveos_tui("status", healthy, "--json").stdout)
    assert status["overlay"]["state"] == "fresh"
    assert liveos_tui("reset", healthy).returncode == 0


def test_a_target_that_is_no_liveos_is_told(tmp_path: Path) -> None:
    assert liveos_tui("recover", tmp_path).returncode == 3


def test_a_person_says_yes(stick: Path) -> None:
    with Terminal("recover", stick) as terminal:
        terminal.until("Type yes to go on: ")
        terminal.type("yes\n")

        assert terminal.end() == 0
        assert "Step 9 of 9" in terminal.shown
        assert "undo all of it -> liveos-tui jobs rollback recover-" in terminal.shown


def test_what_is_written_and_how_it_is_undone_stands_right_before_the_question(stick: Path) -> None:
    with Terminal("recover", stick) as terminal:
        terminal.until("Type yes to go on: ")
        last = " ".join(terminal.shown.rpartition("It waits for an answer")[2].split())

        assert "(liveos-tui-jobs/recover-2" in last
        assert "the overlay grows from 32 MiB to 43 MiB" in last
        assert "Going back (u in Jobs, or `liveos-tui jobs rollback`)" in last
        assert terminal.shown.count("Going back") == 1
        terminal.type("no\n")
        terminal.end()


@pytest.mark.parametrize("answer", ["no\n", "\n", "y\n", "\x04"])
def test_anything_but_yes_changes_nothing(stick: Path, answer: str) -> None:
    before = hashes(stick)
    with Terminal("recover", stick) as terminal:
        terminal.until("Type yes to go on: ")
        terminal.type(answer)

        assert terminal.end() == 130
        assert "66 repairs would be made" in terminal.shown
        assert "Nothing was written to the stick." in terminal.shown
    assert hashes(stick) == before


def test_a_reset_wants_the_sticks_name(healthy: Path) -> None:
    before = hashes(healthy)
    with Terminal("reset", healthy) as terminal:
        terminal.until("Type the stick's name (PRACTICE) to go on, or Enter to change nothing: ")
        terminal.type("yes\n")
        terminal.until("That is not its name: it is PRACTICE. Nothing was changed.")
        terminal.type("\n")
        assert terminal.end() == 130
    assert hashes(healthy) == before
    with Terminal("reset", healthy) as terminal:
        terminal.until("Type the stick's name (PRACTICE) to go on, or Enter to change nothing: ")
        terminal.type("PRACTICE\n")
        assert terminal.end() == 0


def waiting_job(stick: Path, steps: int = 2) -> str:
    """A job that waits after its first steps, as one that a console steps through."""
    shop = LocalWorkshop()
    plan = shop.propose(str(stick), Wish(Operation.RECOVER)).plan
    assert plan is not None
    return waiting(shop, plan, steps)


def waiting(shop: LocalWorkshop, plan: Plan, steps: int) -> str:
    """A job that was begun, once it waits after so many steps."""
    job = shop.start(plan, allowed=steps)
    until_it_is(shop, job, JobState.WAITING)
    return job


def until_it_is(shop: LocalWorkshop, job: str, state: JobState) -> None:
    deadline = time.monotonic() + 60
    while next(each.state for each in shop.jobs() if each.id == job) is not state:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_a_stick_that_is_named_only_its_own_jobs_are_listed(stick: Path, healthy: Path) -> None:
    job = waiting_job(stick)
    own, other = liveos_tui("jobs", "--target", stick), liveos_tui("jobs", "--target", healthy)
    documents = json.loads(liveos_tui("jobs", "--target", healthy, "--json").stdout)
    liveos_tui("jobs", "cancel", job)

    assert job in own.stdout
    assert "There are no jobs of" in other.stdout
    assert documents["jobs"] == []


def test_a_stick_with_half_a_recovery_is_not_told_as_well_until_that_is_mended(stick: Path) -> None:
    """Marked valid, and not repaired: by its figures it has room and notes no errors."""
    job = waiting_job(stick, steps=5)
    waiting = liveos_tui("status", stick)
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)
    cancelled = liveos_tui("status", stick)
    assert liveos_tui("jobs", "leave", job).returncode == 0
    left = liveos_tui("status", stick)

    assert (waiting.returncode, cancelled.returncode, left.returncode) == (10, 10, 10)
    assert "A job works on this stick" in waiting.stdout
    assert "it waits for an answer" in waiting.stdout
    assert "A job was not ended" in cancelled.stdout
    assert "A recovery was left half done" in left.stdout
    assert "liveos-tui recover --repair" in left.stdout
    assert liveos_tui("recover", "--repair", stick, "--yes").returncode == 0
    assert liveos_tui("status", stick).returncode == 0


def test_ctrl_c_asks_and_enter_leaves_the_job_running(stick: Path) -> None:
    job = waiting_job(stick)
    with Terminal("jobs", "attach", job) as terminal:
        terminal.until("It waits for an answer before step 3.")
        terminal.until(f"answer -> liveos-tui jobs resume {job}")
        terminal.interrupt()
        terminal.until("Enter leaves it so: ")
        terminal.type("\n")
        assert terminal.end() == 130
        assert f"It waits for an answer: liveos-tui jobs resume {job}" in terminal.shown
    found = liveos_tui("jobs", "resume", job, "--yes")

    assert found.returncode == 0, found.stderr
    assert "Step 9 of 9" in found.stdout


def test_a_job_that_waits_does_not_go_on_before_somebody_has_said_yes(stick: Path) -> None:
    job, before = waiting_job(stick), hashes(stick)
    unasked = liveos_tui("jobs", "resume", job)
    with Terminal("jobs", "resume", job) as terminal:
        terminal.until("Type yes to go on: ")
        asked = " ".join(terminal.shown.split())
        terminal.type("no\n")
        assert terminal.end() == 130
    refused = hashes(stick)
    with Terminal("jobs", "resume", job) as terminal:
        terminal.until("Type yes to go on: ")
        terminal.type("yes\n")
        assert terminal.end() == 0

    assert unasked.returncode == 2
    assert "there is no terminal to ask for it" in unasked.stderr
    assert "2 of 9 steps are done" in asked
    assert "the overlay grows from 32 MiB to 43 MiB" in asked
    assert refused == before
    assert "Step 9 of 9" in terminal.shown


def test_a_merge_that_waits_goes_on_only_by_the_sticks_name(healthy: Path) -> None:
    shop, before = LocalWorkshop(), hashes(healthy)
    plan = shop.propose(str(healthy), Wish(Operation.MERGE)).plan
    assert plan is not None
    job = waiting(shop, plan, plan.first_write)
    with Terminal("jobs", "resume", job) as terminal:
        terminal.until("Type the stick's name (PRACTICE) to go on")
        terminal.type("yes\n")
        terminal.until("That is not its name: it is PRACTICE. Nothing was changed.")
        terminal.type("\n")
        assert terminal.end() == 130
    assert "Nothing was changed." in terminal.shown
    assert hashes(healthy) == before
    assert liveos_tui("jobs", "cancel", job).returncode == 0
    assert liveos_tui("jobs", "attach", job).returncode == 130


def test_a_job_that_was_paused_while_it_waited_asks_when_it_goes_on(healthy: Path) -> None:
    shop, before = LocalWorkshop(), hashes(healthy)
    plan = shop.propose(str(healthy), Wish(Operation.MERGE)).plan
    assert plan is not None
    job = waiting(shop, plan, plan.first_write)
    assert liveos_tui("jobs", "pause", job).returncode == 0
    until_it_is(shop, job, JobState.PAUSED)
    with Terminal("jobs", "resume", job) as terminal:
        terminal.until("Type the stick's name (PRACTICE) to go on")
        terminal.type("\n")
        assert terminal.end() == 130
    assert "Cancelled." in terminal.shown
    assert hashes(healthy) == before


def test_of_a_job_that_another_one_followed_the_way_back_of_that_one_is_named(
    healthy: Path,
) -> None:
    first, second = (
        json.loads(liveos_tui("grow", healthy, "--yes", "--json").stdout.splitlines()[0])["id"]
        for _ in range(2)
    )
    refused = liveos_tui("jobs", "rollback", first, "--target", healthy)
    listed = liveos_tui("jobs", "--target", healthy).stdout

    assert refused.returncode == 1
    assert f"`liveos-tui jobs rollback {second} --target {healthy}` or" in refused.stderr
    way = f"undo the later one first -> liveos-tui jobs rollback {second} --target {healthy}\n"
    assert listed.count(way) == 1


def test_commands_at_the_end_name_the_stick_as_it_was_named(healthy: Path) -> None:
    told = liveos_tui("grow", healthy, "--yes").stdout

    assert re.search(f"undo all of it -> liveos-tui jobs rollback .* --target {healthy}\n", told)


def test_what_is_left_of_a_cancelled_job_is_asked_for_too(stick: Path) -> None:
    job = waiting_job(stick, steps=5)
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)
    before = hashes(stick)
    unasked = liveos_tui("jobs", "resume", job)
    left = hashes(stick)
    with Terminal("jobs", "resume", job) as terminal:
        terminal.until("Type yes to go on: ")
        asked = " ".join(terminal.shown.split())
        terminal.type("yes\n")
        assert terminal.end() == 0

    assert (unasked.returncode, left) == (2, before)
    # What is behind it is not asked for again.
    assert "the repair is written to it" in asked
    assert "the overlay grows" not in asked


def test_a_job_that_has_ended_is_told_as_such_when_something_is_asked_of_it(stick: Path) -> None:
    job = json.loads(liveos_tui("recover", stick, "--yes", "--json").stdout.splitlines()[0])["id"]
    for verb in ("cancel", "pause"):
        told = liveos_tui("jobs", verb, job)

        assert told.returncode == 1
        assert f"The job {job} is not at work any more: it is done." in told.stderr
        assert "Nothing was changed" not in told.stderr


def test_a_job_that_was_undone_is_forgotten_on_the_stick_as_well(stick: Path) -> None:
    job = json.loads(liveos_tui("recover", stick, "--yes", "--json").stdout.splitlines()[0])["id"]
    undone = liveos_tui("jobs", "rollback", job, "--yes")
    kept = stick / "liveos-tui-jobs" / job
    assert kept.is_dir()
    again = liveos_tui("jobs", "attach", job)
    left = liveos_tui("jobs", "leave", job)
    forgotten = liveos_tui("jobs", "forget", job, "--yes")

    assert f"remove what it kept -> liveos-tui jobs forget {job}" in undone.stdout
    assert "give up the way back" not in again.stdout
    assert left.returncode == 1
    assert "There is nothing to leave as it is" in left.stderr
    assert forgotten.returncode == 0
    assert "are free again" in forgotten.stdout
    assert not kept.exists()


@pytest.mark.parametrize("verb", ["rollback", "forget", "resume"])
def test_ctrl_c_at_the_question_of_a_job_is_a_no(stick: Path, verb: str) -> None:
    if verb == "resume":
        job = waiting_job(stick)
    else:
        told = liveos_tui("recover", stick, "--yes", "--json").stdout
        job = json.loads(told.splitlines()[0])["id"]
    before = hashes(stick)
    with Terminal("jobs", verb, job) as terminal:
        terminal.until("Enter to change nothing: " if verb == "forget" else "yes to go on: ")
        terminal.interrupt()
        assert terminal.end() == 130
    assert f": \nNothing was {'removed' if verb == 'forget' else 'changed'}." in terminal.shown
    assert hashes(stick) == before


def test_what_was_typed_before_the_question_is_no_answer(healthy: Path) -> None:
    before = hashes(healthy)
    with Terminal("reset", healthy) as terminal:
        terminal.type("PRACTICE\nPRACTICE\nPRACTICE\n")
        terminal.until("Type the stick's name (PRACTICE) to go on")
        terminal.type("\n")

        assert terminal.end() == 130
    assert hashes(healthy) == before


def test_a_stick_that_a_job_keeps_is_told_before_anything_is_asked(healthy: Path) -> None:
    shop = LocalWorkshop()
    plan = shop.propose(str(healthy), Wish(Operation.MERGE)).plan
    assert plan is not None
    job = waiting(shop, plan, plan.first_write)
    told = [liveos_tui(command, healthy) for command in ("grow", "reset")]
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)

    assert [each.returncode for each in told] == [1, 1]
    assert all(f"jobs cancel {job}`" in each.stderr for each in told)


def test_ctrl_c_asks_and_c_cancels_the_job(stick: Path) -> None:
    job = waiting_job(stick)
    with Terminal("jobs", "attach", job) as terminal:
        terminal.until("It waits for an answer before step 3.")
        terminal.interrupt()
        terminal.until("Enter leaves it so: ")
        terminal.type("c\n")

        assert terminal.end() == 130
        assert "Cancelled." in terminal.shown
        assert "Nothing was written to the stick." in terminal.shown


def test_a_second_ctrl_c_leaves_at_once(stick: Path) -> None:
    job = waiting_job(stick)
    with Terminal("jobs", "attach", job) as terminal:
        terminal.until("It waits for an answer before step 3.")
        terminal.interrupt()
        terminal.until("Enter leaves it so: ")
        terminal.interrupt()

        assert terminal.end() == 130
    assert liveos_tui("jobs", "cancel", job).returncode == 0
    assert liveos_tui("jobs", "attach", job).returncode == 130


def test_a_terminal_that_is_gone_leaves_the_job_running(stick: Path) -> None:
    job = waiting_job(stick)
    with Terminal("jobs", "attach", job) as terminal:
        terminal.until("It waits for an answer before step 3.")
        os.killpg(terminal.process.pid, signal.SIGHUP)
        terminal.end()
    found = liveos_tui("jobs", "resume", job, "--yes", "--json")

    assert events(found.stdout)[-1]["state"] == "done"


def test_jobs_are_listed_with_what_can_be_done(stick: Path) -> None:
    job = waiting_job(stick)
    text = liveos_tui("jobs").stdout
    document = json.loads(liveos_tui("jobs", "list", "--json").stdout)
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)

    assert f"{job}  WAITING" in text
    assert f"  end it -> liveos-tui jobs cancel {job}" in text
    (found,) = [each for each in document["jobs"] if each["id"] == job]
    assert (found["state"], found["steps_done"], found["steps"]) == ("waiting", 2, 9)


def test_an_interrupted_job_of_a_stick_is_found_again_and_left(stick: Path) -> None:
    job = waiting_job(stick, steps=4)
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)
    remove_tree(state_folder() / "jobs" / job)

    listed = liveos_tui("jobs", "list", "--target", stick).stdout
    assert f"-> liveos-tui jobs resume {job} --target {stick}\n" in listed
    assert f"jobs resume {job} --target {stick}`" in liveos_tui("status", stick).stdout
    assert liveos_tui("jobs", "leave", job, "--target", stick).returncode == 0
    assert "LEFT AS IT IS" in liveos_tui("jobs", "list", "--target", stick).stdout


@pytest.mark.parametrize("verb", ["attach", "cancel", "resume", "rollback", "leave"])
@pytest.mark.parametrize("words", [(), ("recover-1",), ("../../etc",), ("\x1b[2J",)])
def test_a_job_that_is_none_is_a_mistake_of_usage(verb: str, words: tuple[str, ...]) -> None:
    found = liveos_tui("jobs", verb, *words)

    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 2
    assert "\x1b" not in found.stderr


@pytest.mark.parametrize("verb", ["rollback", "forget"])
def test_a_job_is_looked_for_before_anything_is_asked(verb: str) -> None:
    with Terminal("jobs", verb, "nonsense") as terminal:
        assert terminal.end() == 2
    assert "Type yes" not in terminal.shown
    assert "no job nonsense" in terminal.shown


def test_what_a_job_does_not_allow_is_told_before_anything_is_asked(stick: Path) -> None:
    job = waiting_job(stick)
    told = liveos_tui("jobs", "forget", job)
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)
    cancelled = liveos_tui("jobs", "rollback", job)

    assert told.returncode == 1
    assert "it waits for an answer" in told.stderr
    assert f"`liveos-tui jobs cancel {job}`" in told.stderr
    assert "cannot be undone. The stick has nothing of it." in cancelled.stderr


@pytest.mark.parametrize("verb", ["rollback", "forget"])
def test_a_stick_that_is_elsewhere_now_is_told_and_nothing_of_its_job_is_touched(
    stick: Path, verb: str
) -> None:
    told = liveos_tui("recover", stick, "--yes", "--json").stdout
    job = json.loads(told.splitlines()[0])["id"]
    moved = stick.rename(stick.with_name("elsewhere"))
    found = liveos_tui("jobs", verb, job)
    back = liveos_tui("jobs", "rollback", job, "--yes", "--target", moved)

    assert found.returncode == 1
    assert f"The stick of the job {job} is not where it was." in found.stderr
    assert "--target STICK" in found.stderr
    assert back.returncode == 0


def test_a_folder_for_the_backup_that_is_not_there_is_told_before_anything_is_done(
    stick: Path,
) -> None:
    found = liveos_tui("recover", stick, "--backup", "/does/not/exist", "--dry-run")

    assert (found.returncode, found.stdout) == (2, "")
    assert "/does/not/exist is not there, or is no folder." in found.stderr


@pytest.mark.parametrize("words", [("--to", "8M"), ("--by", "900T")])
def test_an_amount_that_cannot_be_is_told_without_the_findings(
    healthy: Path, words: tuple[str, str]
) -> None:
    found = liveos_tui("grow", healthy, *words)

    assert (found.returncode, found.stdout) == (2, "")
    assert len(found.stderr.splitlines()) == 2


@pytest.mark.parametrize("option", ["--target", "--work"])
def test_jobs_of_a_place_that_is_not_there_are_not_none_but_an_error(option: str) -> None:
    found = liveos_tui("jobs", "list", option, "/does/not/exist")

    assert (found.returncode, found.stdout) == (2, "")
    assert "/does/not/exist" in found.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("merge", "/nowhere", "--yes"), 2),
        (("grow", "/nowhere", "--by", "much"), 2),
        (("merge", "STICK"), 2),
        (("jobs", "attach", "nonsense"), 2),
    ],
)
def test_a_script_is_told_errors_as_an_event(
    healthy: Path, words: tuple[str, ...], code: int
) -> None:
    found = liveos_tui(*(healthy if word == "STICK" else word for word in words), "--json")

    (event,) = events(found.stdout)
    assert (found.returncode, found.stderr) == (code, "")
    assert (event["event"], event["state"]) == ("end", "failed")
    assert event["message"]
    assert event["hint"]


def test_sticks_of_one_name_are_told_apart(stick: Path) -> None:
    job = waiting_job(stick)
    text = liveos_tui("jobs").stdout
    listed = json.loads(liveos_tui("jobs", "--json").stdout)["jobs"]
    (found,) = [each for each in listed if each["id"] == job]
    liveos_tui("jobs", "cancel", job)
    liveos_tui("jobs", "attach", job)

    # A long path before it breaks the line between the two.
    assert f"UUID {found['uuid']}" in " ".join(text.split())
    assert found["uuid"]


@pytest.mark.parametrize("command", ["recover", "grow", "reset", "jobs"])
def test_help_has_examples(command: str) -> None:
    text = liveos_tui(command, "--help").stdout

    assert "examples:" in text
    assert "exit statuses:" in text


def test_help_does_not_say_that_it_only_looks() -> None:
    text = liveos_tui("--help").stdout

    assert "recover" in text
    assert "changes nothing" not in " ".join(text.split())
