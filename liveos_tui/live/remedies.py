"""What helps: the operations of this console that a finding can offer, and in which words."""

from liveos_tui.formats.text import shell_word
from liveos_tui.live.model import LiveSystem, Operation, OverlayState, Target
from liveos_tui.live.operations import room_to_grow, why_not
from liveos_tui.live.words import size


def named(target: Target, option: str = "") -> str:
    """The end of a command line that is about this target; the running system need not be named."""
    return "" if target.this_system else f" {option}{shell_word(target.path)}"


def growth(system: LiveSystem) -> str:
    """By how much the overlay can be grown, or why not."""
    if reason := why_not(system, Operation.GROW):
        return reason
    text = f"It can be grown by up to {size(room_to_grow(system))}"
    if system.overlay.state is OverlayState.OVERFLOW:
        return f"{text}; it takes writes again after a reboot."
    return f"{text}, no reboot needed." if system.overlay.in_use else f"{text}."


def recovery(system: LiveSystem) -> str:
    """That the overlay can be recovered, or why not."""
    return why_not(system, Operation.RECOVER) or "It can be recovered."


def offered(system: LiveSystem, operation: Operation) -> Operation | None:
    """The operation where it can be done."""
    return operation if why_not(system, operation) is None else None
