"""Sticks for the tests of the stick lane."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from stick import PERSISTENT, Stick

Boot = Callable[..., Stick]


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stick]:
    """One booted stick, its overlay in use, for all tests that only look."""
    with Stick(tmp_path_factory.mktemp("looked-at")) as stick:
        stick.settle()
        yield stick


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """Boots a stick of the test's own: `boot(options, usb=..., vga=...)`, off at the test's end."""
    with ExitStack() as sticks:

        def booted(options: Sequence[str] = PERSISTENT, **settings: bool) -> Stick:
            folder = tmp_path / f"stick-{len(list(tmp_path.iterdir()))}"
            stick = sticks.enter_context(Stick(folder, options, **settings))
            stick.settle()
            return stick

        yield booted
