"""Hot-plug: told by udev (pyudev) when a block device comes, goes or changes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyudev import MonitorObserver

# While udev runs it has this socket. Without it nobody sends udev's events, only the kernel's.
_UDEV_CONTROL = Path("/run/udev/control")


@contextmanager
def block_device_events(changed: Callable[[], None]) -> Iterator[None]:
    """Call `changed` from a thread of its own at every event of a block device, until left.

    Where neither udev's nor the kernel's events can be had, nothing is called: the device list is
    then as good as its last look.
    """
    observers: list[MonitorObserver] = []
    # Loading libudev takes a while: a console draws its first frame meanwhile.
    starting = threading.Thread(
        target=lambda: observers.extend(_observers(changed)), name="hot-plug", daemon=True
    )
    starting.start()
    try:
        yield
    finally:
        starting.join(2.0)
        for observer in observers:
            observer.stop()


def _observers(changed: Callable[[], None]) -> list["MonitorObserver"]:
    try:
        import pyudev  # noqa: PLC0415 - see above; and `status` starts without it

        source = "udev" if _UDEV_CONTROL.exists() else "kernel"
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source)
        monitor.filter_by("block")
        observer = pyudev.MonitorObserver(monitor, callback=lambda _device: changed())
        observer.start()
    except (ImportError, OSError):
        return []
    return [observer]
