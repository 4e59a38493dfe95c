"""Opens the console for a test and reads its screen as a person would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from liveos_tui.console.app import Console
from liveos_tui.system.terminal import Look, TerminalProfile

SMALL_SCREEN = (80, 25)

if TYPE_CHECKING:
    from textual.pilot import Pilot

PLAIN = TerminalProfile()
ASCII = TerminalProfile(unicode=False)
COLOURLESS = TerminalProfile(colour=False)
RICH = TerminalProfile(Look.RICH)

# Far longer than anything takes; only a failure waits for it.
_PATIENCE_SECONDS = 20.0


async def until(pilot: "Pilot[int]", condition: Callable[[], bool]) -> None:
    """Let the console work until `condition` holds."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not condition():
            # The probes are threads: give them the processor, then let the messages through.
            await asyncio.sleep(0.002)
            await pilot.pause()


@asynccontextmanager
async def opened(app: Console, size: tuple[int, int] = SMALL_SCREEN) -> "AsyncIterator[Pilot[int]]":
    """The console with its first figures, or its first trouble, and its first list of devices."""
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: settled(app))
        try:
            yield pilot
        finally:
            app.stop_probes()


def settled(app: Console) -> bool:
    """Whether the first answers are in."""
    seen = app.observation
    figures = seen is None or seen.system is not None or seen.trouble is not None
    listed = app.devices.devices is not None or app.devices.trouble is not None
    return figures and listed


def rows(app: Console) -> list[str]:
    """The lines of the screen, as text."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip)[:width].rstrip() for strip in strips]
    assert len(lines) == height
    return lines


def text(app: Console) -> str:
    """The screen as one text."""
    return "\n".join(rows(app))
