"""The kernel's log of this boot."""

from liveos_tui.errors import LiveosError
from liveos_tui.formats.kernel_log import KernelLine, lines_that_matter, parse_kernel_log
from liveos_tui.system.probes import Probes


def kernel_lines(probes: Probes) -> tuple[KernelLine, ...] | None:
    """What the log tells of snapshots and devices; None where it may not or cannot be read."""
    try:
        return parse_kernel_log(_log(probes))
    except LiveosError:
        return None


def kernel_words(probes: Probes) -> tuple[str, ...]:
    """The lines that matter to a LiveOS, for people. Raises LiveosError."""
    return lines_that_matter(_log(probes))


def _log(probes: Probes) -> bytes:
    return probes.runner.run(["dmesg"], timeout=10.0).stdout
