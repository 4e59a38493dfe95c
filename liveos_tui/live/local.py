"""Watching systems from the machine that this runs on."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

from liveos_tui.errors import LiveosError, PrivilegeError, TargetGoneError
from liveos_tui.formats.text import clean
from liveos_tui.live.booted import is_live
from liveos_tui.live.contents import with_second
from liveos_tui.live.devices import attached_devices
from liveos_tui.live.filesystems import HomeMeter, HostMeter, RootMeter
from liveos_tui.live.fill import FillHistory, fill_state
from liveos_tui.live.judge import judge
from liveos_tui.live.model import (
    AttachedDevice,
    Home,
    HomeState,
    Host,
    Layout,
    LiveSystem,
    Overlay,
    OverlayState,
    RootFilesystem,
)
from liveos_tui.live.operations import ILL
from liveos_tui.live.overlay import OverlayMeter
from liveos_tui.live.recognise import MissingTargetError, Recognised, recognise
from liveos_tui.live.site import Site
from liveos_tui.system.patience import Patience, ProbeTimeoutError
from liveos_tui.system.probes import Probes
from liveos_tui.system.udev import block_device_events

Value = TypeVar("Value")

# A sample is a few system calls and one program, yet a stick that is being written to takes its
# time. To find out what a target is takes several programs, none of which is in memory yet on a
# stick that has just booted.
SAMPLE_PATIENCE_SECONDS = 5.0
OPEN_PATIENCE_SECONDS = 30.0
DEVICES_PATIENCE_SECONDS = 60.0


class _Meters:
    """The meters of one site."""

    def __init__(self, probes: Probes, site: Site) -> None:
        self.overlay = OverlayMeter(probes, site, site.overlay)
        unused = site.unused_overlay
        self.unused = OverlayMeter(probes, site, unused) if unused else None
        self.unused_root = (
            RootMeter(probes, replace(site, overlay=unused, root=None))
            if unused and not unused.in_use
            else None
        )
        self.root = RootMeter(probes, site)
        self.home = HomeMeter(probes, site)
        self.host = HostMeter(probes, site)


class LocalWatch:
    """One target on this machine, sampled again and again. See `live.watch.Watch`."""

    def __init__(
        self,
        probes: Probes,
        target: str,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes = probes
        self._target = target
        self._patience = patience or Patience(SAMPLE_PATIENCE_SECONDS)
        self._open_patience = patience or Patience(OPEN_PATIENCE_SECONDS)
        self._clock = clock
        self._fill = FillHistory()
        self._recognised: Recognised | None = None
        self._meters: _Meters | None = None
        self._find()

    @property
    def history(self) -> tuple[tuple[float, int], ...]:
        """Points (seconds, used bytes of the overlay), oldest first."""
        return self._fill.points

    def sample(self) -> LiveSystem:
        """How the target is at this moment. Raises TargetGoneError when it has disappeared."""
        if self._recognised is None or self._meters is None:
            self._find_again()
        assert self._recognised is not None  # noqa: S101 - found, or raised
        assert self._meters is not None  # noqa: S101
        site, meters = self._recognised.site, self._meters
        if not self._is_there(site):
            self.close()
            raise _gone(self._target)
        overlay = self._with_rate(
            self._ask("The overlay", meters.overlay.read, meters.overlay.unread)
        )
        unused, unused_root = meters.unused, meters.unused_root
        system = LiveSystem(
            target=site.target,
            layout=self._ask("The image", lambda: self._layout(site), lambda _: site.layout),
            overlay=overlay,
            root=self._ask("The root file system", meters.root.read, _unread_root),
            home=self._ask("home.img", meters.home.read, lambda error: _unread_home(site, error)),
            host=self._ask(
                "The stick", meters.host.read, lambda error: Host(unknown=error.message)
            ),
            unused_overlay=self._ask("The overlay on the stick", unused.read, unused.unread)
            if unused
            else None,
            unused_root=self._ask(
                "The root file system on the stick", unused_root.read, _unread_root
            )
            if unused_root
            else None,
        )
        return judge(
            system,
            available_memory_bytes=self._probes.available_memory(),
            privileged=self._probes.privileged,
        )

    def close(self) -> None:
        """Take down what looking needed."""
        if self._recognised is not None:
            self._recognised.hold.__exit__(None, None, None)
        self._recognised = self._meters = None

    def _find(self) -> None:
        self._recognised = self._open_patience.ask(
            clean(self._target), lambda: recognise(self._probes, self._target)
        )
        self._meters = _Meters(self._probes, self._recognised.site)

    def _find_again(self) -> None:
        try:
            self._find()
        except (MissingTargetError, ProbeTimeoutError) as error:
            raise _gone(self._target) from error

    def _is_there(self, site: Site) -> bool:
        if site.number is not None and not self._probes.device_exists(site.number):
            return False
        folder = self._probes.path(site.mount_point or "/")
        try:
            return self._patience.ask("The stick's folder", folder.is_dir)
        except ProbeTimeoutError:
            # It hangs, so it is there: each gauge says for itself what it knows.
            return True

    def _layout(self, site: Site) -> Layout:
        """What lies there at this moment."""
        if site.image is None or site.mount_point is None:
            return site.layout
        stick = self._probes.folder(site.mount_point)
        return with_second(site.layout, stick, site.image, site.overlay.path)

    def _ask(
        self, name: str, probe: Callable[[], Value], unread: Callable[[LiveosError], Value]
    ) -> Value:
        """What a probe says, or that it is unknown and why: one that fails leaves the rest be."""
        try:
            return self._patience.ask(name, probe)
        except LiveosError as error:
            return unread(error)

    def _with_rate(self, overlay: Overlay) -> Overlay:
        if overlay.used_bytes is None or not overlay.in_use:
            return overlay
        self._fill.add(self._clock(), overlay.used_bytes)
        if overlay.state in ILL:
            # It is full: the rate at which it got there foretells nothing any more.
            return overlay
        known = replace(
            overlay,
            rate_bytes_per_second=self._fill.rate(),
            seconds_until_full=self._fill.seconds_until_full(overlay.total_bytes),
        )
        if known.state in {OverlayState.OK, OverlayState.FILLING}:
            return replace(known, state=fill_state(known))
        return known


def _unread_root(error: LiveosError) -> RootFilesystem:
    return RootFilesystem(unknown=error.message)


def _unread_home(site: Site, error: LiveosError) -> Home:
    path = clean(site.home) if site.home is not None else None
    return Home(
        HomeState.UNREADABLE if path else HomeState.NONE,
        path,
        unknown=error.message,
        root_only=isinstance(error, PrivilegeError),
    )


def _gone(target: str) -> TargetGoneError:
    return TargetGoneError(
        f"{clean(target)} is gone: pulled out or unmounted.",
        "Plug it in again. This console did not write to it.",
    )


class LocalMachine:
    """The machine that this runs on. See `live.watch.Machine`."""

    def __init__(self, probes: Probes | None = None) -> None:
        self._probes = probes or Probes()
        self._patience = Patience(DEVICES_PATIENCE_SECONDS)

    def is_live(self) -> bool:
        """Whether this machine runs a LiveOS."""
        return is_live(self._probes)

    def open(self, target: str) -> LocalWatch:
        """Begin to watch a target. Raises LiveosError."""
        return LocalWatch(self._probes, target)

    def devices(self) -> tuple[AttachedDevice, ...]:
        """Every block device that is or may be a stick. Raises LiveosError."""
        return self._patience.ask(
            "The list of devices", lambda: attached_devices(self._probes, self.open)
        )

    def hotplug(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `changed` whenever a block device comes or goes."""
        return block_device_events(changed)
