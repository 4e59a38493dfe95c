"""The command line, as a person or a script runs it, on practice sticks of real files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_tools


def liveos_tui(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "liveos_tui", *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stick") / "practice"
    liveos_tui("practice", str(folder), "--state", "healthy", "--no-console").check_returncode()
    return folder


def test_status_of_a_practice_stick(stick: Path) -> None:
    found = liveos_tui("status", str(stick))

    assert found.returncode == 0
    assert "PRACTICE" in found.stdout.splitlines()[0]
    assert found.stderr == ""


def test_status_as_json_is_one_document(stick: Path) -> None:
    found = json.loads(liveos_tui("status", str(stick), "--json").stdout)

    assert found["overlay"]["state"] == "ok"
    assert found["root"]["filesystem"] == "ext4"


@pytest.mark.parametrize(
    ("state", "overlay", "code"),
    [
        ("fresh", "fresh", 0),
        ("nearly-full", "filling", 10),
        ("overflow", "full", 20),
        ("invalid", "invalid", 20),
    ],
)
def test_the_states_of_practice_sticks(tmp_path: Path, state: str, overlay: str, code: int) -> None:
    folder = str(tmp_path / "practice")
    liveos_tui("practice", folder, "--state", state, "--no-console").check_returncode()
    found = liveos_tui("status", folder, "--json")

    assert json.loads(found.stdout)["overlay"]["state"] == overlay
    assert found.returncode == code


def test_a_folder_that_is_no_liveos_is_one_sentence_and_a_hint(tmp_path: Path) -> None:
    found = liveos_tui("status", str(tmp_path))

    assert found.returncode == 3
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 2
    assert "is not a LiveOS" in found.stderr


def test_a_missing_target_is_a_mistake_of_usage() -> None:
    assert liveos_tui("status", "/nowhere").returncode == 2


def test_a_name_with_escape_sequences_does_not_reach_the_terminal() -> None:
    assert "\x1b" not in liveos_tui("status", "/nowhere/\x1b]0;owned\x07").stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("stauts",), "status"),
        (("jbos", "--json"), "jobs"),
        (("foo",), None),
        (("undo",), "jobs rollback"),
        (("cancel", "ID"), "jobs cancel"),
        (("rescue", "/dev/sdb1"), "recover"),
        (("help",), "--help"),
    ],
)
def test_a_mistyped_command_is_told_with_the_closest_one(
    words: tuple[str, ...], meant: str | None
) -> None:
    found = liveos_tui(*words)

    assert (found.returncode, found.stdout) == (2, "")
    assert f"{words[0]} is no command" in found.stderr
    assert ("Did you mean" in found.stderr) is (meant is not None)
    assert meant is None or f"Did you mean {meant}?" in found.stderr


def test_a_file_that_is_called_like_a_mistyped_command_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "stauts").mkdir()
    found = subprocess.run(
        [sys.executable, "-m", "liveos_tui", "stauts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TERM": "dumb"},
    )

    assert "is no command" not in found.stderr
    assert "TERM" in found.stderr


def test_an_empty_target_is_a_mistake_of_usage() -> None:
    assert liveos_tui("status", "").returncode == 2


def test_a_full_disk_below_the_output_is_one_sentence(stick: Path) -> None:
    found = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m liveos_tui status '{stick}' > /dev/full"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 1
    assert found.stderr == "liveos-tui: The output could not be written: No space left on device.\n"


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    script = f"mkdir gone; cd gone; rmdir ../gone; '{sys.executable}' -m liveos_tui status ."
    found = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert found.returncode == 2
    assert "Traceback" not in found.stderr


def test_a_terminal_that_cannot_show_the_console_is_told(stick: Path) -> None:
    found = liveos_tui(str(stick), TERM="dumb")

    assert found.returncode == 1
    assert "TERM" in found.stderr


@pytest.mark.parametrize(
    ("words", "command", "meant"),
    [
        (("status", "x", "--jsn"), "status", "--json"),
        (("grow", "--tto=5M"), "grow", "--to"),
        (("--loook", "plain"), "console", "--look"),
    ],
)
def test_a_mistyped_option_is_told_with_the_closest_one_and_the_usage_of_its_command(
    words: tuple[str, ...], command: str, meant: str
) -> None:
    found = liveos_tui(*words)

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"usage: liveos-tui {command} ")
    assert f"Did you mean {meant}?" in found.stderr


@pytest.mark.parametrize(
    ("words", "command", "told"),
    [
        (("--look", "rihc"), "console", "--look takes plain or rich, not rihc. Did you mean rich?"),
        (("merge", "--comp", "zstdd"), "merge", "not zstdd. Did you mean zstd?"),
        (("practice", "--state", "invlid"), "practice", "not invlid. Did you mean invalid?"),
        (("jobs", "rolback", "ID"), "jobs", "not rolback. Did you mean rollback?"),
        (("jobs", "undo", "ID"), "jobs", "not undo. Did you mean rollback?"),
        (("jobs", "help"), "jobs", "not help. Did you mean --help?"),
        (
            ("completion", "bsh"),
            "completion",
            "takes bash, zsh or fish, not bsh. Did you mean bash?",
        ),
        (("merge", "--engine", "xyzzy"), "merge", "--engine takes stream or mirror, not xyzzy.\n"),
    ],
)
def test_a_mistyped_value_is_told_with_all_there_are_and_the_closest_one(
    words: tuple[str, ...], command: str, told: str
) -> None:
    found = liveos_tui(*words)

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"usage: liveos-tui {command} ")
    assert told in found.stderr
    assert found.stderr.endswith(
        f"Nothing was done. `liveos-tui {command} --help` tells what there is.\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grow", "--by"), "--by needs a value."),
        (("grow", "--by", "--yes"), "--by needs a value."),
        (("grow", "--by", "1M", "--to", "2M"), "--to does not go with --by: name one."),
        (("status", "--json=yes"), "--json takes no value."),
        (("merge", "--level", "x"), "--level takes a number from 1 to 22, not x."),
        (("merge", "--level", "99"), "--level takes a number from 1 to 22, not 99."),
        (("install-to-stick",), "TARGET is missing."),
        (("merge", "--work", ""), "--work is empty."),
        (("recover", "--backup", ""), "--backup is empty."),
        (("jobs", "cancel", ""), "ID is empty."),
        (("status", ""), "TARGET is empty."),
        (("",), "TARGET is empty."),
    ],
)
def test_a_mistake_of_usage_is_one_sentence_and_what_to_do(
    words: tuple[str, ...], told: str
) -> None:
    found = liveos_tui(*words)

    assert (found.returncode, found.stdout) == (2, "")
    *_, what, hint = found.stderr.splitlines()
    assert what == f"liveos-tui: {told}"
    assert hint.startswith("Nothing was done. ")


def test_a_size_is_not_negative() -> None:
    found = liveos_tui("grow", "--by", "-5M")

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("liveos-tui: '-5M' is negative, and a size is not.\n")


def test_an_option_like_no_other_has_no_suggestion() -> None:
    found = liveos_tui("status", "--xyzzy")

    assert found.returncode == 2
    assert "no option --xyzzy" in found.stderr
    assert "Did you mean" not in found.stderr


@pytest.mark.parametrize(
    "words", [("status", "one"), ("practice", "one"), ("jobs", "attach", "one"), ("jobs", "list")]
)
def test_a_word_too_many_is_a_mistake_of_usage(words: tuple[str, ...]) -> None:
    found = liveos_tui(*words, "two")

    assert (found.returncode, found.stdout) == (2, "")
    assert "no place for two" in found.stderr


def test_the_console_needs_a_terminal(stick: Path) -> None:
    found = liveos_tui(str(stick))

    assert found.returncode == 1
    assert "needs a terminal" in found.stderr
    assert "liveos-tui status" in found.stderr


@pytest.mark.parametrize("terminal", ["dumb", "xterm"])
def test_without_a_terminal_a_name_that_is_not_there_is_told_first(terminal: str) -> None:
    found = liveos_tui("/nowhere/stick", TERM=terminal)

    assert found.returncode == 2
    assert found.stderr.startswith("liveos-tui: There is no /nowhere/stick.\n")


def test_help_tells_targets_commands_and_exit_codes() -> None:
    text = liveos_tui("--help").stdout

    words = ("status", "practice", "TARGET", "exit statuses", "examples")
    assert all(word in text for word in words)


def test_a_reader_that_goes_away_is_no_traceback(stick: Path) -> None:
    found = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m liveos_tui --help | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in found.stderr


def test_looking_changes_nothing_on_the_stick(stick: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        return [
            (path.name, path.stat().st_mtime_ns, path.stat().st_size)
            for path in sorted(stick.rglob("*"))
        ]

    before = state()
    liveos_tui("status", str(stick))

    assert state() == before
