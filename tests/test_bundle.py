"""The bundle that `make bundle` makes: one folder, run where it lies, by any Python from 3.11 on.

It is run as on a stick: by a Python that has no packages of its own, from a folder that cannot be
written, with an environment that knows nothing of this checkout.
"""

import hashlib
import json
import marshal
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from zipfile import ZipFile

import pytest
from pseudo_terminal import Terminal

from liveos_tui import __version__
from liveos_tui.practice.builder import PracticeState, build
from liveos_tui.system.bundle import read_bundle
from liveos_tui.system.files import Folder
from liveos_tui.system.private_folder import remove_tree, state_folder

pytestmark = pytest.mark.real_tools

CHECKOUT = Path(__file__).parents[1]
BUILD = [sys.executable, str(CHECKOUT / "tools/bundle/build.py")]
TAG = sys.implementation.cache_tag
PYC_HEADER_BYTES = 16


def other_pythons() -> list[str]:
    """Pythons of other versions that the bundle is for: in the PATH, and beside this one."""
    beside = list(Path(sys.base_prefix).parent.glob("*/bin"))
    names = [f"python3.{minor}" for minor in range(11, 15) if minor != sys.version_info.minor]
    found = [shutil.which(name, path=str(folder)) for name in names for folder in beside]
    # What is in the PATH may be a script that asks which one is meant, and may find none.
    ask = ("-I", "-c", "import sys; print(sys.executable)")
    said = [
        subprocess.run([python, *ask], capture_output=True, text=True, check=False).stdout.strip()
        for python in {*found, *map(shutil.which, names)}
        if python is not None
    ]
    return sorted({*said} - {""})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bundle, in a folder that nobody writes to."""
    folder = tmp_path_factory.mktemp("bundle") / "liveos-tui"
    make(folder)
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    folder.chmod(0o755)


def make(folder: Path, **environment: str) -> None:
    subprocess.run(
        [*BUILD, folder, "--python", sys.executable],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("stick") / "stick", PracticeState.FRESH).folder


@pytest.fixture
def path_of_python(tmp_path: Path) -> Path:
    """A PATH of the programs that the launcher needs, and of one Python without packages."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "readlink"):
        (folder / name).symlink_to(shutil.which(name) or name)
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
    return folder


