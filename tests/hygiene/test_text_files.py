"""No file holds a character that a reader cannot see: escapes are written as escapes."""

import unicodedata
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDERS = ("liveos_tui", "tests", "tools", ".ci", "screenshots")
SUFFIXES = {".py", ".md", ".toml", ".sh", ".tcss", ".json", ".txt", ".cfg", ""}
# Binary heads of images, and what the lanes of the virtual machine build.
ELSEWHERE = {PROJECT / "tests" / "vm" / "build"}
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def text_files() -> list[Path]:
    """Every file of text in the project, but nothing that is built."""
    tops = [path for path in PROJECT.iterdir() if path.is_file()]
    inner = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")]
    return sorted(
        path
        for path in (*tops, *inner)
        if path.suffix in SUFFIXES
        and path.is_file()
        and not path.is_symlink()
        and "__pycache__" not in path.parts
        and not ELSEWHERE.intersection(path.parents)
    )


FILES = text_files()


def invisible(text: str, *, tabs: bool = False) -> list[str]:
    allowed = "\n\t" if tabs else "\n"
    return [
        f"line {number}: {character!r}"
        for number, line in enumerate(text.split("\n"), 1)
        for character in line
        if unicodedata.category(character) in INVISIBLE and character not in allowed
    ]


def test_the_project_has_files_to_look_at() -> None:
    names = {path.relative_to(PROJECT).as_posix() for path in FILES}
    assert {"pyproject.toml", "liveos_tui/cli.py", "tests/hygiene/test_text_files.py"} <= names


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x7f", "\x9b", "\u202e", "\u200b", "\r"])
def test_an_invisible_character_is_found(character: str) -> None:
    assert invisible(f"one\ntwo{character}") == [f"line 2: {character!r}"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_file_holds_only_what_can_be_seen(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert invisible(text, tabs=path.name == "Makefile") == []
