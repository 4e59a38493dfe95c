"""What the tests of jobs share: a plan, and waiting for what another process does."""

import time
from collections.abc import Callable

from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import GrowFile, OpenStick, TakeDown
from liveos_tui.plans.model import Cancel, Confirmation, Plan, Step

PATIENCE_SECONDS = 60.0

PLAN = Plan(
    operation=Operation.GROW,
    place=Place("folder", "PRACTICE", "LiveOS/overlay-PRACTICE-0000", mount_point="folder"),
    title="Grow the overlay of PRACTICE",
    steps=(
        Step(OpenStick(), "Lock the stick", "Nobody else works on it."),
        Step(
            GrowFile(1 << 20, 2 << 20),
            "Grow the file",
            "There is room on the stick.",
            writes=("the overlay's file",),
            cancel=Cancel.SAFE_POINT,
        ),
        Step(TakeDown(), "Take it down", "Nothing is left over."),
    ),
    confirmation=Confirmation.ENTER,
)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until it is so; fails after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
