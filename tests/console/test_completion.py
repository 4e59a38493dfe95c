"""Completion of the command line, in the shells that offer it."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Terminal, python

from liveos_tui.commands.completion import FILES

PROJECT = Path(__file__).parents[2]
SCRIPTS = PROJECT / "liveos_tui" / "completion"

pytestmark = pytest.mark.real_tools


COMPLETE = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_liveos_tui
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str, folder: Path = PROJECT) -> list[str]:
    """What bash offers for the last of these words."""
    found = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", str(SCRIPTS / FILES["bash"]), "liveos-tui", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stderr == ""
    return found.stdout.split()


def test_bash_completes_commands_options_and_their_values() -> None:
    assert completed("rec") == ["recover"]
    assert {"--grow", "--rehearse"} <= set(completed("recover", "--"))
    assert completed("practice", "--state", "ne") == ["nearly-full"]
    assert completed("jobs", "roll") == ["rollback"]


def test_bash_completes_targets_and_folders(tmp_path: Path) -> None:
    (tmp_path / "liverpool").mkdir()
    (tmp_path / "lists").touch()

    assert completed("liv", folder=tmp_path) == ["live", "liverpool"]
    assert completed("status", "li", folder=tmp_path) == ["live", "liverpool"]
    assert completed("merge", "--work", "li", folder=tmp_path) == ["liverpool"]
    assert completed("report", "--output", "lis", folder=tmp_path) == ["lists"]


def in_fish(line: str, folder: Path = PROJECT) -> set[str]:
    """What fish offers for the end of this line."""
    words = [str(SCRIPTS / FILES["fish"]), f"liveos-tui {line}"]
    found = subprocess.run(
        ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    return {row.split("\t")[0] for row in found.stdout.splitlines()}


def test_fish_completes_commands_options_their_values_and_targets(tmp_path: Path) -> None:
    (tmp_path / "liverpool").mkdir()

    assert in_fish("rec") == {"recover"}
    assert {"--grow", "--rehearse"} <= in_fish("recover --")
    assert in_fish("practice --state ne") == {"nearly-full"}
    assert in_fish("jobs roll") == {"rollback"}
    assert in_fish("status liv", tmp_path) == {"live", "liverpool/"}
    assert in_fish("merge --work liv", tmp_path) == {"liverpool/"}


@pytest.fixture
def zsh(tmp_path: Path) -> Iterator[Terminal]:
    """A zsh at a terminal, which is where it completes, in a folder of its own."""
    program = "import os, sys; os.chdir(sys.argv[1]); os.execvp('zsh', ['zsh', '-f', '-i'])"
    environment = {"TERM": "linux", "LANG": "C.UTF-8", "HOME": str(tmp_path)}
    terminal = python(program, str(tmp_path), environment=environment)
    scripts = shlex.quote(str(SCRIPTS))
    terminal.press(f"PS1='zsh: ' fpath=({scripts} $fpath); autoload -Uz compinit; compinit -uD\n")
    terminal.until("\nzsh: ")
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rec", "recover"),
        ("recover --reh", "recover --rehearse"),
        ("practice --state ne", "practice --state nearly-full"),
        ("jobs roll", "jobs rollback"),
        ("status liver", "status liverpool/"),
        ("merge --work liv", "merge --work liverpool/"),
    ],
)
def test_zsh_completes_commands_options_their_values_and_targets(
    typed: str, completed: str, zsh: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "liverpool").mkdir()

    zsh.press(f"liveos-tui {typed}\t")
    zsh.until(f"zsh: liveos-tui {completed}")
