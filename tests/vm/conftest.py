"""What the tests of both lanes share."""

from collections.abc import Generator

import pytest
import stick


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
