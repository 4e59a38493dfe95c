"""What each screen looks like: the lines of the compositor, held against files.

`LIVEOS_GOLDENS=write pytest tests/console/test_goldens.py` writes them anew; read the difference
before it is committed.
"""

import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from console_fakes import (
    BROKEN,
    FOREIGN,
    FULL_SOON,
    INVALID,
    STICK,
    THIS,
    UNUSED,
    FakeMachine,
    clock,
)
from console_harness import ASCII, COLOURLESS, PLAIN, RICH, opened, rows, text, until
from merge_fakes import compressing, merged, mirroring, proposed, torn
from rich.cells import cell_len
from workshop_fakes import (
    DEAD,
    FACTS,
    IN_USE,
    FakeJob,
    FakeWorkshop,
    failed,
    finished,
    interrupted,
    running,
)

from liveos_tui.console.app import Console
from liveos_tui.console.glyphs import SAFE_CHARACTERS
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.screens.too_small import TooSmall
from liveos_tui.console.theme import Role, styles
from liveos_tui.console.widgets.focusable import Focusable
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.errors import TargetGoneError
from liveos_tui.jobs.workshop import Proposal
from liveos_tui.live.model import Operation
from liveos_tui.system.terminal import TerminalProfile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

GOLDENS = Path(__file__).parent / "goldens"

LOOKS = {"plain": PLAIN, "ascii": ASCII, "colourless": COLOURLESS, "rich": RICH}
SIZES = ((80, 24), (160, 50), (60, 20), (100, 30), (80, 25))


@dataclass(frozen=True)
class Scene:
    """A screen: which machine, which target, which job is there, which keys lead there.

    `words` are on the screen when it is complete. `judged`: with what can be done.
    """

    keys: tuple[str, ...] = ()
    target: str | None = "live"
    gone: bool = False
    judged: bool = False
    job: Callable[[], FakeJob] | None = None
    well: bool = False
    words: tuple[str, ...] = ()


SCENES = {
    "dashboard": Scene(),
    "dashboard-invalid": Scene(target="/dev/sdc1"),
    "dashboard-gone": Scene(gone=True),
    "devices": Scene(("d", "down", "down")),
    "devices-no-target": Scene(target=None),
    "help": Scene(("f1",)),
    "help-end": Scene(("f1", "end")),
    "dashboard-keys": Scene(judged=True, job=running, words=("RUNNING",)),
    "dashboard-why-not": Scene(("x",), judged=True, words=("in use",)),
    "recover": Scene(("r",), "/dev/sdc1", judged=True, words=("What is wrong",)),
    "recover-step": Scene(
        ("r", "What is wrong", *["down"] * 4), "/dev/sdc1", judged=True, words=("4  Grow",)
    ),
    "recover-nothing": Scene(("r",), "/dev/sdc1", judged=True, well=True, words=("nothing to",)),
    "recover-rehearsed": Scene(
        ("r", "What is wrong", "enter", "Next: 2", "enter"),
        "/dev/sdc1",
        judged=True,
        words=("Next: 3",),
    ),
    "recover-confirm": Scene(
        ("r", "What is wrong", "a"), "/dev/sdc1", judged=True, words=("[ Cancel ]",)
    ),
    "recover-running": Scene(("j", "enter"), job=running, words=("82 %", "Leave:")),
    "recover-log": Scene(("j", "enter", "82 %", "l"), job=running, words=("Log", "Pass 5")),
    "recover-done": Scene(("j", "enter"), job=finished, words=("Result",)),
    "recover-failed": Scene(("j", "enter"), job=failed, words=("Result", "u Go back")),
    "grow": Scene(("g",), judged=True, words=("128M",)),
    "grow-wrong": Scene(("g", "128M", "X", "enter"), judged=True, words=("no amount",)),
    "grow-plan": Scene(("g", "128M", "enter"), judged=True, words=("What will be done",)),
    "reset-name": Scene(
        ("x", "thrown away", "enter", "Type its name", "up", *"STICK1", "enter"),
        "/dev/sdc1",
        judged=True,
        words=("not its name",),
    ),
    "jobs": Scene(("j",), job=failed, words=("FAILED",)),
    "jobs-none": Scene(("j",), judged=True, words=("no jobs",)),
    "job-back": Scene(("j", "u"), job=failed, words=("Undo it all",)),
    "merge": Scene(("m",), judged=True, words=("Merge it",)),
    "merge-end": Scene(("m", "Merge it", "end"), judged=True, words=("7  Empty the overlay",)),
    "merge-engine": Scene(
        ("m", "Merge it", "e", "[ Stream ]", "x", "enter"), judged=True, words=("from the root on",)
    ),
    "merge-confirm": Scene(("m", "Merge it", "enter"), judged=True, words=("[ Cancel ]",)),
    "merge-mirroring": Scene(("j", "enter"), job=mirroring, words=("57 %", "Leave:")),
    "merge-compressing": Scene(("j", "enter"), job=compressing, words=("34 %", "Leave:")),
    "merge-done": Scene(("j", "enter"), job=merged, words=("Result", "u Go back")),
    "merge-failed": Scene(("j", "enter"), job=torn, words=("Result", "u Go back")),
    "merge-forget": Scene(("j", "f"), job=merged, words=("[ Forget it ]",)),
    "job-interrupted": Scene((), "/dev/sdc1", job=interrupted, words=("[ Decide later ]",)),
}
"""A word in `keys` that is no key is waited for."""

