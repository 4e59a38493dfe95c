"""What threads tell the console: the only way in which they touch it."""

from collections.abc import Callable

from textual.message import Message

from liveos_tui.console.probes import History, TargetProbe
from liveos_tui.errors import LiveosError
from liveos_tui.live.model import AttachedDevice, LiveSystem


class TargetSampled(Message):
    """A sample of the target, or the error in its place, by `probe`."""

    def __init__(
        self, probe: TargetProbe, result: LiveSystem | LiveosError, history: History, opened: bool
    ) -> None:
        super().__init__()
        self.probe = probe
        self.result = result
        self.history = history
        self.opened = opened


class DevicesListed(Message):
    """The list of devices, or the error in its place."""

    def __init__(self, result: tuple[AttachedDevice, ...] | LiveosError) -> None:
        super().__init__()
        self.result = result


class Delivered(Message):
    """Something that a screen asked for has come; `deliver` hands it over, in the app's thread."""

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.deliver = deliver
