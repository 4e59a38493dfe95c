"""What is told of the scratch store of a frozen view, while a step works on the view."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.jobs import live_merging
from liveos_tui.jobs.live_merging import FillWatch
from liveos_tui.jobs.order import Wanted
from liveos_tui.plans.actions import SwitchRoot
from liveos_tui.system.identity import boot_id
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import StickFolder

if TYPE_CHECKING:
    from liveos_tui.jobs.work import Work


class Control:
    """A person who asks for nothing, until told to cancel."""

    def __init__(self) -> None:
        self.ends = False

    def allowed(self) -> int | None:
        return 7

    def wanted(self) -> Wanted:
        return Wanted.END if self.ends else Wanted.GO_ON

    def take_back(self) -> bool:
        return True

    def wait(self, seconds: float) -> None:
        raise TimeoutError(seconds)


class View:
    """A frozen view whose scratch store is as full as told; above 1 it is lost."""

    def __init__(self) -> None:
        self.filled = 0.0

    def fill(self) -> float:
        return self.filled

    def check(self) -> None:
        if self.filled > 1:
            raise LiveosError("The scratch store is full.")

    def close(self) -> None:
        """Nothing is open."""


class Watched:
    def __init__(self) -> None:
        self.control, self.view = Control(), View()
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.watch = FillWatch(self.control, self.view, self.lines.append, self.warnings.append)

    def look(self, filled: float) -> bool:
        self.view.filled = filled
        return self.watch.wanted() is Wanted.END


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(live_merging, "_WATCH_SECONDS", 0.0)
    return Watched()


class TestUndoOfASwitch:
    """Whether the root uses the new image, device-mapper tells; the rest is on the stick."""

    @pytest.fixture
    def work(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
        monkeypatch.setattr(live_merging, "_control", lambda _: None)
        monkeypatch.setattr(live_merging, "is_switched", lambda *_: False)
        (tmp_path / "overlay").write_bytes(b"SnAp")
        (tmp_path / "overlay.alt").write_bytes(bytes(4096))
        with StickFolder(tmp_path) as stick:
            yield SimpleNamespace(
                stick=stick,
                place=SimpleNamespace(overlay="overlay"),
                step=3,
                notes={},
                order=SimpleNamespace(job_id="merge-1"),
                workplace=SimpleNamespace(probes=Probes()),
            )

    def undo(self, work: SimpleNamespace) -> str:
        return live_merging.undo_switch(cast("Work", work), SwitchRoot("x", "overlay.alt", 4096))

    def test_before_it_was_ready_the_second_overlay_goes(self, work: SimpleNamespace) -> None:
        assert "had not been switched" in self.undo(work)
        assert work.stick.names() == ("overlay",)

    def test_in_the_same_boot_too(self, work: SimpleNamespace) -> None:
        work.notes = {3: {"ready in boot": boot_id(Probes())}}
        assert "had not been switched" in self.undo(work)

    def test_after_a_boot_in_its_middle_nothing_is_touched(self, work: SimpleNamespace) -> None:
        work.notes = {3: {"ready in boot": "another boot"}}
        with pytest.raises(LiveosError, match="is not known"):
            self.undo(work)
        assert work.stick.names() == ("overlay", "overlay.alt")

    def test_a_root_that_is_switched_stays_so(
        self, work: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_merging, "is_switched", lambda *_: True)
        with pytest.raises(LiveosError, match="uses the new image"):
            self.undo(work)
        assert work.stick.names() == ("overlay", "overlay.alt")


def test_every_tenth_is_told_once(watched: Watched) -> None:
    for filled in (0.01, 0.05, 0.12, 0.13, 0.19, 0.25, 0.31):
        watched.look(filled)
    assert watched.lines == ["The scratch store is 12% full.", "The scratch store is 25% full."]


def test_a_store_that_is_nearly_full_is_a_warning(watched: Watched) -> None:
    watched.look(0.85)
    assert watched.lines == []
    assert "85% full" in watched.warnings[0]


def test_a_step_ends_when_the_view_is_lost(watched: Watched) -> None:
    with pytest.raises(LiveosError, match="full"):
        watched.look(1.1)


def test_what_the_person_asks_is_passed_on(watched: Watched) -> None:
    assert not watched.look(0)
    watched.control.ends = True
    assert watched.look(0)
    assert watched.watch.allowed() == 7
    assert watched.watch.take_back()
    with pytest.raises(TimeoutError, match=r"1\.5"):
        watched.watch.wait(1.5)


def test_the_store_is_not_asked_at_every_question() -> None:
    watched = Watched()
    began = time.monotonic()
    watched.look(0.5)
    watched.look(0.9)
    assert time.monotonic() - began < 2
    assert watched.lines == ["The scratch store is 50% full."]
    assert watched.warnings == []
