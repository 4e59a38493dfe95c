"""Sticks for the tests of the stick lane."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kernel import Boot
from live_cuts import LiveMerge
from stick import PERSISTENT, Stick


@pytest.fixture(scope="session")
def _shared() -> list[Stick]:
    """The stick that tests share, once it is on."""
    return []


@pytest.fixture(scope="session")
def looked_at(_shared: list[Stick], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stick]:
    """A booted stick, its overlay in use, for all tests that leave it as it was."""
    with Stick(tmp_path_factory.mktemp("looked-at")) as stick:
        _shared.append(stick)
        yield stick
        _shared.remove(stick)


@pytest.fixture
def boot(_shared: list[Stick], tmp_path: Path) -> Iterator[Boot]:
    """Boots a stick of the test's own: `boot(options, usb=..., vga=...)`, off at the test's end.

    The shared stick stands still meanwhile: an emulated system is never quite idle.
    """
    with ExitStack() as sticks:
        for shared in _shared:
            shared.pause()
            sticks.callback(shared.resume)

        def booted(options: Sequence[str] = PERSISTENT, **settings: Any) -> Stick:
            folder = tmp_path / f"stick-{len(list(tmp_path.iterdir()))}"
            return sticks.enter_context(Stick(folder, options, **settings))

        yield booted


@pytest.fixture(scope="session")
def live_merge(
    _shared: list[Stick], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveMerge]:
    """A booted stick that was merged under a program that writes. It stands still: `resume` it."""
    folder = tmp_path_factory.mktemp("live-merge")
    log = folder / "writes.log"
    for shared in _shared:
        shared.pause()
    with Stick(folder / "stick", PERSISTENT, log=log) as stick:
        merged = LiveMerge.of(stick, log)
        stick.pause()
        for shared in _shared:
            shared.resume()
        yield merged
