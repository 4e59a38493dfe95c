"""What the tests of both lanes share."""

import os
from collections.abc import Generator

import pytest
import stick

THOROUGH = bool(os.environ.get("LIVEOS_VM_THOROUGH"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what CI has no time for, unless it is asked for."""
    if THOROUGH or config.getoption("keyword"):
        return
    left = [item for item in items if item.get_closest_marker("thorough")]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the console of every stick that is on when a test fails."""
    report = yield
    if report.failed:
        for folder, console in stick.consoles().items():
            report.sections.append((f"console of {folder}", console))
    return report
