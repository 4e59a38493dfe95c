"""What each screen looks like: the lines of the compositor, held against files.

`LIVEOS_GOLDENS=write pytest tests/console/test_goldens.py` writes them anew; read the difference
before it is committed.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

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
from console_harness import ASCII, COLOURLESS, PLAIN, RICH, opened, rows, until
from rich.segment import Segment
from textual.screen import Screen

from liveos_tui.console.app import Console
from liveos_tui.console.glyphs import SAFE_CHARACTERS
from liveos_tui.console.screens.too_small import TooSmall
from liveos_tui.console.theme import Role, styles
from liveos_tui.errors import TargetGoneError
from liveos_tui.system.terminal import TerminalProfile

GOLDENS = Path(__file__).parent / "goldens"

LOOKS = {"plain": PLAIN, "ascii": ASCII, "colourless": COLOURLESS, "rich": RICH}
SIZES = ((80, 24), (80, 25), (120, 40), (60, 20))


@dataclass(frozen=True)
class Scene:
    """A screen: which machine, which target, which keys lead there."""

    keys: tuple[str, ...] = ()
    target: str | None = "live"
    gone: bool = False


SCENES = {
    "dashboard": Scene(),
    "dashboard-invalid": Scene(target="/dev/sdc1"),
    "dashboard-gone": Scene(gone=True),
    "devices": Scene(("d", "down", "down")),
    "devices-no-target": Scene(target=None),
    "help": Scene(("f1",)),
    "help-end": Scene(("f1", "end")),
}


@dataclass(frozen=True)
class Drawn:
    """A scene as it was drawn."""

    lines: list[str]
    screen: Screen[object]
    strips: list[list[Segment]]


async def drawn(scene: Scene, terminal: TerminalProfile, size: tuple[int, int]) -> Drawn:
    """Open the console and go to the scene."""
    stick = replace(STICK, findings=(FULL_SOON, UNUSED))
    machine = FakeMachine({"live": stick, "/dev/sdc1": INVALID}, (THIS, BROKEN, FOREIGN))
    app = Console(machine, scene.target, terminal, clock)
    async with opened(app, size) as pilot:
        if scene.gone:
            machine.answers["live"] = TargetGoneError("/dev/sdb1 has been pulled out.")
            await pilot.press("f3")
            await until(pilot, lambda: app.observation is not None and app.observation.old)
        await pilot.press(*scene.keys)
        await pilot.pause()
        await pilot.pause()
        strips = [list(strip) for strip in app.screen._compositor.render_strips()]
        return Drawn(rows(app), app.screen, strips)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("look", ["plain", "ascii", "rich"])
async def test_screens_look_as_they_did(name: str, look: str) -> None:
    scene = await drawn(SCENES[name], LOOKS[look], (80, 25))
    compare(f"{name}-{look}", scene.lines)


@pytest.mark.parametrize("look", ["plain", "rich"])
async def test_the_wide_dashboard_looks_as_it_did(look: str) -> None:
    scene = await drawn(SCENES["dashboard"], LOOKS[look], (120, 40))
    compare(f"dashboard-wide-{look}", scene.lines)


def compare(name: str, lines: list[str]) -> None:
    """Hold `lines` against the golden `name`, or write it when that was asked for."""
    path = GOLDENS / f"{name}.txt"
    drawn_text = "\n".join(lines) + "\n"
    if os.environ.get("LIVEOS_GOLDENS") == "write":
        GOLDENS.mkdir(exist_ok=True)
        path.write_text(drawn_text, encoding="utf-8")
    assert drawn_text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SCENES)
async def test_every_screen_keeps_to_its_size_and_its_characters(
    name: str, look: str, size: tuple[int, int]
) -> None:
    terminal = LOOKS[look]
    scene = await drawn(SCENES[name], terminal, size)
    lines = scene.lines
    everything = "".join(lines)
    assert everything.strip()
    assert everything.isprintable()
    if size[0] < 80:
        assert isinstance(scene.screen, TooSmall)
    else:
        assert lines[0].endswith("12:04")
        assert "q Quit" in lines[-1]
    if look != "rich":
        assert set(everything) <= SAFE_CHARACTERS
    if not terminal.unicode:
        assert everything.isascii()


@pytest.mark.parametrize("look", ["plain", "rich"])
async def test_warnings_and_broken_things_have_their_roles_colours(look: str) -> None:
    scene = await drawn(SCENES["dashboard"], LOOKS[look], (80, 25))
    table = styles(LOOKS[look])
    colours = {
        segment.text.strip(): segment.style
        for strip in scene.strips
        for segment in strip
        if segment.style is not None
    }
    broken = colours["BROKEN"]
    assert broken is not None
    assert broken.bgcolor == table[Role.DANGER].bgcolor
    assert broken.color == table[Role.DANGER].color
