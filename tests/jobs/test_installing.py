"""Copying a bundle onto a stick: nothing but its own folder changes, and never for the worse."""

import hashlib
import os
import shlex
from pathlib import Path
from zipfile import ZipFile

import pytest

import liveos_tui
from liveos_tui.commands.installing import install_to_stick
from liveos_tui.errors import LiveosError, NotALiveosError
from liveos_tui.formats.checksums import Checksums
from liveos_tui.jobs.installing import InTheWayError, install
from liveos_tui.system import bundle as bundles
from liveos_tui.system.bundle import Bundle, BundleDamagedError, read_bundle
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import NoExchangeError, StickBusyError, StickFolder
from liveos_tui.system.writable_file import NoRoomError, WritableFile

# The stick's mount is asked of lsblk, and whether its image is one of unsquashfs.
pytestmark = pytest.mark.real_tools

HEAD = Path(__file__).parents[1] / "data/images/squashfs-gzip.head"


def bundle_of(version: str) -> Bundle:
    files = {
        "liveos-tui": b"#!/bin/sh\n",
        "start.py": f"print('{version}')\n".encode(),
        "source.zip": b"sources of " + version.encode(),
        "cpython-311.zip": bytes(100_000),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files["SHA256SUMS"] = Checksums(version, hashes).text().encode()
    return Bundle(version, files)


OLD, NEW = bundle_of("0.1.0"), bundle_of("0.2.0")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "LiveOS").mkdir(parents=True)
    (folder / "LiveOS/squashfs.img").write_bytes(HEAD.read_bytes())
    (folder / "notes.txt").write_text("my own")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def on(stick: Path, bundle: Bundle) -> dict[str, bytes]:
    """What the stick holds with this bundle on it."""
    others = {name: data for name, data in tree(stick).items() if not name.startswith("liveos-tui")}
    return others | {f"liveos-tui/{name}": data for name, data in bundle.files.items()}


def test_the_bundle_lies_beside_the_live_folder(stick: Path) -> None:
    told: list[str] = []
    installed = install(Probes(), NEW, str(stick), told.append)

    assert installed.written
    assert tree(stick) == on(stick, NEW)
    assert read_bundle(Folder(stick), "liveos-tui") == NEW
    assert len(told) == 2


def test_everyone_may_run_it(stick: Path) -> None:
    before = os.umask(0o077)
    try:
        install(Probes(), NEW, str(stick))
    finally:
        os.umask(before)

    assert (stick / "liveos-tui").stat().st_mode & 0o777 == 0o755
    assert (stick / "liveos-tui/start.py").stat().st_mode & 0o777 == 0o644


def test_another_version_is_replaced(stick: Path) -> None:
    install(Probes(), OLD, str(stick))
    installed = install(Probes(), NEW, str(stick))

    assert (installed.written, installed.replaced) == (True, "version 0.1.0")
    assert tree(stick) == on(stick, NEW)


