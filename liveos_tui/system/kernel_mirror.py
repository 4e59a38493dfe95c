"""A mirror of the kernel's device-mapper that copies a view to a file."""

import time

from liveos_tui.errors import LiveosError
from liveos_tui.system.devicemapper import dmsetup_words
from liveos_tui.system.runner import CommandError, Runner

_TIMEOUT_SECONDS = 10.0


class KernelMirror:
    """A `views.Mirror` of the kernel's: the dm device `name`."""

    def __init__(self, runner: Runner, name: str) -> None:
        self._runner = runner
        # Looking must not flush: that would wait for all that the mirror has in hand.
        self._status = ("dmsetup", "status", "--noflush", name)

    def wait(self, seconds: float) -> bytes:
        """See `Mirror.wait`."""
        time.sleep(seconds)
        return self._runner.run(self._status, timeout=_TIMEOUT_SECONDS).stdout


def not_mirrored(error: CommandError) -> LiveosError:
    """What a person is told when the kernel does not make a mirror."""
    words = dmsetup_words(error)
    if "Invalid argument" in words:
        # It says the same of a table that it does not understand and of a target that it lacks.
        return LiveosError(
            "The kernel did not make the mirror: its target is smaller than the view, or it has no "
            "dm-mirror.",
            "The stick is as it was. `modprobe dm-mirror`, or merge by streaming, which needs no "
            "mirror.",
        )
    return LiveosError(
        f"The kernel did not make the mirror: {words}",
        "The stick is as it was. The kernel log (dmesg) may tell more.",
    )
