"""A unit test that runs a real command fails: shown by running such tests under our conftest."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.real_tools

CONFTEST = Path(__file__).parents[1] / "conftest.py"
CONFIGURATION = "[pytest]\nmarkers = real_tools: runs real commands\naddopts = --strict-markers\n"
PREAMBLE = """\
import asyncio, contextlib, multiprocessing, os, pty, subprocess, threading
from subprocess import Popen
import pytest
"""

COMMANDS = {
    "subprocess_run": "subprocess.run(['true'])",
    "popen_imported_by_name": "Popen('true')",
    "shell": "subprocess.getoutput('true')",
    "asyncio": "asyncio.run(asyncio.create_subprocess_exec('true'))",
    "os_system": "os.system('true')",
    "os_popen": "os.popen('true')",
    "os_posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "os_posix_spawnp": "os.posix_spawnp('true', ['true'], {})",
    "os_spawnlp": "os.spawnlp(os.P_WAIT, 'true', 'true')",
    "os_execvp": "os.execvp('true', ['true'])",
    "os_execle": "os.execle('/bin/true', 'true', {})",
    "pty_spawn": "pty.spawn(['true'])",
    "multiprocessing": "multiprocessing.get_context('spawn').Process().start()",
}

OTHERS = """\
def test_caught():
    with contextlib.suppress(BaseException):
        os.system('true')

def test_in_a_thread(monkeypatch):
    monkeypatch.setattr(threading, 'excepthook', lambda _: None)
    thread = threading.Thread(target=os.system, args=['true'])
    thread.start()
    thread.join()

@pytest.fixture(scope='module')
def made():
    os.system('true')

def test_in_a_fixture_of_the_module(made):
    pass

def test_that_runs_nothing():
    assert os.getpid()

@pytest.mark.real_tools
def test_marked():
    assert os.system('true') == 0
"""

IN_VM = "import os\n\ndef test_in_the_virtual_machine():\n    assert os.system('true') == 0\n"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest says of each of these tests: "passed", or the text of its failure."""
    folder = tmp_path_factory.mktemp("guarded")
    tests = folder / "tests"
    (tests / "vm").mkdir(parents=True)
    shutil.copy(CONFTEST, tests)
    (tests / "jobs").mkdir()
    shutil.copy(CONFTEST.with_name("jobs") / "own_state.py", tests / "jobs")
    (folder / "pytest.ini").write_text(CONFIGURATION)
    commands = "".join(f"def test_{name}():\n    {c}\n\n" for name, c in COMMANDS.items())
    (tests / "test_it.py").write_text(PREAMBLE + commands + OTHERS)
    (tests / "vm" / "test_vm.py").write_text(IN_VM)
    report = folder / "report.xml"
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *(f"--junitxml={report}", f"--basetemp={folder / 'tmp'}", tests),
        ],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - written by our own pytest
    return {
        case.attrib["name"]: " ".join(part.attrib.get("message", "") for part in case) or "passed"
        for case in cases
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_fails_the_test(outcomes: dict[str, str], name: str) -> None:
    assert "A unit test ran a real command" in outcomes[f"test_{name}"]


@pytest.mark.parametrize("name", ["caught", "in_a_thread"])
def test_a_refusal_that_is_swallowed_fails_the_test(outcomes: dict[str, str], name: str) -> None:
    assert "A unit test ran a real command" in outcomes[f"test_{name}"]


def test_a_command_in_a_fixture_of_the_module_fails_the_test(outcomes: dict[str, str]) -> None:
    assert "A unit test ran a real command" in outcomes["test_in_a_fixture_of_the_module"]


def test_a_test_that_runs_nothing_passes(outcomes: dict[str, str]) -> None:
    assert outcomes["test_that_runs_nothing"] == "passed"


def test_a_marked_test_may_run_commands_also_after_guarded_ones(outcomes: dict[str, str]) -> None:
    assert outcomes["test_marked"] == "passed"


def test_a_test_of_the_virtual_machine_may_run_commands(outcomes: dict[str, str]) -> None:
    assert outcomes["test_in_the_virtual_machine"] == "passed"
