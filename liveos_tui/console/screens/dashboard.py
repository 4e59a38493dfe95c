"""The dashboard: how the stick is, what matters now and what can be done, what else is attached."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Brush, Line, Span
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.views import (
    bars,
    details,
    devices,
    findings,
    gauges,
    jobs,
    overlay,
    questions,
)
from liveos_tui.console.widgets.listing import Listing
from liveos_tui.console.widgets.painted import Painted
from liveos_tui.jobs.findings import recovery_left, second_image_named
from liveos_tui.live.model import Finding, Operation, Possibility

WIDE = 110
"""Cells from which the details have a column of their own."""

# The device list always keeps its heading and this many rows.
_LEAST_DEVICES = 2

_KEYS = {
    Operation.GROW: "g",
    Operation.RECOVER: "r",
    Operation.MERGE: "m",
    Operation.RESET: "x",
}

_NOT_KNOWN_YET = "What can be done is not known until the stick has been looked at."

Gauge = Callable[[Observation | None, int, Glyphs], list[Line]]

# A row between the lists and what is below them, where the overlay's gauge takes the rest.
_AIR = 1


def share(room: int, findings_wanted: int, devices_wanted: int) -> int:
    """Rows for the findings, of `room` for findings and devices: all they want, if it can be."""
    least = min(devices_wanted, 1 + _LEAST_DEVICES)
    return max(2, min(findings_wanted + 1, room - least))


class Dashboard(ConsoleScreen):
    """One target: four gauges, findings, devices, a job; and the keys that do something."""

    AUTO_FOCUS = "#findings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "app.devices", show=False),
        Binding("j", "app.jobs", show=False),
        Binding("g", "begin('grow')", show=False),
        Binding("r", "begin('recover')", show=False),
        Binding("m", "begin('merge')", show=False),
        Binding("x", "begin('reset')", show=False),
        Binding("escape", "app.back", show=False),
    ]

    def __init__(self, brush: Brush) -> None:
        super().__init__(brush)
        glyphs = brush.glyphs
        self.alert = Painted(
            brush, lambda width, _: bars.alert(self._seen(), width, glyphs), id="alert"
        )
        self.findings = Listing(
            brush,
            lambda _: [findings.heading(self._seen())],
            lambda width: findings.entries(self._found(), width, self._keys()),
            lambda _: [findings.nothing(self._seen())],
            id="findings",
        )
        self.devices = Listing(
            brush,
            lambda _: [(Span(" Devices", Role.HEADING),)],
            self._device_rows,
            self._no_devices,
            id="devices",
        )
        self.jobs = Painted(
            brush,
            lambda width, _: jobs.block(self.console.jobs_to_tell, self.now, width),
            id="jobs",
        )
        self._said = ""
        self.notice = Painted(
            brush, lambda width, _: bars.notice(self._said, width, glyphs), id="notice"
        )
        self.overlay = Painted(
            brush,
            lambda width, height: overlay.gauge(self._seen(), width, glyphs, height),
            id="gauge-overlay",
        )
        self.facts = Painted(brush, lambda width, _: details.facts(self._seen(), width), id="facts")
        self._shares = (0, 0, 0, 0, 0)

    def _seen(self) -> Observation | None:
        return self.console.observation

    def _found(self) -> tuple[Finding, ...]:
        """What matters now: of the stick's jobs, then of the stick."""
        seen = self._seen()
        if seen is None or seen.system is None:
            return ()
        system, known = seen.system, self.console.own_jobs
        return (
            *recovery_left(known, system.target),
            *second_image_named(system.findings, known, system),
        )

    def compose(self) -> ComposeResult:
        """The overlay first, the other gauges, the lists; a wide terminal has a second column."""
        brush, glyphs = self.brush, self.brush.glyphs
        yield Painted(
            brush,
            lambda width, _: [bars.target_title(self._seen(), self.now, width, glyphs)],
            id="title",
        )
        yield self.alert
        yield self.overlay
        with Horizontal(id="three"):
            yield self._gauge(gauges.root, "root")
            yield self._gauge(gauges.home, "home")
            yield self._gauge(gauges.host, "stick")
        with Horizontal(id="columns"):
            with Vertical(id="main"):
                yield self.findings
                yield self.devices
                yield self.jobs
            yield self.facts
        yield self.notice
        yield self.bottom

    def _gauge(self, view: Gauge, name: str) -> Painted:
        glyphs = self.brush.glyphs
        return Painted(
            self.brush, lambda width, _: view(self._seen(), width, glyphs), id=f"gauge-{name}"
        )

    def _device_rows(self, width: int) -> Sequence[tuple[str, list[Line]]]:
        rows = devices.merged(self.console.devices, self._seen())
        glyphs = self.brush.glyphs
        return [(d.path, [devices.row(d, width, glyphs, model=width >= WIDE - 10)]) for d in rows]

    def _no_devices(self, _width: int) -> list[Line]:
        rows = devices.nothing(self.console.devices, self._seen(), self.brush.glyphs)
        return [(Span(f"   {row}", Role.MUTED),) for row in rows]

    def hints(self) -> Sequence[bars.Key]:
        """Only the keys that do something now."""
        enter = []
        if self.devices.has_focus and self.devices.selected:
            enter = [("Enter", "Open")]
        known = [("j", "Jobs")] if self.console.workshop is not None else []
        return [
            *enter,
            *self._keys().values(),
            *known,
            ("d", "Devices"),
            ("F1", "Help"),
            ("F3", "Redraw"),
            ("q", "Quit"),
        ]

    def paint(self) -> None:
        """Redraw what has changed, after making room for it."""
        self._make_room()
        super().paint()

    def _make_room(self) -> None:
        """Give each part the rows that it needs now. A new layout only when that changes."""
        width, height = self.app.size
        alert = len(bars.alert(self._seen(), width, self.brush.glyphs))
        said = len(bars.notice(self._said, width, self.brush.glyphs))
        room = height - 2 - alert - said - 2 * gauges.ROWS
        column = self.findings.size.width or width
        wanted = (self.findings.wanted_height(column), self.devices.wanted_height(column))
        block = jobs.ROWS if jobs.shown(self.console.jobs_to_tell, room - sum(wanted)) else 0
        below = sum(wanted) + block + _AIR
        if width >= WIDE:
            below = max(below, len(details.facts(self._seen(), self.facts.size.width or column)))
        most = gauges.ROWS + max(0, room - below - _AIR)
        tall = overlay.rows(self._seen(), most, self.brush.glyphs)
        rows = share(room + gauges.ROWS - tall - block, *wanted)
        left = room + gauges.ROWS - tall - block - rows - wanted[1]
        if block and left > _AIR:
            block += _AIR
        if (alert, said, block, rows, tall) != self._shares:
            self._shares = (alert, said, block, rows, tall)
            for part, size in ((self.alert, alert), (self.notice, said), (self.jobs, block)):
                part.display = size > 0
                part.styles.height = size
            self.findings.styles.height = rows
            self.overlay.styles.height = tall
        self.set_class(width >= WIDE, "-wide")

    def on_resize(self, _event: events.Resize) -> None:
        """Another size has other rows for the lists; texts wrap at other places."""
        self.call_after_refresh(self._make_room)

    def on_screen_resume(self) -> None:
        """An interrupted job may have waited for the person to come back here."""
        self.console.offer_interrupted()

    def on_listing_left(self, message: Listing.Left) -> None:
        """The arrows go on in the other list."""
        if message.listing is self.findings and message.direction > 0:
            self.set_focus(self.devices)
        elif message.listing is self.devices and message.direction < 0:
            self.set_focus(self.findings)

    def on_listing_moved(self, _message: Listing.Moved) -> None:
        """Enter may do something now, or nothing any more."""
        self.bottom.paint()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Look at the chosen device; do what helps against the chosen finding."""
        if message.key == self.devices.selected and self.devices.has_focus:
            self.console.watch_target(message.key)
            return
        for finding in self._found():
            if finding.code == message.key and finding.operation in self._keys():
                self.console.begin(finding.operation)
                return

    # What can be done.

    def _possibility(self, operation: Operation) -> Possibility | None:
        seen = self._seen()
        if self.console.workshop is None or seen is None or seen.system is None or seen.old:
            return None
        return next((p for p in seen.system.operations if p.operation is operation), None)

    def _keys(self) -> dict[Operation, bars.Key]:
        """The keys of the operations that are possible now, or are being done."""
        return {
            operation: (key, questions.NAMES[operation])
            for operation, key in _KEYS.items()
            if self._can_begin(operation)
        }

    def _can_begin(self, operation: Operation) -> bool:
        possibility = self._possibility(operation)
        possible = possibility is not None and possibility.possible
        helps = self._on_request(operation) and any(
            finding.operation is operation for finding in self._found()
        )
        return possible or helps or self.console.at_work(operation) is not None

    def _on_request(self, operation: Operation) -> bool:
        possibility = self._possibility(operation)
        return possibility is not None and possibility.on_request

    def action_begin(self, name: str) -> None:
        """Begin an operation, or go back to it; or say in a sentence why it cannot be done."""
        operation = Operation(name)
        if self.console.workshop is None:
            return
        if self._can_begin(operation) or self._on_request(operation):
            self.console.begin(operation)
            return
        possibility = self._possibility(operation)
        why_not = possibility.why_not if possibility is not None else None
        self._said = why_not or _NOT_KNOWN_YET
        self.paint()

    def on_key(self) -> None:
        """The next key takes the sentence away."""
        if self._said:
            self._said = ""
            self.paint()
