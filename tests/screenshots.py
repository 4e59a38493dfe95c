"""Draw the screens into screenshots/: SVG, and PNG where rsvg-convert is installed.

The values and the clock are fixed, so the same program gives the same bytes.
"""

import asyncio
import io
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console as RichConsole

sys.path.insert(0, str(Path(__file__).parent / "console"))

from console_fakes import (
    BROKEN,
    FOREIGN,
    INVALID,
    STICK,
    THIS,
    FakeMachine,
    clock,
)
from console_harness import SMALL_SCREEN, opened

from liveos_tui.console.app import Console
from liveos_tui.live.judge import judge
from liveos_tui.system.terminal import Look, TerminalProfile

FOLDER = Path(__file__).parents[1] / "screenshots"
PLAIN = TerminalProfile()
RICH = TerminalProfile(Look.RICH)

SHOTS: dict[str, tuple[TerminalProfile, tuple[int, int], list[str]]] = {
    "dashboard-plain": (PLAIN, SMALL_SCREEN, []),
    "dashboard-rich": (RICH, SMALL_SCREEN, []),
    "dashboard-wide": (RICH, (120, 40), []),
    "devices": (RICH, SMALL_SCREEN, ["d", "down"]),
    "devices-plain": (PLAIN, SMALL_SCREEN, ["d", "down"]),
    "help": (RICH, SMALL_SCREEN, ["f1"]),
}


def svg_of(app: Console) -> str:
    """The screen as Textual's own export draws it, with fixed names in place of random ones."""
    width, height = app.size
    console = RichConsole(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    console.print(app.screen._compositor.render_update(full=True, simplify=True))
    svg = console.export_svg(title="liveos-tui", unique_id="liveos-tui")
    # Without it some renderers drop the spaces that a text begins with.
    return svg.replace("<text class=", '<text xml:space="preserve" class=')


async def draw(terminal: TerminalProfile, size: tuple[int, int], keys: list[str]) -> str:
    """One screen, reached by `keys`."""
    # The words are the program's own.
    stick = judge(STICK)
    machine = FakeMachine({"live": stick, "/dev/sdc1": INVALID}, (THIS, BROKEN, FOREIGN))
    app = Console(machine, "live", terminal, clock)
    async with opened(app, size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        return svg_of(app)


def main() -> None:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    convert = shutil.which("rsvg-convert")
    for name, (terminal, size, keys) in SHOTS.items():
        path = FOLDER / f"{name}.svg"
        path.write_text(asyncio.run(draw(terminal, size, keys)), encoding="utf-8")
        print(path.name)
        if convert:
            command = [convert, "--zoom", "1", "--output", str(path.with_suffix(".png")), str(path)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
