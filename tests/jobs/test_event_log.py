"""The event log: what a worker tells is what everybody hears, from the first event to the end."""

from pathlib import Path

import pytest

from liveos_tui.jobs import event_log
from liveos_tui.jobs.event_log import DROPPED, EventFeed, EventLog, state_of
from liveos_tui.jobs.events import (
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)

LOST = EndEvent(JobState.INTERRUPTED, "Gone.")
DONE = EndEvent(JobState.DONE, "It is done.")


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def heard(path: Path, *, alive: bool = False) -> list[Event]:
    feed = EventFeed(path, lambda: alive, LOST)
    events: list[Event] = []
    while got := feed.poll():
        events += got
    feed.close()
    return events


def tell(path: Path, *events: Event) -> None:
    with EventLog(path) as log:
        for event in events:
            log.tell(event)


def test_what_is_told_is_heard_from_the_first_event(tmp_path: Path) -> None:
    told: list[Event] = [StepEvent(0, StepState.RUNNING), FoundEvent(0, "92 files."), DONE]
    tell(tmp_path / "log", *told)

    assert heard(tmp_path / "log") == told


def test_the_log_notes_when_a_step_began_and_ended(tmp_path: Path) -> None:
    clock = Clock()
    with EventLog(tmp_path / "log", clock) as log:
        clock.seconds = 100.0
        log.tell(StepEvent(0, StepState.RUNNING))
        clock.seconds = 112.5
        log.tell(StepEvent(0, StepState.DONE))
    times = [event.at for event in heard(tmp_path / "log") if isinstance(event, StepEvent)]

    assert times == [100.0, 112.5]


def test_two_listeners_hear_the_same(tmp_path: Path) -> None:
    with EventLog(tmp_path / "log") as log:
        one = EventFeed(tmp_path / "log", lambda: True, LOST)
        log.tell(WaitingEvent(1))
        two = EventFeed(tmp_path / "log", lambda: True, LOST)
        log.tell(WaitingEvent(2))

        assert one.poll() == two.poll() == [WaitingEvent(1), WaitingEvent(2)]
        one.close()
        two.close()


def test_listening_does_not_wait(tmp_path: Path) -> None:
    feed = EventFeed(tmp_path / "not there yet", lambda: True, LOST)

    assert feed.poll() == []


def test_a_worker_that_died_without_a_word_is_the_end(tmp_path: Path) -> None:
    tell(tmp_path / "log", WaitingEvent(1))

    assert heard(tmp_path / "log") == [WaitingEvent(1), LOST]


def test_nothing_follows_the_end(tmp_path: Path) -> None:
    tell(tmp_path / "log", DONE, FoundEvent(0, "late"), EndEvent(JobState.FAILED, "late"))

    assert heard(tmp_path / "log") == [DONE]


def test_a_log_longer_than_one_read_is_heard_to_its_end(tmp_path: Path) -> None:
    told = [OutputEvent(0, f"{number:0900}") for number in range(1000)]
    tell(tmp_path / "log", *told, DONE)

    assert heard(tmp_path / "log") == [*told, DONE]


def test_output_beyond_the_limit_is_dropped_with_one_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "LIMIT_BYTES", 500)
    lines = [OutputEvent(0, f"line {number}") for number in range(100)]
    tell(tmp_path / "log", *lines, StepEvent(0, StepState.DONE), DONE)
    events = heard(tmp_path / "log")

    assert events[-2:] == [StepEvent(0, StepState.DONE), DONE]
    assert events[-3] == OutputEvent(0, DROPPED)
    assert events.count(OutputEvent(0, DROPPED)) == 1
    assert len(events) < 20


def test_progress_is_told_as_often_as_a_person_can_see_it(tmp_path: Path) -> None:
    clock = Clock()
    with EventLog(tmp_path / "log", clock) as log:
        for number in range(1000):
            clock.seconds += 0.01
            log.tell(ProgressEvent(0, "writing", number / 1000))
        log.tell(ProgressEvent(0, "reading back", 0.0))

    assert 40 < len(heard(tmp_path / "log", alive=True)) < 60
    assert heard(tmp_path / "log", alive=True)[-1] == ProgressEvent(0, "reading back", 0.0)


def test_a_full_memory_does_not_stop_the_work() -> None:
    log = EventLog(Path("/dev/full"))

    log.tell(DONE)


def test_the_state_is_read_from_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tell(path, StepEvent(0, StepState.DONE), WaitingEvent(1))
    assert state_of(path) == (JobState.WAITING, 1, "")

    tell(path, StepEvent(1, StepState.RUNNING))
    assert state_of(path) == (None, 1, "")

    tell(path, StepEvent(1, StepState.DONE), StepEvent(1, StepState.UNDONE), DONE)
    assert state_of(path) == (JobState.DONE, 1, "It is done.")


def test_a_job_that_was_left_says_so_last(tmp_path: Path) -> None:
    tell(tmp_path / "log", EndEvent(JobState.FAILED, "No room."))
    tell(tmp_path / "log", EndEvent(JobState.LEFT, "Left."))

    assert state_of(tmp_path / "log")[0] is JobState.LEFT


def test_a_log_of_garbage_is_a_log_without_events(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(range(256)) * 1000 + b'\n{"event":"end"}\n[[[[\n')

    assert heard(tmp_path / "log") == [LOST]
    assert state_of(tmp_path / "log") == (None, 0, "")


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"event":"waiting","step":1}\n')
    (tmp_path / "log").symlink_to(tmp_path / "secret")

    assert heard(tmp_path / "log") == [LOST]
