"""Compiles the sources of a bundle, for the very Python that runs this.

    python tools/bundle/compiling.py SOURCE.zip COMPILED.zip

The same sources give the same bytes: no times, no paths of this machine, one order (and, from
build.py, one PYTHONHASHSEED, which decides the order of sets in compiled code).
"""

import importlib.util
import marshal
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
# PEP 552: found by the hash of the source, which is not checked again.
_UNCHECKED = (1).to_bytes(4, "little")


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Make a zip that depends on nothing but names and contents."""
    with ZipFile(path, "w") as archive:
        for name in sorted(files):
            archive.writestr(ZipInfo(name, _FIRST_DAY), files[name], ZIP_DEFLATED, 9)


def read_zip(path: Path) -> dict[str, bytes]:
    """Names and contents of a zip."""
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def compiled(name: str, source: bytes) -> bytes:
    """A module as Python imports it; `name` is what a traceback will call its file."""
    code = compile(source, f"liveos-tui/{name}", "exec", dont_inherit=True)
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + digest + marshal.dumps(code)


def main(source: str, target: str) -> None:
    """Compile what is Python in a zip; the rest goes along as it is."""
    files = read_zip(Path(source))
    write_zip(
        Path(target),
        {
            f"{name}c" if name.endswith(".py") else name: compiled(name, data)
            if name.endswith(".py")
            else data
            for name, data in files.items()
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