KEY_NAMES = frozenset({"down", "up", "enter", "end", "f1", "f3", "escape", "tab"})


@asynccontextmanager
async def shown(
    scene: Scene, terminal: TerminalProfile, size: tuple[int, int]
) -> "AsyncIterator[tuple[Console, Pilot[int]]]":
    """The console, opened and gone to the scene."""
    stick = replace(STICK, findings=(FULL_SOON, UNUSED))
    invalid = INVALID
    workshop = None
    if scene.judged:
        stick = replace(stick, operations=IN_USE)
        invalid = replace(INVALID, operations=DEAD)
    if scene.judged or scene.job is not None:
        workshop = FakeWorkshop(known={"recover-1": scene.job()} if scene.job else {})
    if workshop is not None:
        workshop.answers[Operation.MERGE] = proposed
    if scene.well and workshop is not None:
        fine = Proposal(FACTS[2:6], None, "There is nothing to recover.", "It was left alone.")
        workshop.answers[Operation.RECOVER] = fine
    machine = FakeMachine({"live": stick, "/dev/sdc1": invalid}, (THIS, BROKEN, FOREIGN))
    app = Console(machine, scene.target, terminal, clock, workshop)
    async with opened(app, size) as pilot:
        if scene.gone:
            machine.answers["live"] = TargetGoneError("/dev/sdb1 has been pulled out.")
            await pilot.press("f3")
            await until(pilot, lambda: app.observation is not None and app.observation.old)
        if workshop is not None:
            await until(pilot, lambda: app.jobs_known)
        for key in scene.keys:
            if len(key) == 1 or key in KEY_NAMES:
                await pilot.press(key)
                await pilot.pause()
            else:
                await until(pilot, lambda words=key: words in text(app))  # type: ignore[misc]
        await pilot.pause()
        await pilot.pause()
        await until(pilot, lambda: all(words in text(app) for words in scene.words))
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("look", ["plain", "ascii", "rich"])
async def test_screens_look_as_they_did(name: str, look: str) -> None:
    async with shown(SCENES[name], LOOKS[look], (80, 25)) as (app, _):
        compare(f"{name}-{look}", rows(app))


@pytest.mark.parametrize("look", ["plain", "rich"])
async def test_the_wide_dashboard_looks_as_it_did(look: str) -> None:
    async with shown(SCENES["dashboard"], LOOKS[look], (120, 40)) as (app, _):
        compare(f"dashboard-wide-{look}", rows(app))


def compare(name: str, lines: list[str]) -> None:
    """Hold `lines` against the golden `name`, or write it when that was asked for."""
    path = GOLDENS / f"{name}.txt"
    drawn_text = "\n".join(lines) + "\n"
    if os.environ.get("LIVEOS_GOLDENS") == "write":
        GOLDENS.mkdir(exist_ok=True)
        path.write_text(drawn_text, encoding="utf-8")
    assert drawn_text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SCENES)
async def test_every_screen_keeps_to_its_size_and_its_characters(name: str, look: str) -> None:
    terminal = LOOKS[look]
    async with shown(SCENES[name], terminal, (80, 25)) as (app, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: drawn_for(app, size))  # type: ignore[misc]
            lines = rows(app)
            everything = "".join(lines)
            assert everything.strip()
            assert everything.isprintable()
            if size[0] >= 80:
                assert lines[0].endswith("12:04")
                assert "q Quit" in lines[-1]
            if look != "rich":
                assert set(everything) <= SAFE_CHARACTERS
            if not terminal.unicode:
                assert everything.isascii()
            assert cut_off(app) == []


def cut_off(app: Console) -> list[str]:
    """What the screen has no place for, and does not say so: by dots, or that there is more."""
    screen, found = app.screen, []
    for painted in screen.query(Painted):
        width, height = painted.size
        if not painted.display or not (width and height):
            continue
        for row, line in enumerate(painted.view(width, height)):
            text = "".join(span.text for span in line)
            if text.strip() and (row >= height or cell_len(text.rstrip()) > width):
                found.append(f"{painted!r}, row {row}: {text}")
        if isinstance(painted, Focusable) and not screen.region.contains_region(painted.region):
            found.append(f"{painted!r} at {painted.region}")
    assert isinstance(screen, ConsoleScreen)
    shown_keys = rows(app)[-1]
    # The help names it, too: where keys are many, it gives way.
    hints = [f"{key} {word}" for key, word in screen.hints() if key != "F3"]
    return found + [hint for hint in hints if hint not in shown_keys]


def drawn_for(app: Console, size: tuple[int, int]) -> bool:
    """Whether the screen has been laid out for this size, the one sentence where it is small."""
    fits = isinstance(app.screen, TooSmall) == (size[0] < 80)
    return fits and tuple(app.screen._compositor.size) == size and bool(text(app).strip())


@pytest.mark.parametrize("look", ["plain", "rich"])
async def test_broken_things_have_the_colours_of_danger(look: str) -> None:
    async with shown(SCENES["dashboard"], LOOKS[look], (80, 25)) as (app, _):
        styled = {
            segment.text.strip(): segment.style
            for strip in app.screen._compositor.render_strips()
            for segment in strip
        }
    broken, danger = styled["BROKEN"], styles(LOOKS[look])[Role.DANGER]
    assert broken is not None
    assert (broken.color, broken.bgcolor, broken.bold) == (danger.color, danger.bgcolor, True)
