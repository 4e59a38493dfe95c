"""Long programs, against real ones: what they write as it comes, and how they are cancelled."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from liveos_tui.errors import CancelledError, ExitCode
from liveos_tui.system.runner import (
    CommandError,
    CommandTimeoutError,
    Finished,
    ToolMissingError,
)
from liveos_tui.system.streaming import KEPT_BYTES, TERM_SECONDS, stream

pytestmark = pytest.mark.real_tools


def shell(
    script: str, on_output: Callable[[bytes], None] = lambda _: None, **options: object
) -> Finished:
    return stream(["sh", "-c", script], on_output=on_output, **options)  # type: ignore[arg-type]


def alive(group: int) -> list[str]:
    """The processes of a group that are not dead yet; who reaps the dead is no affair of ours."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, of_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in "ZX":
                found.append(process.name)
    return found


class Group:
    """Listens to a script whose first line is its process number, which is its group's as well."""

    def __init__(self) -> None:
        self.text = b""

    def hear(self, data: bytes) -> None:
        self.text += data

    def is_heard(self) -> bool:
        return b"\n" in self.text

    @property
    def is_gone(self) -> bool:
        """Whether all of the group is dead: at once, but for the time that the kernel takes."""
        group = int(self.text.split(b"\n")[0])
        deadline = time.monotonic() + 1.0
        while alive(group) and time.monotonic() < deadline:
            os.sched_yield()
        return not alive(group)


def test_hands_on_output_and_errors_in_their_order() -> None:
    heard: list[bytes] = []
    finished = shell("printf one; printf two >&2; printf three", heard.append)

    assert b"".join(heard) == b"onetwothree"
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"onetwothree", b"")


def test_hands_on_output_while_the_program_runs(tmp_path: Path) -> None:
    # The program waits for what only a listener does: it would never end otherwise.
    answer = tmp_path / "answer"
    os.mkfifo(answer)

    def reply(data: bytes) -> None:
        if data == b"question\n":
            answer.write_text("answer\n")

    assert shell(f"echo question; read word <'{answer}'; echo $word", reply).stdout.endswith(
        b"answer\n"
    )


def test_output_apart_from_errors_is_the_data_alone() -> None:
    heard: list[bytes] = []
    finished = shell("printf data; printf complaint >&2", heard.append, errors_apart=True)

    assert b"".join(heard) == b"data"
    assert (finished.stdout, finished.stderr) == (b"", b"complaint")


def test_keeps_the_end_of_a_long_output() -> None:
    sizes: list[int] = []
    finished = shell("yes | head -c 1000000; printf end", lambda data: sizes.append(len(data)))

    assert sum(sizes) == 1_000_003
    assert len(finished.stdout) == KEPT_BYTES
    assert finished.stdout.endswith(b"end")


def test_progress_comes_by_a_pipe_of_its_own() -> None:
    progress: list[bytes] = []
    finished = stream(
        ["sh", "-c", 'echo "1 5 100" >/proc/self/fd/$0; echo text', "{progress}"],
        on_output=lambda _: None,
        on_progress=progress.append,
    )

    assert b"".join(progress) == b"1 5 100\n"
    assert finished.stdout == b"text\n"


def test_progress_that_nobody_wants_does_not_stop_the_program() -> None:
    argv = ["sh", "-c", "yes | head -c 300000 >/proc/self/fd/$0; echo done", "{progress}"]

    assert stream(argv, on_output=lambda _: None).stdout == b"done\n"


def test_leaves_no_descriptor_open() -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    stream(["sh", "-c", "true", "{progress}"], on_output=lambda _: None)
    with pytest.raises(ToolMissingError):
        stream(["xfs_nothing", "{progress}"], on_output=lambda _: None)

    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_an_unexpected_return_code_is_told_with_the_programs_last_words() -> None:
    with pytest.raises(CommandError, match=r"ended with 8: cannot go on") as caught:
        shell("echo working; echo cannot go on; exit 8", ok=(0, 1))

    assert caught.value.finished.returncode == 8


def test_an_expected_return_code_is_no_error() -> None:
    assert shell("exit 1", ok=(0, 1)).returncode == 1


def test_standard_input_is_empty() -> None:
    assert shell("cat").stdout == b""


def test_speaks_english_and_takes_variables_of_the_caller() -> None:
    assert shell('printf "$LC_ALL $MORE"', env={"MORE": "more"}).stdout == b"C more"


def test_cancelling_ends_the_whole_group() -> None:
    group = Group()
    began = time.monotonic()
    with pytest.raises(CancelledError, match="sh was cancelled") as caught:
        shell("echo $$; sleep 60 & sleep 60", group.hear, cancelled=group.is_heard)

    assert caught.value.exit_code is ExitCode.CANCELLED
    assert group.is_gone
    assert time.monotonic() - began < TERM_SECONDS


def test_a_paused_program_stands_still_until_the_pause_is_over() -> None:
    group = Group()
    states: list[str] = []

    def stands() -> bool:
        """Asked when the pause begins; answers when the person has had enough."""
        number = int(group.text)
        deadline = time.monotonic() + 1.0
        while "T" not in states and time.monotonic() < deadline:
            stat = Path(f"/proc/{number}/stat").read_text()
            states.append(stat.rpartition(")")[2].split()[0])
        return False

    def paused() -> bool:
        return group.is_heard() and not states

    finished = shell(
        "echo $$; sleep 0.3; echo on",
        group.hear,
        paused=paused,
        cancelled=lambda: bool(group.is_heard() and not states and stands()),
    )

    assert states[-1] == "T"
    assert finished.stdout.endswith(b"on\n")


def test_a_cancelled_program_may_say_its_last_words() -> None:
    group = Group()
    with pytest.raises(CancelledError):
        shell(
            "trap 'echo tidied; exit 0' TERM; echo $$; while :; do sleep 0.02; done",
            group.hear,
            cancelled=group.is_heard,
        )

    assert group.text.endswith(b"tidied\n")


def test_a_program_that_does_not_want_to_end_is_killed() -> None:
    group = Group()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        shell(
            "trap '' TERM; echo $$; while :; do sleep 0.1; done",
            group.hear,
            cancelled=group.is_heard,
        )

    assert TERM_SECONDS <= time.monotonic() - began < TERM_SECONDS + 2
    assert group.is_gone


def test_a_child_that_has_closed_its_output_is_ended_with_the_group() -> None:
    group = Group()
    script = "(trap '' TERM; exec sleep 60 >/dev/null 2>&1) & echo $$; sleep 60"
    with pytest.raises(CancelledError):
        shell(script, group.hear, cancelled=group.is_heard)

    assert group.is_gone


def test_a_program_that_writes_without_end_can_be_cancelled() -> None:
    group = Group()
    with pytest.raises(CancelledError):
        shell("echo $$; exec yes", lambda data: group.hear(data[:100]), cancelled=group.is_heard)

    assert group.is_gone


def test_a_program_that_has_ended_is_not_cancelled_any_more() -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return False

    assert shell("sleep 0.3", cancelled=cancelled).returncode == 0
    assert len(asked) >= 3


def test_a_program_that_takes_too_long_is_stopped_with_its_children() -> None:
    group = Group()
    with pytest.raises(CommandTimeoutError, match=r"did not end within 0.3 seconds"):
        shell("echo $$; sleep 60 & wait", group.hear, timeout=0.3)

    assert group.is_gone


def test_an_error_of_a_listener_kills_the_program_and_is_passed_on() -> None:
    group = Group()

    def hear(data: bytes) -> None:
        group.hear(data)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shell("echo $$; sleep 60", hear)

    assert group.is_gone
