"""A stick whose every text is a command for a terminal, on a terminal: none of them gets there.

What may reach the terminal of the console are control functions of its own drawing: those that it
sends with a harmless stick on the same screens. Of the command line it is line ends alone.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hostile_stick
import pytest
from pseudo_terminal import Terminal

pytestmark = pytest.mark.real_tools

# ECMA-48: CSI with parameters, strings (OSC, DCS, APC, PM, SOS) up to their end, other escapes.
_FUNCTION = re.compile(
    "\x1b\\[(?P<csi>[0-?]*[ -/]*[@-~])|\x1b[\\]PX^_][^\x07\x1b]*|\x1b[ -/]*[0-~]"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_IMAGE = Path(__file__).parents[1] / "data/images/squashfs-gzip.head"
_FIGURES = re.compile(r"[0-9;:]+(?=[@-~])")


def functions(data: bytes) -> set[str]:
    """The control functions in what a terminal got: positions and colours are left out."""
    text = data.decode("utf-8", "backslashreplace")
    found = set()
    for match in _FUNCTION.finditer(text):
        if match["csi"] is None or match["csi"][-1] in "hlJKcnt" or match["csi"][0] in "<=>?":
            found.add(match[0])
        else:
            found.add("\x1b[" + _FIGURES.sub("", match["csi"]))
    return found


def at_terminal(*words: str, home: Path) -> Terminal:
    """The program on a terminal."""
    command = (sys.executable, "-m", "liveos_tui", *words)
    return Terminal(*command, environment=_environment(home), size=(30, 100))


def _environment(home: Path) -> dict[str, str]:
    project = str(Path(__file__).parents[2])
    return {
        "PYTHONPATH": project,
        "XDG_RUNTIME_DIR": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("hostile")
    return hostile_stick.build(top / f"stick{hostile_stick.NAME[:60]}", top / "work")


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harmless")
    (folder / "LiveOS").mkdir()
    shutil.copy(_IMAGE, folder / "LiveOS/squashfs.img")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def told(*words: str, home: Path) -> bytes:
    """What a command says on a terminal."""
    terminal = at_terminal(*words, home=home)
    try:
        terminal.exit_code()
    finally:
        terminal.close()
    assert terminal.bytes
    assert b"Traceback" not in terminal.bytes
    return terminal.bytes


def test_control_functions_are_found() -> None:
    data = "\x1b[3;4Hx\x1b[1;31m\x1b[?25l\x1b]0;t\x07\x9b6n\x08\x1bc\r\n\u202e".encode()

    assert functions(data) == {
        *("\x1b[H", "\x1b[m", "\x1b[?25l", "\x1b]0;t", "\x07", "\x9b", "\x08", "\x1bc", "\r"),
        "\u202e",
    }


COMMANDS = {
    "status": ("status",),
    "status as JSON": ("status", "--json"),
    "the plan of a recovery": ("recover", "--dry-run"),
    "the plan of a merge": ("merge", "--dry-run"),
    "the plan of a growth": ("grow", "--dry-run"),
    "a rehearsal": ("recover", "--rehearse"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_sends_line_ends_alone(hostile: Path, home: Path, name: str) -> None:
    command, *options = COMMANDS[name]

    assert functions(told(command, str(hostile), *options, home=home)) <= {"\r"}


@pytest.mark.parametrize(
    "words",
    [("list",), ("list", "--json"), ("resume", hostile_stick.JOB, "--yes")],
    ids=["list", "list --json", "resume"],
)
def test_jobs_of_a_hostile_journal_send_line_ends_alone(
    hostile: Path, home: Path, words: tuple[str, ...]
) -> None:
    assert functions(told("jobs", *words, "--target", str(hostile), home=home)) <= {"\r"}


def test_a_recovery_tells_of_hostile_names_in_line_ends_alone(
    hostile: Path, home: Path, tmp_path: Path
) -> None:
    stick = Path(shutil.copytree(hostile, tmp_path / f"copy{hostile_stick.NAME[:40]}"))
    hostile_stick.ended(stick)
    said = told("recover", str(stick), "--yes", home=home)

    assert functions(said) <= {"\r"}
    # It got to the names: e2fsck tells of one, and the report of the others.
    assert b"ended with" not in said
    assert b"/home/0E\\x1b]0;T" in said


# The console.


def walk(terminal: Terminal) -> None:
    """Through the screens that there are for an ill overlay and its job, to what e2fsck says."""
    terminal.until("A job was interrupted")
    terminal.go("\x1b", "What matters now")
    terminal.go("\x1bOP", "A LiveOS stick starts a whole system")
    terminal.go("\x1b", "What matters now")
    terminal.go("d", "Sticks that come and go")
    terminal.go("\x1b", "What matters now")
    terminal.go("j", "A job goes on whether or not")
    terminal.go("u", "Undo it all")
    terminal.go("\x1b", "A job goes on whether or not")
    terminal.go("\r", "What to do now")
    terminal.go("\x1b", "A job goes on whether or not")
    terminal.go("L", "")
    terminal.until_gone("L Leave it")
    terminal.go("\x1b", "What matters now")
    terminal.go("x", "thrown away")
    terminal.go("\x1b", "What matters now")
    terminal.go("r", "Rehearse the repair")
    terminal.go("a", "If you go on, the stick is written to")
    terminal.go("\x1b", "b Back")
    terminal.go("l", "Read on")
    terminal.go("\x1b", "b Back")
    terminal.go("c", "Cancelled.")


def test_no_control_function_of_the_data_reaches_the_terminal_on_any_screen(
    hostile: Path, harmless: Path, home: Path, tmp_path: Path, terminals: list[Terminal]
) -> None:
    stick = Path(shutil.copytree(hostile, tmp_path / f"copy{hostile_stick.NAME[:40]}"))
    # The machine does not know of this one yet, and it is the newest.
    hostile_stick.write_journal(stick, f"{hostile_stick.JOB}-b", 1.9e9)
    terminals += [at_terminal(str(folder), home=home) for folder in (harmless, stick)]
    own, terminal = terminals
    own.until("What matters now")
    own.go("q", "")
    own.exit_code()
    walk(terminal)
    terminal.go("q", "")
    terminal.exit_code()

    assert functions(terminal.bytes) <= functions(own.bytes)
