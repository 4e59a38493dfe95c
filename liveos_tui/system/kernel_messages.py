"""The kernel's log of this boot."""

from liveos_tui.errors import LiveosError
from liveos_tui.formats.kernel_log import KernelLine, lines_that_matter, parse_kernel_log
from liveos_tui.system.probes import Probes


def kernel_lines(probes: Probes) -> tuple[KernelLine, ...] | None:
    """What the log tells of snapshots and devices; None where it may not or cannot be read."""
    log = _log(probes)
    return None if log is None else parse_kernel_log(log)


def kernel_words(probes: Probes) -> tuple[str, ...] | None:
    """The lines that matter to a LiveOS, for people; None where it may not or cannot be read."""
    log = _log(probes)
    return None if log is None else lines_that_matter(log)


def _log(probes: Probes) -> bytes | None:
    try:
        return probes.runner.run(["dmesg"], timeout=10.0).stdout
    except LiveosError:
        return None