def test_another_version_is_replaced_where_names_cannot_be_exchanged(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NoExchangeError("No.")

    install(Probes(), OLD, str(stick))
    monkeypatch.setattr(StickFolder, "exchange", refuse)
    install(Probes(), NEW, str(stick))

    assert tree(stick) == on(stick, NEW)


def test_the_same_is_not_written_again(stick: Path) -> None:
    install(Probes(), NEW, str(stick))
    inode = (stick / "liveos-tui").stat().st_ino

    assert not install(Probes(), NEW, str(stick)).written
    assert (stick / "liveos-tui").stat().st_ino == inode


def test_a_damaged_copy_is_replaced(stick: Path) -> None:
    install(Probes(), NEW, str(stick))
    (stick / "liveos-tui/source.zip").write_bytes(b"rotten")

    assert install(Probes(), NEW, str(stick)).replaced == "a damaged copy"
    assert tree(stick) == on(stick, NEW)


def test_what_a_power_cut_has_left_is_removed(stick: Path) -> None:
    install(Probes(), OLD, str(stick))
    for name in ("liveos-tui.new", "liveos-tui.old"):
        (stick / name).mkdir()
        (stick / name / "source.zip").write_bytes(b"half of")
    install(Probes(), NEW, str(stick))

    assert tree(stick) == on(stick, NEW)
    assert sorted(path.name for path in stick.iterdir()) == ["LiveOS", "liveos-tui", "notes.txt"]


@pytest.mark.parametrize("name", ["liveos-tui", "liveos-tui.new"])
def test_what_is_a_person_s_own_is_not_replaced(stick: Path, name: str) -> None:
    install(Probes(), OLD, str(stick))
    (stick / name).mkdir(exist_ok=True)
    (stick / name / "thesis.odt").write_text("ten years")
    before = tree(stick)
    with pytest.raises(InTheWayError, match=r"thesis\.odt"):
        install(Probes(), NEW, str(stick))

    assert tree(stick) == before


def test_a_link_is_not_followed(stick: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (stick / "liveos-tui").symlink_to(elsewhere)
    with pytest.raises(InTheWayError, match="no folder"):
        install(Probes(), NEW, str(stick))

    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_is_no_live_stick_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotALiveosError):
        install(Probes(), NEW, str(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_stick_at_work_is_left_alone(stick: Path) -> None:
    before = tree(stick)
    with StickFolder(stick) as other:
        other.lock("LiveOS")
        with pytest.raises(StickBusyError):
            install(Probes(), NEW, str(stick))

    assert tree(stick) == before


def test_room_is_asked_for_before_anything_is_written(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(stick)
    monkeypatch.setattr(StickFolder, "free_bytes", 100_000)
    with pytest.raises(NoRoomError, match="the program needs"):
        install(Probes(), NEW, str(stick))

    assert tree(stick) == before


def test_a_stick_that_fails_keeps_the_program_that_it_has(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: WritableFile) -> None:
        if file.name.endswith("cpython-311.zip"):
            raise LiveosError("The medium is failing.", "Take another one.")

    install(Probes(), OLD, str(stick))
    monkeypatch.setattr(WritableFile, "sync", fail)
    with pytest.raises(LiveosError, match="failing") as caught:
        install(Probes(), NEW, str(stick))

    assert "as it was" in caught.value.hint
    assert tree(stick) == on(stick, OLD)


def test_what_reads_back_otherwise_is_not_taken(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_a_byte(file: WritableFile, offset: int, data: bytes) -> None:
        os.pwrite(file.fileno(), b"?" + data[1:], offset)

    install(Probes(), OLD, str(stick))
    monkeypatch.setattr(WritableFile, "write", forget_a_byte)
    with pytest.raises(LiveosError):
        install(Probes(), NEW, str(stick))

    assert tree(stick) == on(stick, OLD)


def test_how_it_is_started_is_told_whole_however_long_the_path(
    stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = stick.rename(tmp_path / ("it's a long name " * 14))
    made = tmp_path / "made"
    made.mkdir()
    for name, data in NEW.files.items():
        (made / name).write_bytes(data)
    install_to_stick(str(far), str(made))

    *_, last = capsys.readouterr().out.splitlines()
    assert shlex.split(last.partition(":")[2]) == ["sh", f"{far}/liveos-tui/liveos-tui", str(far)]


def test_a_bundle_that_is_damaged_is_not_read(stick: Path) -> None:
    install(Probes(), NEW, str(stick))
    (stick / "liveos-tui/start.py").write_bytes(b"import evil\n")
    with pytest.raises(BundleDamagedError, match=r"start\.py in .* is not what SHA256SUMS says"):
        read_bundle(Folder(stick), "liveos-tui")


def test_a_folder_without_a_bundle_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(bundles.NoBundleError, match="There is no bundle"):
        read_bundle(Folder(tmp_path))


def test_a_checkout_s_bundle_is_copied_while_it_is_of_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "liveos_tui"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.2.0'\n")
    monkeypatch.setattr(liveos_tui, "__file__", str(package / "__init__.py"))
    with pytest.raises(bundles.NoBundleError, match="no bundle was named"):
        bundles.own_bundle()

    made = tmp_path / "build/liveos-tui"
    made.mkdir(parents=True)
    with ZipFile(tmp_path / "source.zip", "w") as archive:
        archive.write(package / "__init__.py", "liveos_tui/__init__.py")
    sources = (tmp_path / "source.zip").read_bytes()
    hashes = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in {**NEW.files, "source.zip": sources}.items()
        if name != "SHA256SUMS"
    }
    for name, data in NEW.files.items():
        (made / name).write_bytes(data)
    (made / "source.zip").write_bytes(sources)
    (made / "SHA256SUMS").write_text(Checksums("0.2.0", hashes).text())
    assert bundles.own_bundle().version == "0.2.0"

    (package / "__init__.py").write_text("__version__ = '0.3.0'\n")
    with pytest.raises(bundles.NoBundleError, match="other sources"):
        bundles.own_bundle()
