"""Changed inodes, found on file systems that mkfs.ext4 made and debugfs changed."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.debugfs import InodeKind
from liveos_tui.formats.ext4_inodes import Change, InodeChange, inode_changes

pytestmark = pytest.mark.real_tools

CHUNK = 4096
REQUESTS = """\
write {new} new
rm doc/gone
set_inode_field doc/longer size 400
set_inode_field doc/touched mtime 20300101
set_inode_field doc/linked links_count 2
set_inode_field doc/read atime 20300101
symlink link /doc/same
mkdir folder
"""


def run(*words: str, stdin: str | None = None) -> str:
    finished = subprocess.run(words, input=stdin, capture_output=True, text=True, check=True)
    return finished.stdout


def inode(image: Path, path: str) -> int:
    # "Inode: 14   Type: regular ..."
    return int(run("debugfs", "-R", f"stat {path}", str(image)).split()[1])


def reader(image: Path) -> Callable[[int, int], bytes]:
    data = image.read_bytes()
    return lambda offset, size: data[offset : offset + size]


def differing(base: Path, view: Path) -> list[int]:
    old, new = base.read_bytes(), view.read_bytes()
    assert len(old) == len(new)
    return [
        place // CHUNK
        for place in range(0, len(old), CHUNK)
        if old[place : place + CHUNK] != new[place : place + CHUNK]
    ]


def make(folder: Path, *options: str) -> tuple[Path, Path]:
    """A base and a copy of it, to be changed."""
    tree = folder / "tree" / "doc"
    tree.mkdir(parents=True)
    for name in ("gone", "longer", "touched", "linked", "read", "same", "replaced"):
        (tree / name).write_text(name * 9)
    for number in range(300):
        (tree / f"filler{number:03}").touch()
    base, view = folder / "base", folder / "view"
    run("truncate", "-s", "40M", str(base))
    run("mkfs.ext4", "-q", "-F", *options, "-d", str(folder / "tree"), str(base))
    shutil.copy(base, view)
    return base, view


LAYOUTS = {
    "as Fedora makes it": ("-b", "4096"),
    "many groups": ("-b", "1024", "-I", "256", "-g", "2048", "-N", "20000"),
    "scattered tables": ("-b", "1024", "-O", "^flex_bg", "-g", "2048"),
    "small inodes": ("-b", "1024", "-I", "128"),
    "2 KiB blocks": ("-b", "2048", "-I", "256"),
    "narrow descriptors": ("-b", "4096", "-O", "^64bit,^metadata_csum"),
    "no checksums": ("-b", "4096", "-O", "^64bit,^metadata_csum,^uninit_bg"),
    "ext3": ("-b", "4096", "-t", "ext3", "-I", "128"),
}


@pytest.mark.parametrize("options", LAYOUTS.values(), ids=LAYOUTS)
def test_changes_of_every_kind(tmp_path: Path, options: tuple[str, ...]) -> None:
    base, view = make(tmp_path, *options)
    new = tmp_path / "new"
    new.write_bytes(b"n" * 5000)
    run("debugfs", "-w", "-f", "/dev/stdin", str(view), stdin=REQUESTS.format(new=new))
    gone = inode(base, "/doc/gone")

    found = list(inode_changes(reader(base), reader(view), differing(base, view)))

    kept = [each for each in found if each.kind is not InodeKind.FOLDER]
    deleted = [each for each in kept if each.change is Change.DELETED]
    changed = {each.inode for each in kept if each.change is Change.CHANGED}
    fresh = {each.inode: each for each in kept if each.change is Change.NEW}
    place, link = inode(view, "/new"), inode(view, "/link")
    assert changed == {inode(base, f"/doc/{name}") for name in ("longer", "touched", "linked")}
    assert deleted == [InodeChange(gone, Change.DELETED, InodeKind.FILE, 36)]
    assert fresh[place] == InodeChange(place, Change.NEW, InodeKind.FILE, 5000)
    assert fresh[link].kind is InodeKind.LINK
    folders = {each.inode: each.change for each in found if each.kind is InodeKind.FOLDER}
    assert folders[inode(view, "/folder")] is Change.NEW


def test_an_inode_that_was_given_to_another_file_is_deleted_and_new(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "4096")
    number = inode(base, "/doc/replaced")
    run("debugfs", "-w", "-R", f"sif <{number}> generation 77", str(view))

    found = list(inode_changes(reader(base), reader(view), differing(base, view)))

    assert [(each.inode, each.change) for each in found] == [
        (number, Change.DELETED),
        (number, Change.NEW),
    ]


def test_times_of_access_alone_are_no_change(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "4096")
    run("debugfs", "-w", "-R", "sif doc/read atime 20300101", str(view))

    chunks = differing(base, view)

    assert chunks
    assert list(inode_changes(reader(base), reader(view), chunks)) == []


def test_only_the_chunks_that_are_named_are_read(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "4096")
    run("debugfs", "-w", "-R", "sif doc/touched mtime 20300101", str(view))

    assert list(inode_changes(reader(base), reader(view), [])) == []
    assert len(list(inode_changes(reader(base), reader(view), range(40 * 256)))) == 1


def test_large_chunks_hold_many_tables(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "1024", "-g", "2048")
    run("debugfs", "-w", "-R", "sif doc/touched mtime 20300101", str(view))

    (found,) = inode_changes(reader(base), reader(view), range(5), 8 << 20)

    assert (found.inode, found.change) == (inode(base, "/doc/touched"), Change.CHANGED)


def test_file_systems_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    base, _ = make(tmp_path / "one", "-b", "4096")
    _, view = make(tmp_path / "two", "-b", "1024")

    with pytest.raises(FormatError, match="laid out in another way"):
        list(inode_changes(reader(base), reader(view), [0]))


def test_meta_bg_is_refused_in_words(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "4096", "-O", "meta_bg,^resize_inode")

    with pytest.raises(FormatError, match="meta_bg"):
        list(inode_changes(reader(base), reader(view), [0]))


def test_a_base_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    base, view = make(tmp_path, "-b", "4096")
    short = base.read_bytes()[:6000]

    with pytest.raises(FormatError, match="cut off"):
        list(inode_changes(lambda at, size: short[at : at + size], reader(view), range(99)))
