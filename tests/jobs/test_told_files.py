"""Which files an overlay has changed, as it is told."""

from liveos_tui.jobs.checking import file_sentences
from liveos_tui.system.e2fsprogs import ChangedFiles

TOPS = ("/etc", "/home", "/usr", "/var")
NAMES = tuple(f"{top}/{number:02}" for top in TOPS for number in range(12))
FOUND = ChangedFiles(2, 46, 2, tuple((top, 12) for top in TOPS), NAMES, 0)


def test_who_has_deleted_files_is_said() -> None:
    gone = "2 files of the image are not there: deleted while the system ran, before the repair."
    assert gone in file_sentences(FOUND)


def test_a_few_names_from_all_over_are_an_example() -> None:
    assert file_sentences(FOUND)[-1] == "Some of them: /etc/00, /home/00, /usr/00, /var/00."


def test_few_names_are_all_told() -> None:
    few = ChangedFiles(1, 1, 0, (("/etc", 2),), ("/etc/a", "/etc/b"), 0)
    assert file_sentences(few)[-1] == "Some of them: /etc/a, /etc/b."
