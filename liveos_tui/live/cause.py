"""Why did a store become Invalid? From the kernel's log where it can tell, from the store else.

The log is of one boot, and a store that is not in use most likely died in another. Errors of the
stick itself are told whenever the log has them. A forged log can only make recovery more careful.
"""

from dataclasses import dataclass

from liveos_tui.formats.cow import CowSummary
from liveos_tui.formats.kernel_log import DEATHS, KernelEvent, KernelLine, why_it_died
from liveos_tui.live.diagnosis import Cause, Fact, Illness
from liveos_tui.live.site import Site
from liveos_tui.system.kernel_messages import kernel_lines
from liveos_tui.system.probes import Probes

# 4 MiB in chunks of 4 KiB: what the kernel writes back at once. Seen: up to 70 chunks (dm lane).
_MOST_IN_FLIGHT = 1024


@dataclass(frozen=True, slots=True)
class Found:
    """The cause of an Invalid (None for every other illness), and what there is to say."""

    cause: Cause | None
    facts: tuple[Fact, ...]


def find_cause(
    probes: Probes, site: Site, illness: Illness, summary: CowSummary, *, sparse: bool
) -> Found:
    """Ask the kernel's log and the store. `site.overlay` is the overlay that is meant.

    `sparse`: the overlay's file has holes.
    """
    lines = kernel_lines(probes)
    stick = _stick_names(probes, site)
    errors = [
        line
        for line in lines or ()
        if line.event is KernelEvent.DEVICE_ERROR and line.device in stick
    ]
    told = tuple(_stick_errors(errors))
    if illness is not Illness.INVALID:
        return Found(None, told)
    if lines and site.overlay.in_use:
        death = why_it_died(lines, stick | _snapshot_names(probes, site))
        if death is not None and death.certain and death.event in DEATHS:
            cause = Cause.SPACE if death.out_of_room else Cause.IO_ERROR
            words = f"The kernel's log says why it became Invalid: {death.text}"
            return Found(cause, (*told, Fact("Cause", words, bad=cause is Cause.IO_ERROR)))
    by_store = Cause.SPACE if was_full(summary) else Cause.IO_ERROR
    facts = (*told, _by_the_store(by_store, summary, sparse=sparse), _unsaid(lines))
    return Found(Cause.IO_ERROR if errors else by_store, facts)


def was_full(summary: CowSummary) -> bool:
    """Whether a store had no room when it became invalid.

    Exceptions whose chunks were being written then are in no area: they are lost with it, and their
    chunks look free afterwards. The more was written at once, the more they are.
    """
    chunks = summary.total_sectors // summary.chunk_sectors
    in_flight = max(min(_MOST_IN_FLIGHT, chunks // 4), chunks // 20)
    return chunks - summary.next_free_chunk <= in_flight


def _stick_names(probes: Probes, site: Site) -> frozenset[str]:
    """The kernel's names of the stick's device and of its disk."""
    device = next((d for d in probes.block_devices() if d.device == site.number), None)
    return frozenset((device.name, *device.parents)) if device else frozenset()


def _snapshot_names(probes: Probes, site: Site) -> frozenset[str]:
    """The kernel's names of the snapshot and of its store: "dm-0", "loop2"."""
    nodes = [node for node in probes.dm_nodes() if node.name == site.overlay.device]
    names = {f"dm-{node.number.rpartition(':')[2]}" for node in nodes}
    if site.overlay.loop is not None:
        names.add(f"loop{site.overlay.loop.rpartition(':')[2]}")
    return frozenset(names)


def _stick_errors(errors: list[KernelLine]) -> list[Fact]:
    if not errors:
        return []
    count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
    text = f"The kernel's log tells of {count} of the stick at this boot, at last: "
    return [Fact("Stick errors", text + errors[-1].text, bad=True)]


def _by_the_store(cause: Cause, summary: CowSummary, *, sparse: bool) -> Fact:
    if cause is Cause.SPACE:
        full = "It is full to the end" if summary.full else "It is as good as full"
        return Fact("Cause", f"{full}, so it most likely became Invalid for want of room.")
    why = (
        "its file has holes that the stick could not fill, or the stick has failed"
        if sparse
        else "the stick has failed, or was pulled out while it was written to"
    )
    return Fact(
        "Cause",
        f"It has room left, so it did not become Invalid for want of it: {why}. What it holds "
        "may be damaged.",
        bad=True,
    )


def _unsaid(lines: tuple[KernelLine, ...] | None) -> Fact:
    if lines is None:
        text = "What the kernel said of it is not known: its log cannot be read."
    else:
        text = "What the kernel said of it is not known: the log of this boot does not tell."
    return Fact("Kernel log", text, unknown=True)
