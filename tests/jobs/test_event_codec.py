"""Events walk as lines: what is told is what is heard, and a hostile log says nothing harmful."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.text import clean
from liveos_tui.jobs.event_codec import (
    LINE_LIMIT_BYTES,
    LIST_LIMIT,
    TEXT_LIMIT,
    EventReader,
    decode,
    document,
    encode,
)
from liveos_tui.jobs.events import (
    CommandEvent,
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

steps = st.integers(0, 99)
texts = st.text(max_size=60).map(clean)
numbers = st.none() | st.floats(0, 1e15, allow_nan=False)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(StepEvent, steps, st.sampled_from(StepState), texts, numbers),
    st.builds(ProgressEvent, steps, texts, st.none() | st.floats(0, 1), numbers, numbers),
    st.builds(CommandEvent, steps, st.lists(texts, max_size=5).map(tuple)),
    st.builds(OutputEvent, steps, texts),
    st.builds(FoundEvent, steps, texts),
    st.builds(WaitingEvent, steps),
    st.builds(
        EndEvent, st.sampled_from(JobState), texts, texts, st.lists(texts, max_size=5).map(tuple)
    ),
)


@given(events)
def test_what_is_told_is_what_is_heard(event: Event) -> None:
    assert decode(encode(event)) == event


def test_the_time_of_a_step_is_heard_too_and_may_be_missing() -> None:
    told = encode(StepEvent(2, StepState.DONE, "", 12.5))
    old = b'{"event":"step","step":2,"state":"done"}'

    times = [event.at for event in map(decode, (told, old)) if isinstance(event, StepEvent)]
    assert times == [12.5, None]


@given(st.lists(events, max_size=8), st.data())
def test_a_log_may_come_in_any_pieces(told: list[Event], data: st.DataObject) -> None:
    log = b"".join(map(encode, told))
    reader, heard = EventReader(), []
    while log:
        size = data.draw(st.integers(1, len(log)))
        heard += reader.feed(log[:size])
        log = log[size:]

    assert heard == told


def test_a_torn_last_line_is_not_an_event_until_its_rest_comes() -> None:
    line = encode(FoundEvent(2, "92 files came back."))
    reader = EventReader()

    assert reader.feed(line[:-5]) == []
    assert reader.feed(line[-5:]) == [FoundEvent(2, "92 files came back.")]


def test_the_shape_of_a_line_is_the_documented_one() -> None:
    line = encode(ProgressEvent(3, "writing", 0.5, None, 12.0))

    assert json.loads(line) == {
        "event": "progress",
        "step": 3,
        "phase": "writing",
        "fraction": 0.5,
        "rate": None,
        "seconds_left": 12.0,
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_unknown(number: float) -> None:
    assert document(ProgressEvent(0, "", rate=number))["rate"] is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b'"event"',
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"event":"no such"}',
        b'{"event":["step"]}',
        b'{"event":"step"}',
        b'{"event":"step","step":"0","state":"done"}',
        b'{"event":"step","step":true,"state":"done"}',
        b'{"event":"step","step":-1,"state":"done"}',
        b'{"event":"step","step":1e400,"state":"done"}',
        b'{"event":"step","step":0,"state":"mad"}',
        b'{"event":"step","step":0,"state":"done","text":7}',
        b'{"event":"step","step":0,"state":"done","at":"now"}',
        b'{"event":"progress","step":0,"phase":"","fraction":2}',
        b'{"event":"progress","step":0,"phase":"","rate":NaN}',
        b'{"event":"progress","step":0,"phase":"","rate":-1}',
        b'{"event":"progress","step":0,"phase":"","rate":Infinity}',
        b'{"event":"command","step":0,"argv":"rm"}',
        b'{"event":"command","step":0,"argv":[1]}',
        b'{"event":"waiting","step":99999999999999999999}',
        b'{"event":"end","state":"done"}',
        b'{"event":"waiting","step":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_left_out(line: bytes) -> None:
    assert decode(line) is None


@given(st.binary(max_size=300))
def test_garbage_harms_nobody(data: bytes) -> None:
    EventReader().feed(data + b"\n")


def test_text_is_made_harmless_when_it_is_heard() -> None:
    line = json.dumps({"event": "output", "step": 0, "text": "\x1b[2J\u202eowned"}).encode()

    assert decode(line) == OutputEvent(0, "\\x1b[2J\\u202eowned")


def test_text_has_a_bound() -> None:
    line = json.dumps({"event": "found", "step": 0, "text": "x" * 100_000}).encode()
    event = decode(line)

    assert isinstance(event, FoundEvent)
    assert len(event.text) == TEXT_LIMIT


def test_the_longest_event_is_heard() -> None:
    longest = EndEvent(JobState.FAILED, "m", "h", ("\U0001f600" * 2000,) * 500)
    line = encode(longest)
    event = decode(line)

    assert len(line) < LINE_LIMIT_BYTES
    assert isinstance(event, EndEvent)
    assert len(event.report) == LIST_LIMIT


def test_a_line_that_does_not_end_takes_no_memory_and_no_later_event() -> None:
    reader = EventReader()
    for _ in range(40):
        assert reader.feed(b"x" * (1 << 17)) == []

    assert reader.feed(b"x\n" + encode(WaitingEvent(1))) == [WaitingEvent(1)]
