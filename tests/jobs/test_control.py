"""What a person asks of a job at work."""

from pathlib import Path

import pytest

from liveos_tui.jobs.control import (
    Allow,
    Cancel,
    FileControl,
    GoOn,
    Pause,
    StepBack,
    ask,
    request_of,
)
from liveos_tui.jobs.order import Wanted


def test_nothing_was_asked_at_first(tmp_path: Path) -> None:
    control = FileControl(tmp_path / "control")

    assert control.allowed() is None
    assert control.wanted() is Wanted.GO_ON
    assert not control.take_back()


def test_what_is_asked_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "control"
    control = FileControl(path)
    ask(path, Allow(1))
    assert control.allowed() == 1

    ask(path, Allow(3))
    ask(path, Cancel())
    assert control.allowed() == 3
    assert control.wanted() is Wanted.END


def test_a_pause_lasts_until_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "control"
    control = FileControl(path)
    assert control.wanted() is Wanted.GO_ON

    ask(path, Pause())
    assert control.wanted() is Wanted.STAND_STILL
    ask(path, GoOn())
    assert control.wanted() is Wanted.GO_ON


def test_a_job_that_stands_still_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "control"
    control = FileControl(path)
    ask(path, Pause())
    ask(path, Cancel())

    assert control.wanted() is Wanted.END


def test_each_step_back_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "control"
    control = FileControl(path)
    ask(path, StepBack())
    ask(path, StepBack())

    assert [control.take_back() for _ in range(3)] == [True, True, False]


def test_a_wait_ends_when_something_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "control"
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            ask(path, Allow(2))

    FileControl(path, sleep).wait(60)

    assert len(slept) == 3


def test_what_was_asked_between_the_question_and_the_wait_is_not_slept_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "control"
    control = FileControl(path, lambda _: pytest.fail("it slept"))
    assert control.allowed() is None
    ask(path, Cancel())
    control.allowed()

    control.wait(60)


def test_a_job_that_waits_ends_when_its_folder_is_gone(tmp_path: Path) -> None:
    """The folder of a user who is not root goes with the last session."""
    folder = tmp_path / "job"
    folder.mkdir()
    slept: list[float] = []
    control = FileControl(folder / "control", slept.append)
    assert control.wanted() is Wanted.GO_ON
    folder.rmdir()
    control.wait(60)

    assert control.wanted() is Wanted.END
    assert slept == []


def test_a_wait_has_an_end(tmp_path: Path) -> None:
    slept: list[float] = []
    FileControl(tmp_path / "control", slept.append).wait(0.25)

    assert sum(slept) == pytest.approx(0.25)


def test_a_signal_cancels(tmp_path: Path) -> None:
    control = FileControl(tmp_path / "control", lambda _: pytest.fail("it slept"))
    control.cancel()
    control.wait(60)

    assert control.wanted() is Wanted.END


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"cancel",
        b'{"ask":"dance"}',
        b'{"ask":["cancel"]}',
        b'{"ask":"allow"}',
        b'{"ask":"allow","steps":-1}',
        b'{"ask":"allow","steps":true}',
        b'{"ask":"allow","steps":"3"}',
        b'{"ask":"allow","steps":1.5}',
        b"\xff" * 50,
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_passed_over(line: bytes) -> None:
    assert request_of(line) is None


def test_garbage_does_not_hide_the_request_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "control"
    path.write_bytes(b"x" * 5000 + b'\n{"ask":')
    ask(path, Cancel())

    assert FileControl(path).wanted() is Wanted.END


def test_half_a_request_is_none_until_its_rest_comes(tmp_path: Path) -> None:
    path = tmp_path / "control"
    path.write_bytes(b'{"ask":"can')
    control = FileControl(path)
    assert control.wanted() is Wanted.GO_ON

    path.write_bytes(b'{"ask":"cancel"}\n')
    assert control.wanted() is Wanted.END


def test_a_link_in_place_of_the_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "control").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Exception, match="cannot be asked"):
        ask(tmp_path / "control", Cancel())
    assert not (tmp_path / "elsewhere").exists()


def test_after_a_step_back_nothing_is_allowed_until_it_is_allowed_again(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    control = FileControl(path)
    ask(path, Allow(5))
    ask(path, StepBack())
    assert control.allowed() == 0
    ask(path, Allow(4))

    assert control.allowed() == 4
