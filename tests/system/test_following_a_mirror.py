"""Following a mirror to its end, by what the kernel has said in captures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.mirror_status import Leg, MirrorProgress
from liveos_tui.system import mirroring
from liveos_tui.system.mirroring import MirrorCopy, MirrorError, mirror_to_file, remove_copy
from liveos_tui.system.views import Joiner, View

DATA = Path(__file__).parents[1] / "data" / "mirror"
SIZE_BYTES = 64 << 20


class Clock:
    """Time that goes on only when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Replayed:
    """A joiner, its view and its mirror, which says what was captured when it is waited for."""

    size_bytes = SIZE_BYTES

    def __init__(self, name: str, clock: Clock, scale: float = 1.0) -> None:
        self.clock, self.scale = clock, scale
        lines = (DATA / f"{name}.status").read_text().splitlines()
        self.lines = [line.partition(" ")[::2] for line in lines]
        self.open = 0
        self.during: Callable[[], None] = lambda: None
        self.at_end: Callable[[], None] = lambda: None

    @contextmanager
    def mirror(
        self, view: View, target: Path, name: str, region_sectors: int
    ) -> Iterator["Replayed"]:
        assert target.stat().st_size == SIZE_BYTES
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1
            self.at_end()

    def wait(self, seconds: float) -> bytes:
        assert 0.2 <= seconds <= 0.3, "four times a second"
        at, line = self.lines.pop(0)
        self.clock.now = 1000.0 + float(at) * self.scale
        self.during()
        return f"{line}\n".encode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(mirroring, "time", clock)
    return clock


def copy(
    replayed: Replayed, target: Path, told: list[MirrorProgress] | None = None, **how: Any
) -> MirrorCopy:
    return mirror_to_file(
        cast("Joiner", replayed),
        cast("View", replayed),
        target,
        "job",
        told=(told if told is not None else []).append,
        **how,
    )


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0])
def test_it_ends_when_the_mirror_is_complete(tmp_path: Path, clock: Clock, scale: float) -> None:
    replayed = Replayed("good", clock, scale)
    told: list[MirrorProgress] = []
    copied = copy(replayed, tmp_path / "copy", told)
    assert (copied.size_bytes, copied.allocated_bytes) == (SIZE_BYTES, 0)
    assert told[-1].complete
    assert replayed.open == 0


@pytest.mark.parametrize(
    ("name", "words", "leg"),
    [
        ("source-fails", "source could not be read", Leg.SOURCE),
        ("target-full", "target could not be written", Leg.TARGET),
    ],
)
def test_a_failed_leg_ends_it_by_name(
    tmp_path: Path, clock: Clock, name: str, words: str, leg: Leg
) -> None:
    replayed = Replayed(name, clock)
    told: list[MirrorProgress] = []
    with pytest.raises(MirrorError, match=words) as caught:
        copy(replayed, tmp_path / "copy", told)
    assert caught.value.leg is leg
    assert "Nothing was written to the stick" in caught.value.hint
    # It does not wait for the rest.
    assert [progress.failed is not None for progress in told] == [False] * (len(told) - 1) + [True]
    assert list(tmp_path.iterdir()) == []
    assert replayed.open == 0


def test_a_mirror_that_stands_still_is_given_up_after_30_seconds(
    tmp_path: Path, clock: Clock
) -> None:
    replayed = Replayed("stalls", clock)
    with pytest.raises(MirrorError, match="copied nothing for 30 seconds") as caught:
        copy(replayed, tmp_path / "copy")
    assert caught.value.leg is None
    assert 1030.0 <= clock.now < 1033.0
    assert list(tmp_path.iterdir()) == []
    assert replayed.open == 0


def test_what_has_failed_is_told_also_when_it_cannot_be_taken_down(
    tmp_path: Path, clock: Clock
) -> None:
    replayed = Replayed("stalls", clock)

    def hangs() -> None:
        raise LiveosError("dmsetup did not end within 10 seconds and was stopped.")

    replayed.at_end = hangs
    with pytest.raises(MirrorError, match="copied nothing for 30 seconds") as caught:
        copy(replayed, tmp_path / "copy")
    assert "could not be taken down: dmsetup did not end" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_that_says_nothing_is_given_up_too(tmp_path: Path, clock: Clock) -> None:
    replayed = Replayed("stalls", clock)
    replayed.lines = [(at, "") for at, _ in replayed.lines]
    with pytest.raises(MirrorError, match="copied nothing"):
        copy(replayed, tmp_path / "copy")


def test_it_ends_when_a_person_wants_it(tmp_path: Path, clock: Clock) -> None:
    replayed = Replayed("good", clock)
    told: list[MirrorProgress] = []
    with pytest.raises(CancelledError):
        copy(replayed, tmp_path / "copy", told, cancelled=lambda: len(told) == 2)
    assert list(tmp_path.iterdir()) == []
    assert replayed.open == 0


def test_an_answer_that_does_not_come_takes_the_copy_away(tmp_path: Path, clock: Clock) -> None:
    replayed = Replayed("good", clock)

    def fails() -> None:
        raise LiveosError("dmsetup did not end within 10 seconds and was stopped.")

    replayed.during = fails
    with pytest.raises(LiveosError, match="dmsetup"):
        copy(replayed, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_what_was_copied_becomes_holes_on_the_way(tmp_path: Path, clock: Clock) -> None:
    """Zeros that are still in the cache are never written to the disk."""
    replayed = Replayed("good", clock)
    target = tmp_path / "copy"
    sizes: list[int] = []

    def filled() -> None:
        if not sizes:
            with target.open("r+b") as file:
                file.write(bytes(SIZE_BYTES))
        sizes.append(target.stat().st_blocks * 512)

    replayed.during = filled
    assert copy(replayed, target).allocated_bytes == 0
    assert sizes[0] >= SIZE_BYTES
    assert sizes[-1] < sizes[0]


def test_a_folder_in_the_copys_place_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(LiveosError, match="cannot be removed"):
        copy(Replayed("good", clock), tmp_path / "copy")
    assert (tmp_path / "copy").is_dir()


def test_a_work_folder_that_is_not_there_is_told(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(LiveosError, match="cannot be written: No such file"):
        copy(Replayed("good", clock), tmp_path / "nowhere" / "copy")


def test_removing_says_whether_there_was_a_copy(tmp_path: Path) -> None:
    target = tmp_path / "copy"
    assert not remove_copy(target)
    target.touch()
    assert remove_copy(target)
    assert not target.exists()
