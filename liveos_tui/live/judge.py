"""What matters now: findings in words, the worst first, each with what helps."""

from collections.abc import Iterator
from dataclasses import replace

from liveos_tui.live.model import Finding, LayoutKind, LiveSystem, Severity
from liveos_tui.live.operations import possibilities
from liveos_tui.live.overlay_findings import of_memory, of_overlay, of_unused_overlay
from liveos_tui.live.stick_findings import of_home, of_host, of_image, of_room, of_root


def judge(
    system: LiveSystem, *, available_memory_bytes: int | None = None, privileged: bool = True
) -> LiveSystem:
    """Add findings and operations to what was measured."""
    ranks = list(Severity)
    findings = [
        *of_overlay(system, privileged=privileged),
        *of_memory(system, available_memory_bytes),
        *of_unused_overlay(system),
        *of_image(system),
        *of_root(system),
        *of_home(system),
        *of_host(system),
        *of_room(system),
        *_of_privilege(system, privileged=privileged),
    ]
    # Stable: of two that matter as much, the one about the overlay comes first.
    findings.sort(key=lambda finding: -ranks.index(finding.severity))
    return replace(system, findings=tuple(findings), operations=possibilities(system))


def _of_privilege(system: LiveSystem, *, privileged: bool) -> Iterator[Finding]:
    root_only = system.overlay.root_only or system.layout.root_only or system.home.root_only
    if not privileged and root_only:
        yield Finding(
            Severity.WARNING,
            "not-readable",
            "This user may not read some files of the stick.",
            "Run it as root to see everything; or give yourself the right where they are yours.",
        )
    if not privileged and system.overlay.in_use and system.layout.kind is LayoutKind.SNAPSHOT:
        yield Finding(
            Severity.NOTICE,
            "not-root",
            "Without root the kernel does not say whether the overlay is Invalid or overflowed: "
            "the figures are the store's own.",
            "Run it as root to see everything.",
        )
