"""The runner, against real programs: it is the only code that starts any."""

import time
from pathlib import Path

import pytest

from liveos_tui.errors import PrivilegeError
from liveos_tui.system.runner import (
    CommandError,
    CommandTimeoutError,
    Finished,
    SystemRunner,
    ToolMissingError,
    command_failed,
)

pytestmark = pytest.mark.real_tools


def shell(script: str, **options: object) -> Finished:
    return SystemRunner().run(["sh", "-c", script], **options)  # type: ignore[arg-type]


def test_gives_what_the_program_wrote() -> None:
    finished = shell("printf out; printf err >&2")

    assert (finished.stdout, finished.stderr, finished.returncode) == (b"out", b"err", 0)


def test_speaks_english_whatever_the_person_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    assert shell('printf "$LC_ALL$LANG"').stdout == b"C"


def test_takes_programs_from_a_fixed_path_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    planted = tmp_path / "dmsetup-planted"
    planted.write_text("#!/bin/sh\n")
    planted.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolMissingError):
        SystemRunner().run(["dmsetup-planted"])


def test_standard_input_is_empty_unless_given() -> None:
    assert shell("cat").stdout == b""


def test_sends_input_larger_than_a_pipe() -> None:
    text = b"0123456789" * 100_000

    assert shell("cat", input=text).stdout == text


def test_a_program_that_does_not_read_its_input_is_no_error() -> None:
    assert shell("exit 0", input=b"x" * 1_000_000).returncode == 0


def test_an_unexpected_return_code_is_told_with_the_programs_last_words() -> None:
    with pytest.raises(CommandError, match=r"ended with 3: the disk is on fire") as caught:
        shell("echo first >&2; echo the disk is on fire >&2; exit 3")

    assert caught.value.finished.returncode == 3


def test_an_expected_return_code_is_no_error() -> None:
    assert shell("exit 3", ok=(0, 3)).returncode == 3


def test_the_last_words_are_made_harmless() -> None:
    with pytest.raises(CommandError) as caught:
        shell(r"printf 'label \033]0;owned\007' >&2; exit 1")

    assert "\x1b" not in caught.value.message
    assert r"\x1b" in caught.value.message


def test_permission_denied_is_told_as_a_lack_of_privilege() -> None:
    finished = Finished(("mount", "/dev/sdb1"), 32, b"", b"mount: must be root to use mount")

    assert isinstance(command_failed(finished), PrivilegeError)


def test_a_program_that_hangs_is_stopped_with_its_children() -> None:
    began = time.monotonic()
    with pytest.raises(CommandTimeoutError, match=r"did not end within 0.2 seconds"):
        shell("sleep 60 & wait", timeout=0.2)

    assert time.monotonic() - began < 5


def test_a_program_that_writes_without_end_is_stopped_at_the_limit() -> None:
    finished = shell("yes", limit=100_000)

    assert finished.truncated
    assert len(finished.stdout) == 100_000


def test_a_missing_program_is_told_with_its_packages() -> None:
    with pytest.raises(ToolMissingError, match="xfs_nothing is not installed"):
        SystemRunner().run(["xfs_nothing"])


def test_ctrl_c_at_the_terminal_does_not_reach_a_program() -> None:
    # Programs run in a process group of their own: the terminal signals the console's group.
    own, child = Path("/proc/self/stat").read_text(), shell("cat /proc/self/stat").stdout.decode()

    assert own.split()[4] != child.split()[4]