def run(bundle: Path, *words: str | Path, path: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("sh") or "sh", bundle / "liveos-tui", *words],
        env={"PATH": str(path), "LANG": "C.UTF-8"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def contents(bundle: Path) -> dict[str, bytes]:
    """All files, those in zips as they are when they are unpacked."""
    found = {}
    for file in bundle.iterdir():
        if file.suffix != ".zip":
            found[file.name] = file.read_bytes()
            continue
        with ZipFile(file) as archive:
            found |= {f"{file.name}/{name}": archive.read(name) for name in archive.namelist()}
    return found


def files_of_code(code: CodeType) -> set[str]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return {code.co_filename}.union(*map(files_of_code, inner))


# --- what it is made of ---


def test_the_same_sources_make_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", PYTHONHASHSEED="12345", TZ="Asia/Tokyo", LC_ALL="C")

    assert contents(tmp_path / "again") == contents(bundle)
    assert read_bundle(Folder(tmp_path / "again")) == read_bundle(Folder(bundle))


def test_its_checksums_are_those_of_sha256sum(bundle: Path) -> None:
    checked = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(checked, cwd=bundle, stdout=subprocess.DEVNULL, check=True)
    named = {line.split()[1] for line in (bundle / "SHA256SUMS").read_text().splitlines()[1:]}

    assert named | {"SHA256SUMS"} == {file.name for file in bundle.iterdir()}


def test_nothing_in_it_tells_of_the_machine_that_made_it(bundle: Path) -> None:
    here = {str(CHECKOUT), sys.prefix, sys.base_prefix} - {"/usr", "/"}
    telling = [
        (name, place)
        for name, data in contents(bundle).items()
        for place in here
        if place.encode() in data
    ]
    assert telling == []


def test_compiled_modules_name_their_files_as_they_are_in_it(bundle: Path) -> None:
    modules = {n: d for n, d in contents(bundle).items() if n.endswith(".pyc")}
    named = {
        name: files_of_code(marshal.loads(data[PYC_HEADER_BYTES:]))  # noqa: S302 - made here
        for name, data in modules.items()
    }
    assert len(named) > 300
    assert named == {
        name: {f"liveos-tui/{name.removeprefix(f'{TAG}.zip/').removesuffix('c')}"} for name in named
    }


def test_it_has_nothing_that_is_compiled_for_one_processor(bundle: Path) -> None:
    assert [name for name, data in contents(bundle).items() if data.startswith(b"\x7fELF")] == []


def test_every_package_in_it_comes_with_its_license(bundle: Path) -> None:
    with ZipFile(bundle / "source.zip") as archive:
        packages = [
            name.partition(".dist-info")[0].rpartition("-")
            for name in archive.namelist()
            if name.endswith(".dist-info/METADATA")
        ]
    said = (bundle / "LICENSES.txt").read_text()

    assert {name for name, _, _ in packages} >= {"textual", "rich", "humanize", "pyudev"}
    for name, _, version in packages:
        assert f"\n{name} {version}\n".replace("_", "-").lower() in said.replace("_", "-").lower()
    assert "GNU GENERAL PUBLIC LICENSE" in said
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in said


# --- running it ---


def test_it_says_its_version(bundle: Path, path_of_python: Path) -> None:
    said = run(bundle, "--version", path=path_of_python)

    assert (said.stdout, said.stderr) == (f"liveos-tui {__version__}\n", "")


def test_it_tells_of_a_stick_what_the_installed_one_tells(
    bundle: Path, stick: Path, path_of_python: Path
) -> None:
    path = f"{path_of_python}:/usr/sbin:/usr/bin:/sbin:/bin"
    said = run(bundle, "status", stick, "--json", path=path)
    installed = subprocess.run(
        [sys.executable, "-m", "liveos_tui", "status", stick, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )

    def still(text: str) -> dict[str, object]:
        # Others write to this machine's own disk.
        return {key: value for key, value in json.loads(text).items() if key != "host"}

    assert still(said.stdout) == still(installed.stdout)


def test_its_worker_carries_a_job_out(bundle: Path, stick: Path, tmp_path: Path) -> None:
    own = shutil.copytree(stick, tmp_path / "stick")
    python = Path(sys.base_prefix) / "bin"
    done = run(bundle, "grow", own, "--by", "4M", "--yes", path=f"{python}:{os.environ['PATH']}")

    assert done.returncode == 0, done.stderr
    assert (
        next((own / "LiveOS").glob("overlay-*")).stat().st_size
        > next((stick / "LiveOS").glob("overlay-*")).stat().st_size
    )


def test_its_console_opens(bundle: Path, stick: Path, path_of_python: Path) -> None:
    terminal = Terminal(
        *(shutil.which("sh") or "sh", bundle / "liveos-tui", stick),
        environment={
            "PATH": f"{path_of_python}:{os.environ['PATH']}",
            "TERM": "linux",
            "LANG": "C.UTF-8",
        },
    )
    try:
        terminal.until("q Quit")
        terminal.press("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def test_running_it_changes_nothing_in_it(bundle: Path, path_of_python: Path) -> None:
    before = {path: path.stat() for path in bundle.rglob("*")}
    run(bundle, "--help", path=path_of_python).check_returncode()
    after = {path: path.stat() for path in bundle.rglob("*")}

    assert {path: status.st_mtime_ns for path, status in after.items()} == {
        path: status.st_mtime_ns for path, status in before.items()
    }


def test_packages_of_the_system_and_of_a_person_are_not_asked(
    bundle: Path, path_of_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "textual.py").write_text("raise SystemExit('another textual')")
    (tmp_path / "humanize.py").write_text("raise SystemExit('another humanize')")
    said = subprocess.run(
        [shutil.which("sh") or "sh", bundle / "liveos-tui", "status", tmp_path],
        env={"PATH": str(path_of_python), "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (3, "")
    assert "is not a LiveOS" in said.stderr


@pytest.fixture
def kept_code(bundle: Path) -> Iterator[Path]:
    """Where a Python that the bundle was not compiled for keeps what it compiles; removed after."""
    name = hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest()[:16]
    folder = state_folder() / "compiled"
    yield folder / name
    for kept in folder.glob(f"*-{name}"):
        remove_tree(kept)


@pytest.mark.parametrize("python", other_pythons() or [sys.executable])
def test_every_python_from_3_11_on_runs_it(
    bundle: Path, stick: Path, kept_code: Path, tmp_path: Path, python: str
) -> None:
    for name in ("dirname", "readlink"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    (tmp_path / "python3").symlink_to(python)
    path = f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    for _ in ("compiled", "compiled before"):
        said = run(bundle, "status", stick, path=path)
        assert (said.returncode, said.stderr) == (0, "")
    if python != sys.executable and os.geteuid() == 0:
        kept = kept_code.parent.glob(f"*-{kept_code.name}/liveos_tui.*")
        assert "liveos_tui.commands.looking" in {path.name for path in kept}


# --- the launcher ---


def test_the_launcher_takes_the_first_python_that_fits(bundle: Path, path_of_python: Path) -> None:
    (path_of_python / "python3").rename(path_of_python / "python3.13")
    (path_of_python / "python3").write_text("#!/bin/sh\nexit 1\n")
    (path_of_python / "python3").chmod(0o755)

    assert run(bundle, "--version", path=path_of_python).returncode == 0


def test_the_launcher_says_in_one_sentence_that_no_python_fits(
    bundle: Path, path_of_python: Path
) -> None:
    (path_of_python / "python3").unlink()
    said = run(bundle, "--version", path=path_of_python)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "liveos-tui needs Python 3.11 or later, and there is none here.\n"


def test_the_launcher_may_be_a_link_to_it(
    bundle: Path, path_of_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "liveos-tui").symlink_to(bundle / "liveos-tui")

    assert run(tmp_path, "--version", path=path_of_python).returncode == 0


# --- from stick to stick ---


def test_it_copies_itself_onto_a_stick_and_runs_there(
    bundle: Path, stick: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(stick, tmp_path / "stick")
    path = f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
    said = run(bundle, "install-to-stick", own, path=path)

    assert (said.returncode, said.stderr) == (0, "")
    assert "It was read back, and is the same." in said.stdout
    assert "sh /run/initramfs/live/liveos-tui/liveos-tui" in said.stdout
    assert read_bundle(Folder(own / "liveos-tui")) == read_bundle(Folder(bundle))
    assert run(own / "liveos-tui", "status", own, path=path).returncode == 0
