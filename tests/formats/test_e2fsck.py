"""What real runs of e2fsck have printed (tests/data/e2fsck), and what its exit codes mean."""

from pathlib import Path

import pytest

from liveos_tui.formats.e2fsck import (
    FsckExit,
    FsckMessages,
    FsckProgress,
    FsckSummary,
    Problem,
    exit_words,
)

DATA = Path(__file__).parents[1] / "data" / "e2fsck"
RUNS = sorted(path.stem for path in DATA.glob("*.out"))


def code(name: str) -> FsckExit:
    return FsckExit(int((DATA / f"{name}.code").read_text()))


def summary(name: str) -> FsckSummary:
    return read((DATA / f"{name}.out").read_bytes())


def read(output: bytes) -> FsckSummary:
    messages = FsckMessages()
    messages.feed(output)
    messages.close()
    return messages.summary()


def kinds(name: str) -> set[Problem]:
    return {kind for kind, _ in summary(name).kinds}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "e2fsck found nothing wrong."),
        (1, "e2fsck repaired the file system."),
        (4, "Errors are left in the file system."),
        (9, "e2fsck repaired the file system. e2fsck could not go on."),
        (12, "Errors are left in the file system. e2fsck could not go on."),
        (64, "e2fsck ended with 64."),
    ],
)
def test_exit_codes_in_words(number: int, words: str) -> None:
    assert exit_words(FsckExit(number)) == words


@pytest.mark.parametrize(
    ("name", "met"),
    [
        ("sound", set()),
        ("journal-only", set()),
        ("counts-repair", {Problem.COUNTS}),
        ("bitmaps", {Problem.BITMAPS}),
        ("orphan", {Problem.ORPHANS}),
        ("unattached", {Problem.LOST_FOUND, Problem.CLEARED, Problem.LINKS}),
        ("entries", {Problem.ENTRIES, Problem.LINKS, Problem.BITMAPS, Problem.COUNTS}),
        ("shared", {Problem.SHARED}),
        ("folder", {Problem.FOLDERS, Problem.LOST_FOUND, Problem.LINKS}),
        ("journal-damaged", {Problem.JOURNAL, Problem.BITMAPS, Problem.COUNTS}),
        ("cut-off", {Problem.UNREADABLE}),
    ],
)
def test_kinds_of_problems(name: str, met: set[Problem]) -> None:
    assert kinds(name) == met


def test_garbage_in_the_inode_table() -> None:
    assert {Problem.CLEARED, Problem.ENTRIES, Problem.CONTENTS} <= kinds("inodes")


@pytest.mark.parametrize("name", RUNS)
def test_no_problem_of_a_captured_run_is_of_an_unknown_kind(name: str) -> None:
    assert Problem.OTHER not in kinds(name)


@pytest.mark.parametrize("name", RUNS)
def test_counts_agree_with_the_exit_code(name: str) -> None:
    found, ended = summary(name), code(name)
    assert bool(found.left) == bool(ended & FsckExit.LEFT)
    if ended & FsckExit.FIXED:
        assert found.fixed
        assert found.modified


def test_problems_are_counted() -> None:
    repaired = summary("counts-repair")
    assert (repaired.fixed, repaired.left, repaired.kinds) == (3, 0, ((Problem.COUNTS, 3),))
    preview = summary("counts-preview")
    assert (preview.fixed, preview.left, preview.modified) == (0, 3, False)


def test_files_without_a_name_are_counted() -> None:
    assert summary("unattached").lost_files == 2
    assert summary("entries").lost_files == 0


def test_what_became_of_the_journal() -> None:
    told = {
        name: (summary(name).journal_replayed, summary(name).journal_skipped)
        for name in ("journal-only", "journal-and-all", "journal-skipped", "journal-after")
    }
    assert told == {
        "journal-only": (True, False),
        "journal-and-all": (True, False),
        "journal-skipped": (False, True),
        "journal-after": (False, False),
    }


