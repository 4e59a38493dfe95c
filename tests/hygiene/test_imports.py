"""What is imported by what, in a fresh interpreter: import-linter reads, this test runs.

Textual takes most of the time that everything else needs to start, so only the console may bring
it in; `status` does without hot-plug, too.
"""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import liveos_tui.formats
import liveos_tui.live
import liveos_tui.practice
import liveos_tui.system

pytestmark = pytest.mark.real_tools

PROJECT = Path(__file__).parents[2]
DRAWING = ("textual", "rich")
UNDRAWN = [
    f"{package.__name__}.{module.name}"
    for package in (liveos_tui.formats, liveos_tui.live, liveos_tui.system, liveos_tui.practice)
    for module in pkgutil.iter_modules(package.__path__)
]
ASKING = """
import sys
asked = sys.argv[1].split(",")
{}
print(*sorted(name for name in asked if name in sys.modules))
"""


def loaded(statements: str, asked: tuple[str, ...]) -> list[str]:
    """Which of the modules are loaded after these statements have run."""
    finished = subprocess.run(
        [sys.executable, "-c", ASKING.format(statements), ",".join(asked)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()[-1].split()


def test_the_question_finds_what_is_loaded() -> None:
    assert loaded("import textual.app", DRAWING) == ["rich", "textual"]


def test_the_command_line_does_not_draw() -> None:
    assert loaded("import liveos_tui.cli", DRAWING) == []


def test_nothing_below_the_console_draws() -> None:
    assert loaded("".join(f"import {name}\n" for name in UNDRAWN), DRAWING) == []


def test_formats_load_nothing_of_the_machine() -> None:
    names = [name for name in UNDRAWN if name.startswith("liveos_tui.formats.")]
    machine = ("subprocess", "psutil", "pyudev", "liveos_tui.system", "liveos_tui.live")
    assert loaded("".join(f"import {name}\n" for name in names), machine) == []


def test_status_needs_no_screens_and_no_hot_plug(tmp_path: Path) -> None:
    statements = (
        "from liveos_tui.cli import main\n"
        f"code = main(['status', '--json', {str(tmp_path)!r}])\n"
        "assert code == 3, code\n"
        "print()\n"
    )
    unneeded = (*DRAWING, "pyudev", "liveos_tui.console", "liveos_tui.practice")
    assert loaded(statements, unneeded) == []


def test_status_of_a_stick_needs_no_screens_and_no_hot_plug(tmp_path: Path) -> None:
    live = tmp_path / "LiveOS"
    live.mkdir()
    image = PROJECT / "tests" / "data" / "images" / "squashfs-gzip.head"
    (live / "squashfs.img").write_bytes(image.read_bytes())
    statements = (
        "from liveos_tui.cli import main\n"
        f"code = main(['status', {str(tmp_path)!r}])\n"
        "assert code != 3, code\n"
    )
    assert loaded(statements, (*DRAWING, "pyudev", "liveos_tui.console")) == []
