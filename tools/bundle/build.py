"""Makes the bundle: liveos-tui and all that it needs, in one folder that runs where it lies.

    python tools/bundle/build.py FOLDER [--python PYTHON]...

It is made of this checkout and of the packages that this environment has: nothing is downloaded.
It is compiled for each PYTHON; by default for those that are found here, of the versions that the
project is for. The same checkout and packages give the same bytes.

What is left out: psutil, which is compiled for one processor (/proc takes its place), everything
that is not Python (translations of humanize, grammars for Textual's editor), and the lexers of
Pygments but for Python's, which shows tracebacks. `source.zip` has the sources of all the rest.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from importlib.metadata import Distribution, distribution
from pathlib import Path

from compiling import write_zip
from packaging.requirements import Requirement

from liveos_tui import __version__
from liveos_tui.formats.checksums import Checksums
from liveos_tui.system.bundle import (
    LICENSES,
    NAME,
    SOURCE,
    START,
    SUMS,
    is_bundle_file,
    own_sources,
)

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parents[1]
_MINORS = range(11, 15)
_LEFT_OUT = frozenset({"psutil"})
_LEXERS = "pygments/lexers/*"
_KEPT_LEXERS = frozenset(
    f"pygments/lexers/{name}.py" for name in ("__init__", "_mapping", "python")
)
_LICENSE_NAMES = ("LICEN[CS]E*", "COPYING*", "AUTHORS*", "NOTICE*")
_ASK_TAG = "import sys; print(sys.implementation.cache_tag)"


def dependencies(name: str, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """All packages that a package needs, and what they need in turn, by their names."""
    found: dict[str, Distribution] = {}
    for line in distribution(name).requires or ():
        needed = Requirement(line)
        wanted = ({"extra": extra} for extra in extras or {""})
        if needed.name in _LEFT_OUT:
            continue
        if needed.marker is None or any(map(needed.marker.evaluate, wanted)):
            found[needed.name] = distribution(needed.name)
            found |= dependencies(needed.name, frozenset(needed.extras))
    return found


def package_sources(package: Distribution) -> dict[str, bytes]:
    """A package's modules, and the file by which Python knows its version."""
    found = {}
    for file in package.files or ():
        name = file.as_posix()
        is_left_out = fnmatch(name, _LEXERS) and name not in _KEPT_LEXERS
        is_metadata = name.endswith(".dist-info/METADATA")
        if is_metadata or (name.endswith(".py") and not name.startswith("..") and not is_left_out):
            found[name] = file.read_binary()
    return found


def licenses(packages: Sequence[Distribution]) -> Iterator[str]:
    """Whose each part is, and under which terms, in the words of each."""
    yield f"liveos-tui {__version__} (GPL-2.0-or-later)\n\n{(_CHECKOUT / 'LICENSE').read_text()}"
    for package in packages:
        files = [
            file
            for file in package.files or ()
            if any(fnmatch(file.name, pattern) for pattern in _LICENSE_NAMES)
            and file.suffix not in {".py", ".pyc"}
        ]
        if not files:
            raise SystemExit(f"{package.name} {package.version} has no license to carry along.")
        texts = (f"-- {file.as_posix()}\n\n{file.read_text()}" for file in files)
        yield f"{package.name} {package.version}\n\n" + "\n".join(texts)


def pythons_here() -> list[str]:
    """The Python that runs this, and those of the other versions that are in the PATH."""
    names = [f"python3.{minor}" for minor in _MINORS if minor != sys.version_info.minor]
    return [sys.executable, *filter(None, map(shutil.which, names))]


def tag_of(python: str) -> str | None:
    """The name of a Python's compiled modules ("cpython-311"), None for one that cannot be had."""
    argv = [python, "-I", "-S", "-c", _ASK_TAG]
    asked = subprocess.run(argv, capture_output=True, text=True, check=False)
    tag = asked.stdout.strip()
    return tag if asked.returncode == 0 and is_bundle_file(f"{tag}.zip") else None


def compile_for(tags: dict[str, str], folder: Path) -> None:
    """Have each Python compile the sources, side by side."""
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    words = ["-B", "-s", "-S", str(_HERE / "compiling.py"), str(folder / SOURCE)]
    at_work = [
        subprocess.Popen([python, *words, folder / f"{tag}.zip"], env=environment)
        for tag, python in tags.items()
    ]
    if any([process.wait() for process in at_work]):  # noqa: C419 - all are waited for
        raise SystemExit("The sources could not be compiled.")


def build(folder: Path, pythons: Sequence[str]) -> list[str]:
    """Make the bundle in a folder that does not exist yet; what it was compiled for."""
    needed = dependencies("liveos-tui")
    packages = [needed[name] for name in sorted(needed)]
    folder.mkdir(parents=True)
    sources = own_sources(_CHECKOUT)
    for package in packages:
        sources |= package_sources(package)
    write_zip(folder / SOURCE, sources)
    tags = {tag: python for python in reversed(pythons) if (tag := tag_of(python))}
    compile_for(tags, folder)
    ruler = "\n" + "=" * 80 + "\n\n"
    (folder / LICENSES).write_text(ruler.join(licenses(packages)), encoding="utf-8")
    for name in (NAME, START):
        (folder / name).write_bytes((_HERE / name).read_bytes())
    (folder / NAME).chmod(0o755)
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    (folder / SUMS).write_text(Checksums(__version__, hashes).text(), encoding="ascii")
    return sorted(tags)


def main() -> None:
    """Make the bundle, in the place of an earlier one."""
    options = argparse.ArgumentParser(description="Make the bundle of this checkout.")
    options.add_argument("folder", type=Path)
    options.add_argument("--python", action="append", metavar="PYTHON")
    asked = options.parse_args()
    folder: Path = asked.folder
    foreign = [file.name for file in folder.glob("*") if not is_bundle_file(file.name)]
    if foreign:
        raise SystemExit(f"{folder} holds what is no bundle ({foreign[0]}), so it was left alone.")
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    tags = build(building, asked.python or pythons_here())
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    size = sum(file.stat().st_size for file in folder.iterdir()) / (1 << 20)
    print(f"{folder}: {size:.1f} MiB, compiled for {', '.join(tags)}.")
    print(
        f"Copy it to a stick with: liveos-tui install-to-stick TARGET. Try it: sh {folder}/{NAME}"
    )


if __name__ == "__main__":
    main()
