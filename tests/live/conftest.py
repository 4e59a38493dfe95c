from pathlib import Path

import pytest
from machines import MachineBuilder


@pytest.fixture
def machine(tmp_path: Path) -> MachineBuilder:
    return MachineBuilder(tmp_path)
