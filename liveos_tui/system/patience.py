"""Probes that may hang: a dead stick answers to nothing, and nothing can make it.

A call into a dead device cannot be interrupted. It is made in a thread of its own, which is left
behind when the time is over; while it still hangs, the same probe is not started again.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from liveos_tui.errors import UnreadableError

Value = TypeVar("Value")


class ProbeTimeoutError(UnreadableError):
    """A probe did not answer in time."""


class Patience:
    """Runs probes by name, each for at most `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[str, threading.Thread] = {}

    def ask(self, name: str, probe: Callable[[], Value]) -> Value:
        """Return what `probe` returns, raise what it raises.

        Raises ProbeTimeoutError when it does not end in time, and at once while an earlier call of
        the same name still hangs.
        """
        earlier = self._running.get(name)
        if earlier is not None and earlier.is_alive():
            raise _no_answer(name)
        results: list[Value] = []
        errors: list[Exception] = []

        def call() -> None:
            try:
                results.append(probe())
            except Exception as error:  # handed to the caller, whatever it is
                errors.append(error)

        # A daemon thread: quitting does not wait for a device that never answers.
        thread = threading.Thread(target=call, name=f"probe {name}", daemon=True)
        self._running[name] = thread
        thread.start()
        thread.join(self.seconds)
        if thread.is_alive():
            raise _no_answer(name)
        del self._running[name]
        if errors:
            raise errors[0]
        return results[0]


def _no_answer(name: str) -> ProbeTimeoutError:
    return ProbeTimeoutError(
        f"{name} does not answer.", "The stick may be failing or gone. Nothing was changed."
    )
