"""What the tests of the dm lane share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filled import Trials, command, leftovers, make_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base image that nobody changes."""
    # The kernel tells of each refused write; the console of the lane is for pytest.
    command("dmesg", "-n", "1")
    folder = tmp_path_factory.mktemp("base")
    make_base(folder / "rootfs.img", folder / "tree")
    return folder / "rootfs.img"


@pytest.fixture(scope="session")
def trials(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """Filled sticks that tests copy before they change them."""
    return Trials(tmp_path_factory.mktemp("trials"), base)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """The test leaves no dm device, loop device or mount behind."""
    before = leftovers()
    yield
    assert leftovers() == before
