"""The console's two threads: one samples the target, one lists the devices.

They are daemon threads of their own, not Textual's thread workers: those run in asyncio's pool,
and leaving the program waits for the pool; so a stick that hangs would keep the console from
quitting. Each thread makes one call at a time, so a slow sample is never started twice.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event, Thread

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.live.model import AttachedDevice, LiveSystem
from liveos_tui.live.watch import Machine, Watch

# Plugging in one stick gives a burst of events: disk, partitions, changes after each probe.
SETTLE_SECONDS = 0.2
# A target that cannot be opened is tried again, but less often than an open one is sampled.
REOPEN_SECONDS = 10.0


def as_error(error: Exception) -> LiveosError:
    """`error` as one that has a message: a probe's own mistake must not end the console."""
    if isinstance(error, LiveosError):
        return error
    return LiveosError(
        f"A probe failed unexpectedly: {type(error).__name__}: {clean(str(error))}",
        "The rest of the console goes on. Please send this line, and a `liveos-tui report`.",
    )


class Probe(ABC):
    """A daemon thread that runs `work` again and again, when asked or when its time has come."""

    def __init__(self, name: str) -> None:
        self._wake = Event()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def poke(self) -> None:
        """Ask for a result now, or as soon as the call that is under way has ended."""
        self._wake.set()

    def stop(self) -> None:
        """Ask the thread to end after the call that it is in."""
        self._stopped.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Give a stopped thread time to tidy up; a hung one is left behind."""
        self._thread.join(seconds)

    @abstractmethod
    def _run(self) -> None:
        """The thread's life, until it is stopped."""

    def _sleep(self, seconds: float | None) -> bool:
        """Wait for the next turn; whether there is one."""
        self._wake.wait(seconds)
        self._wake.clear()
        return not self._stopped.is_set()


class TargetProbe(Probe):
    """Watches one target; gives each sample, or the error in its place, to `deliver`."""

    def __init__(
        self,
        machine: Machine,
        target: str,
        seconds: float,
        deliver: Callable[["TargetProbe", LiveSystem | LiveosError, "History", bool], None],
    ) -> None:
        super().__init__("liveos-target")
        self.target = target
        self._machine = machine
        self._seconds = seconds
        self._deliver = deliver

    def _run(self) -> None:
        watch: Watch | None = None
        while not self._stopped.is_set():
            opened = watch is not None
            history: History = ()
            result: LiveSystem | LiveosError
            try:
                if watch is None:
                    watch = self._machine.open(self.target)
                    opened = True
                result = watch.sample()
                history = watch.history
            except Exception as error:
                result = as_error(error)
            self._deliver(self, result, history, opened)
            if not self._sleep(self._seconds if opened else REOPEN_SECONDS):
                break
        if watch is not None:
            watch.close()


class DeviceProbe(Probe):
    """Lists the attached devices at once, after every change, and whenever it is asked."""

    def __init__(
        self,
        machine: Machine,
        deliver: Callable[[tuple[AttachedDevice, ...] | LiveosError], None],
    ) -> None:
        super().__init__("liveos-devices")
        self._machine = machine
        self._deliver = deliver

    def _run(self) -> None:
        with ExitStack() as stack:
            try:
                stack.enter_context(self._machine.hotplug(self.poke))
            except Exception as error:
                self._deliver(as_error(error))
            while not self._stopped.is_set():
                result: tuple[AttachedDevice, ...] | LiveosError
                try:
                    result = self._machine.devices()
                except Exception as error:
                    result = as_error(error)
                self._deliver(result)
                if not self._sleep(None) or self._stopped.wait(SETTLE_SECONDS):
                    break
                self._wake.clear()


History = tuple[tuple[float, int], ...]
