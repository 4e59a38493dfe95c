"""The threads that speak to the workshop: its methods may block, and the screens never do.

Like the probes they are daemon threads of their own: a stick that hangs keeps nobody from quitting.
"""

from collections.abc import Callable, Hashable
from threading import Thread
from typing import TypeVar

from liveos_tui.console.probes import Probe, as_error
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import EndEvent, Event
from liveos_tui.jobs.folder import ALIVE
from liveos_tui.jobs.workshop import Feed, Job, Workshop

# A person who waits longer than this wants to know that something is being done.
MENTION_WAITING_SECONDS = 0.1
# How late an event may be shown: a progress bar at a pace that a slow terminal can follow.
FEED_SECONDS = 0.2
# While a job is alive the dashboard tells how far it is.
JOBS_SECONDS = 2.0
# How late a job is noticed that another program has begun.
IDLE_SECONDS = 10.0

T = TypeVar("T")


def errand(call: Callable[[], T], deliver: Callable[[T | LiveosError], None]) -> None:
    """Have a thread make one call and deliver its result, or the error in its place."""

    def work() -> None:
        try:
            result: T | LiveosError = call()
        except Exception as error:
            result = as_error(error)
        deliver(result)

    Thread(target=work, name="liveos-errand", daemon=True).start()


class JobsProbe(Probe):
    """Lists the jobs of the machine and of the target's stick."""

    def __init__(
        self,
        workshop: Workshop,
        target: str | None,
        deliver: Callable[[tuple[Job, ...] | LiveosError], None],
    ) -> None:
        super().__init__("liveos-jobs")
        self._workshop = workshop
        self._target = target
        self._deliver = deliver

    def turn_to(self, target: str) -> None:
        """List the jobs of another target from now on."""
        self._target = target
        self.poke()

    def _run(self) -> None:
        more = True
        while more:
            result: tuple[Job, ...] | LiveosError
            try:
                result = self._workshop.jobs(self._target)
            except Exception as error:
                result = as_error(error)
            self._deliver(result)
            alive = isinstance(result, tuple) and any(job.state in ALIVE for job in result)
            more = self._sleep(JOBS_SECONDS) if alive else self._rest()

    def _rest(self) -> bool:
        """Wait until asked, or until another program has begun a job; whether there is a next turn.

        Only this machine's memory is looked at meanwhile: the stick is left in peace.
        """
        known = self._stamp()
        while not self._wake.wait(IDLE_SECONDS):
            if self._stamp() != known:
                break
        self._wake.clear()
        return not self._stopped.is_set()

    def _stamp(self) -> Hashable:
        try:
            return self._workshop.stamp()
        except Exception:  # told by the next whole listing
            return None


class FeedProbe(Probe):
    """Listens to one job until it has ended."""

    def __init__(
        self,
        workshop: Workshop,
        job_id: str,
        deliver: Callable[[list[Event] | LiveosError], None],
    ) -> None:
        super().__init__("liveos-feed")
        self._workshop = workshop
        self._job_id = job_id
        self._deliver = deliver

    def _run(self) -> None:
        feed: Feed | None = None
        try:
            feed = self._workshop.feed(self._job_id)
            more = True
            while more:
                events = feed.poll()
                if events:
                    self._deliver(events)
                ended = bool(events) and isinstance(events[-1], EndEvent)
                more = not ended and self._sleep(FEED_SECONDS)
        except Exception as error:
            self._deliver(as_error(error))
        finally:
            if feed is not None:
                feed.close()
