"""Draw the screens into screenshots/: SVG, and PNG where rsvg-convert is installed.

The values and the clock are fixed, so the same program gives the same bytes.
"""

import asyncio
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
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
from console_harness import SMALL_SCREEN, opened, text, until
from merge_fakes import compressing, merged, mirroring, proposed
from workshop_fakes import FakeJob, FakeWorkshop, failed, interrupted, running

from liveos_tui.console.app import Console
from liveos_tui.live.judge import judge
from liveos_tui.live.model import Operation
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

# On the stick whose overlay has died, or with a job: keys, and words to wait for before the next
# one and before the picture.
WORK: dict[str, tuple[TerminalProfile, str, Callable[[], FakeJob] | None, list[str]]] = {
    "recover": (RICH, "/dev/sdc1", None, ["r", "What is wrong"]),
    "recover-plain": (PLAIN, "/dev/sdc1", None, ["r", "What is wrong"]),
    "recover-running": (RICH, "live", running, ["j", "enter", "82 %"]),
    "recover-running-plain": (PLAIN, "live", running, ["j", "enter", "82 %"]),
    "recover-confirm": (RICH, "/dev/sdc1", None, ["r", "What is wrong", "a", "[ Recover it ]"]),
    "recover-failed": (RICH, "live", failed, ["j", "enter", "u Go back"]),
    "grow": (RICH, "live", None, ["g", "128M"]),
    "grow-plain": (PLAIN, "live", None, ["g", "128M"]),
    "merge": (RICH, "live", None, ["m", "What will be done"]),
    "merge-plain": (PLAIN, "live", None, ["m", "What will be done"]),
    "merge-confirm": (RICH, "live", None, ["m", "What will be done", "enter", "[ Merge it ]"]),
    "merge-running": (RICH, "live", mirroring, ["j", "enter", "57 %"]),
    "merge-running-plain": (PLAIN, "live", compressing, ["j", "enter", "34 %"]),
    "merge-done": (RICH, "live", merged, ["j", "enter", "u Go back"]),
    "merge-done-plain": (PLAIN, "live", merged, ["j", "enter", "u Go back"]),
    "jobs": (RICH, "live", failed, ["j", "FAILED"]),
    "job-interrupted": (RICH, "/dev/sdc1", interrupted, ["[ Decide later ]"]),
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


async def draw_work(
    terminal: TerminalProfile, target: str, job: Callable[[], FakeJob] | None, steps: list[str]
) -> str:
    """One screen of the work, reached by keys and by waiting for words."""
    machine = FakeMachine(
        {"live": judge(STICK), "/dev/sdc1": judge(INVALID)}, (THIS, BROKEN, FOREIGN)
    )
    workshop = FakeWorkshop(known={"recover-20260314-120331-9b41": job()} if job else {})
    workshop.answers[Operation.MERGE] = proposed
    app = Console(machine, target, terminal, clock, workshop)
    async with opened(app, SMALL_SCREEN) as pilot:
        await until(pilot, lambda: app.jobs_known)
        for step in steps:
            if len(step) == 1 or step == "enter":
                await pilot.press(step)
            else:
                await until(pilot, lambda words=step: words in text(app))  # type: ignore[misc]
            await pilot.pause()
        await pilot.pause()
        return svg_of(app)


async def draw(terminal: TerminalProfile, size: tuple[int, int], keys: list[str]) -> str:
    """One screen, reached by `keys`."""
    # The words are the program's own.
    stick = judge(STICK)
    machine = FakeMachine({"live": stick, "/dev/sdc1": INVALID}, (THIS, BROKEN, FOREIGN))
    app = Console(machine, "live", terminal, clock, FakeWorkshop())
    async with opened(app, size) as pilot:
        await until(pilot, lambda: app.jobs_known)
        await pilot.press(*keys)
        await pilot.pause()
        return svg_of(app)


def main() -> None:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    convert = shutil.which("rsvg-convert")
    drawings = {name: draw(*shot) for name, shot in SHOTS.items()}
    drawings |= {name: draw_work(*shot) for name, shot in WORK.items()}
    for name, drawing in drawings.items():
        path = FOLDER / f"{name}.svg"
        path.write_text(asyncio.run(drawing), encoding="utf-8")
        print(path.name)
        if convert:
            command = [convert, "--zoom", "1", "--output", str(path.with_suffix(".png")), str(path)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
