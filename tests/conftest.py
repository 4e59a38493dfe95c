"""What all tests share: no unit test runs a real command, hypothesis is patient."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

# For the tests of every folder: what a machine and its programs say, and a terminal.
sys.path += [str(Path(__file__).parent / name) for name in ("live", "console", "jobs")]

if TYPE_CHECKING:
    from machines import MachineBuilder
    from recovering import Models

    from liveos_tui.practice.builder import PracticeState

# Examples that failed are kept with the other caches: a folder of its own at the top would be
# looked into for tests. No deadline: the machine is shared, and a slow moment is no failure.
set_hypothesis_home_dir(Path(__file__).parents[1] / ".cache" / "hypothesis")
settings.register_profile("liveos", deadline=None, print_blob=True)
settings.load_profile("liveos")

# Everything in Python that starts a program goes through Popen, one of these, or fork_exec:
# asyncio and os.popen through Popen, os.spawn* through fork, multiprocessing through fork or
# fork_exec. A fork is stopped too, since the child would otherwise meet the stopped exec and go
# on as a second pytest.
_OS_STARTERS = ("posix_spawn", "posix_spawnp", "system", "fork", "forkpty", "execv", "execve")

_TRIED = pytest.StashKey[list[str]]()


def _in_vm(item: pytest.Item) -> bool:
    return "vm" in item.path.relative_to(Path(__file__).parent).parts


def _may_run_commands(item: pytest.Item) -> bool:
    """Marked tests, and those of tests/vm: their machine is there to run commands."""
    return _in_vm(item) or item.get_closest_marker("real_tools") is not None


@contextmanager
def _no_commands(tried: list[str]) -> Iterator[None]:
    def refuse(*arguments: object, **_: object) -> None:
        words = [each for each in arguments if isinstance(each, (str, bytes, list, tuple))]
        tried.append(repr(words[0]) if words else "a command")
        # Not an Exception: code that is ready for a failing command must not get by with it.
        pytest.fail(f"A unit test ran a real command: {tried[-1]}. Mark it real_tools, or fake it.")

    with (
        patch.object(subprocess.Popen, "_execute_child", refuse),
        patch("_posixsubprocess.fork_exec", refuse),
        ExitStack() as os_patches,
    ):
        for name in _OS_STARTERS:
            os_patches.enter_context(patch.object(os, name, refuse))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Guard a test with all its fixtures, those of a module and of the session included."""
    item.stash[_TRIED] = []
    if _may_run_commands(item):
        return (yield)
    with _no_commands(item.stash[_TRIED]):
        return (yield)


@pytest.fixture(autouse=True)
def _no_real_command_was_swallowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that caught the refusal, or met it in another thread."""
    yield
    if tried := request.node.stash[_TRIED]:
        pytest.fail(f"A unit test ran a real command: {tried[0]}.")


@pytest.fixture(scope="session", autouse=True)
def _state_of_the_tests(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Keep the jobs of the tests apart from those of whoever runs them."""
    from own_state import own_state

    with ExitStack() as held:
        if not any(map(_in_vm, request.session.items)):
            held.enter_context(own_state(tmp_path_factory.getbasetemp()))
        yield


@pytest.fixture
def machine(tmp_path: Path) -> "MachineBuilder":
    """A machine of files, for the tests of tests/live."""
    from machines import MachineBuilder

    return MachineBuilder(tmp_path)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> "Models":
    """Small practice sticks to be copied, one in each state, for the tests of tests/jobs."""
    from recovering import build_small

    @cache
    def model(state: "PracticeState") -> Path:
        folder = tmp_path_factory.mktemp("model") / state
        build_small(folder, state)
        return folder

    return model
