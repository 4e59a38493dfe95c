"""Man page, completion scripts and help tell of the same commands, and their examples are true."""

import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from liveos_tui.commands.arguments import COMMANDS, parse
from liveos_tui.commands.completion import FILES
from liveos_tui.commands.epilogs import epilog, examples

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "liveos-tui.1"
SCRIPTS = PROJECT / "liveos_tui" / "completion"
STALE = "`make manual` makes it anew"


def made_by(name: str) -> dict[str, Any]:
    return runpy.run_path(str(PROJECT / "tests" / name))


def test_the_man_page_tells_what_the_parser_knows() -> None:
    assert PAGE.read_text() == made_by("manual.py")["page"](), STALE


@pytest.mark.parametrize("shell", FILES)
def test_a_completion_script_knows_what_the_parser_knows(shell: str) -> None:
    assert (SCRIPTS / FILES[shell]).read_text() == made_by("completion.py")["script"](shell), STALE


@pytest.mark.real_tools
def test_the_man_page_has_no_mistake() -> None:
    checks = {
        "groff": ["groff", "-man", "-Tutf8", "-ww", str(PAGE)],
        "mandoc": ["mandoc", "-Tlint", "-Wwarning", str(PAGE)],
    }
    for program, argv in checks.items():
        if shutil.which(program):
            found = subprocess.run(argv, capture_output=True, text=True, check=False)
            said = found.stderr if program == "groff" else found.stdout
            assert (found.returncode, said) == (0, "")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_help_has_examples_and_exit_statuses(command: str) -> None:
    text = epilog(command)

    assert text.startswith("examples:\n  liveos-tui")
    assert "exit statuses: 0" in text


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_a_help_fits_on_a_terminal_of_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        parse([*filter(None, [command]), "--help"])

    assert max(map(len, capsys.readouterr().out.splitlines())) <= 79


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_examples_are_command_lines(command: str) -> None:
    for line, _ in examples(command):
        program, *words = shlex.split(line.partition(">")[0])

        # The one of a bundle starts the program by a path.
        assert program in {"liveos-tui", "sh"}
        assert program == "sh" or parse(words).command in {command, *COMMANDS}


def test_the_readme_names_only_what_is_there() -> None:
    text = (PROJECT / "README.md").read_text()
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    lines = [
        line for block in blocks for line in block.splitlines() if line.startswith("liveos-tui")
    ]

    assert lines
    for line in lines:
        parse(shlex.split(re.split(r"\s{2,}|\|", line)[0])[1:])
