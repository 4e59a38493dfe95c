"""Two ways to feed a target: damaged real inputs, and atheris, which sees what code an input met.

Every input has a bounded time. What a target does not stand is an AssertionError, or anything else
that it raises.
"""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from mutation import damaged, damaged_json
from targets import Target

SECONDS_EACH = 5.0
"""More than this for one input is a failure: it takes some microseconds."""


class TooLongError(AssertionError):
    """An input took too long."""


class NotStoodError(AssertionError):
    """A target does not stand this input."""

    def __init__(self, target: Target, data: bytes) -> None:
        super().__init__(f"{target.name} does not stand {data[:300]!r}")
        self.data = data


def inputs(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """The seeds, then seeds with damage. The same for the same `seed`."""
    chance = random.Random(f"{target.name} {seed}")
    damage = damaged_json if target.is_json else damaged
    for number in range(count):
        if number < len(target.seeds):
            yield target.seeds[number]
        else:
            yield damage(chance.choice(target.seeds), target.seeds, chance)


def feed(target: Target, count: int, seed: int = 0) -> None:
    """Feed a target with `count` inputs. Raises NotStoodError with the first that it fails for."""
    with _alarm():
        for data in inputs(target, count, seed):
            signal.setitimer(signal.ITIMER_REAL, SECONDS_EACH)
            try:
                target.check(data)
            except Exception as error:
                raise NotStoodError(target, data) from error


@contextmanager
def _alarm() -> Iterator[None]:
    def rings(*_: object) -> None:
        raise TooLongError(f"An input took more than {SECONDS_EACH:g} seconds.")

    before = signal.signal(signal.SIGALRM, rings)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