def test_files_and_blocks_of_the_last_line() -> None:
    found = summary("sound")
    assert found.files == (58, 6144)
    assert found.blocks == (3846, 24576)
    assert summary("missing").files is None


def test_many_repairs_of_a_folder_are_said_to_be_of_a_few() -> None:
    assert "for damaged folders (a single one may need four)" in summary("folder").sentences()[-1]


def test_sentences_for_people() -> None:
    assert summary("orphan").sentences() == ("Repairs: 1 for files deleted while they were open.",)
    assert summary("journal-skipped").sentences() == (
        "The journal was left out: what is in it was not looked at.",
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "No such file or directory while trying to open stick.img"),
        ("inodes-preview", "aborted"),
        (
            "no-superblock",
            "The journal superblock is corrupt while checking journal for stick.img",
        ),
    ],
)
def test_last_words_say_why(name: str, words: str) -> None:
    assert summary(name).last_words == words


def test_last_words_of_a_program_that_was_called_by_its_path() -> None:
    found = read(b"/usr/sbin/e2fsck: Device busy while trying to open x\nIs it mounted?\n")
    assert found.last_words == "Device busy while trying to open x"


def test_last_words_of_a_silent_run() -> None:
    assert FsckSummary().last_words == "it said nothing"


def test_answers_for_a_whole_row_of_problems() -> None:
    # e2fsck/problem.c: latched questions print what was done in the place of an answer.
    output = (
        b"Inodes that were part of a corrupted orphan linked list found.  Fix? yes\n\n"
        b"Inode 12 was part of the orphaned inode list.  FIXED.\n"
        b"Inode 13 was part of the orphaned inode list.  IGNORED.\n"
        b"Illegal block #1 (7) in inode 14.  CLEARED.\n"
    )
    found = read(output)
    assert (found.fixed, found.left) == (3, 1)
    assert found.kinds == ((Problem.ORPHANS, 3), (Problem.CONTENTS, 1))


def test_a_run_that_begins_again() -> None:
    assert read(b"Restarting e2fsck from the beginning...\n").restarted


def test_lines_for_people_are_harmless_and_none_is_empty() -> None:
    messages = FsckMessages()
    assert messages.feed(b"stick: \x1b[2J\n\n\x01stick: |==|  4.0%\r\x02\nrest") == [
        r"stick: \x1b[2J",
        "stick: |==|  4.0%",
    ]
    assert messages.close() == ["rest"]


def test_progress_of_a_real_run() -> None:
    events = FsckProgress().feed((DATA / "sound.progress").read_bytes())
    fractions = [event.fraction for event in events]
    assert [event.pass_number for event in events] == sorted(event.pass_number for event in events)
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert events[0].name == "inodes, blocks and sizes"


@pytest.mark.parametrize(
    ("line", "fraction"),
    [
        (b"1 1 2 /dev/x\n", 0.35),
        (b"2 1 2 /dev/x\n", 0.8),
        (b"5 3 4 a name with blanks\n", 0.9875),
        (b"3 0 0 /dev/x\n", 0.92),
        (b"4 9 3 /dev/x\n", 0.95),
    ],
)
def test_passes_weigh_what_e2fsck_makes_them_weigh(line: bytes, fraction: float) -> None:
    (event,) = FsckProgress().feed(line)
    assert event.fraction == pytest.approx(fraction)


@pytest.mark.parametrize(
    "line", [b"\n", b"0 1 2 x\n", b"6 1 2 x\n", b"1 x 2 y\n", b"-1 2 3 x\n", b"1 2\n"]
)
def test_other_lines_are_no_progress(line: bytes) -> None:
    assert FsckProgress().feed(line) == []


def test_a_last_line_without_end_counts_only_when_its_numbers_are_whole() -> None:
    progress = FsckProgress()
    assert progress.feed(b"1 1 2 /de") == []
    assert len(progress.close()) == 1
    progress.feed(b"1 1 2")
    assert progress.close() == []
