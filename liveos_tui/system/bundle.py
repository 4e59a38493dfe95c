"""The bundle: this program and all that it needs, as one folder that runs where it lies.

    liveos-tui       starts it (sh)
    start.py         the same in Python
    source.zip       the program and its packages, as sources
    cpython-311.zip  all of that compiled for Python 3.11; others for other versions
    LICENSES.txt     whose each part is
    SHA256SUMS       what each file must be

`make bundle` makes it (tools/bundle).
"""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import liveos_tui
from liveos_tui.errors import ExitCode, UnreadableError
from liveos_tui.formats.checksums import parse_checksums
from liveos_tui.formats.text import clean
from liveos_tui.system.files import Folder, NotThereError

NAME = "liveos-tui"
"""Of the folder, and of what starts it in there."""

START, SOURCE, LICENSES, SUMS = "start.py", "source.zip", "LICENSES.txt", "SHA256SUMS"
_COMPILED = re.compile(r"cpython-3\d{1,2}\.zip")
_PACKAGE = "liveos_tui"
_NEEDED = frozenset({NAME, START, SOURCE})
# Many times what it takes: the rest is no bundle.
_MOST_BYTES = 64 << 20


class NoBundleError(NotThereError):
    """There is none to be copied."""

    exit_code = ExitCode.USAGE


class BundleDamagedError(UnreadableError):
    """Its files are not what SHA256SUMS says."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle in memory: the program's version, and its files by their names."""

    version: str
    files: Mapping[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(map(len, self.files.values()))


def is_bundle_file(name: str) -> bool:
    """Whether a file of this name belongs to bundles, of this or another version."""
    return name in {*_NEEDED, LICENSES, SUMS} or _COMPILED.fullmatch(name) is not None


def read_bundle(top: Folder, relative: str = "") -> Bundle:
    """Read the bundle in a folder from its medium, and hold it against its SHA256SUMS.

    Raises NoBundleError, FormatError, BundleDamagedError, UnreadableError.
    """
    place = clean(str(top.path / relative))
    try:
        said = _read(top, relative, SUMS)
    except NotThereError as error:
        raise NoBundleError(
            f"There is no bundle of liveos-tui in {place}.",
            "Nothing was changed. `make bundle` in a checkout makes one.",
        ) from error
    sums = parse_checksums(said)
    files = {SUMS: said}
    for name, planned in sums.hashes.items():
        data = _read(top, relative, name)
        if hashlib.sha256(data).hexdigest() != planned:
            raise BundleDamagedError(
                f"{name} in {place} is not what {SUMS} says.",
                "The bundle is damaged. Make it anew, or copy it once more.",
            )
        files[name] = data
    if not files.keys() >= _NEEDED or not all(map(is_bundle_file, files)):
        raise BundleDamagedError(f"{place} is no bundle of liveos-tui.")
    return Bundle(sums.version, files)


def _read(top: Folder, relative: str, name: str) -> bytes:
    with top.open(f"{relative}/{name}") as file:
        file.forget_cache()
        if file.identity.size_bytes > _MOST_BYTES:
            raise BundleDamagedError(f"{clean(name)} is too large for a file of a bundle.")
        return file.read(0, file.identity.size_bytes)


def own_bundle() -> Bundle:
    """The bundle that this program runs from, or that was made of it in its checkout.

    Raises NoBundleError, BundleDamagedError and those of `read_bundle`.
    """
    place = Path(liveos_tui.__file__).parents[1]
    if place.is_file():
        # A zip: it runs from a bundle.
        return read_bundle(Folder(place.parent))
    made = place / "build" / NAME
    if not made.is_dir():
        raise NoBundleError(
            "This liveos-tui is installed, and no bundle was named.",
            "`make bundle` in a checkout makes one; name its folder with --bundle.",
        )
    bundle = read_bundle(Folder(made))
    if not _is_made_of(bundle, place):
        raise NoBundleError(
            f"The bundle in {clean(str(made))} was made of other sources than are here now.",
            "Nothing was copied. `make bundle` makes it anew; --bundle takes it as it is.",
        )
    return bundle


def own_sources(checkout: Path) -> dict[str, bytes]:
    """The program's modules, and the files that it reads, by their paths in its checkout."""
    return {
        file.relative_to(checkout).as_posix(): file.read_bytes()
        for file in sorted((checkout / _PACKAGE).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def _is_made_of(bundle: Bundle, checkout: Path) -> bool:
    try:
        with ZipFile(io.BytesIO(bundle.files[SOURCE])) as archive:
            names = [name for name in archive.namelist() if name.startswith(f"{_PACKAGE}/")]
            return own_sources(checkout) == {name: archive.read(name) for name in names}
    except BadZipFile:
        return False
