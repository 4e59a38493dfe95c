"""The bundle's door: finds the program for the Python that runs it, and runs it where it lies.

A zip beside this file holds the program compiled for one version of Python. Where there is none for
this version, the sources are imported. What is compiled of them is then kept in memory (below /run)
until the next boot, so that only the first start is slow; nothing is kept where there is no /run.
"""

import marshal
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType
from zipimport import zipimporter

_HERE = Path(__file__).resolve().parent
_SOURCE = _HERE / "source.zip"
_COMPILED = _HERE / f"{sys.implementation.cache_tag}.zip"
_SUMS = _HERE / "SHA256SUMS"
_MEMORY = "/run/"


class _Keeper(zipimporter):
    """Imports from the sources, once they have been compiled from what was kept of that."""

    folder: Path
    """This user's alone: what lies there is run."""

    def get_filename(self, fullname: str) -> str:
        """The file of a module. Each import asks for it, and zipimporter compiles to find it."""
        end = "/__init__.py" if self.is_package(fullname) else ".py"
        return f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}{end}"

    def get_code(self, fullname: str) -> CodeType:
        """The code of a module."""
        kept = self.folder / fullname
        with suppress(OSError, ValueError, EOFError, TypeError):
            code = marshal.loads(kept.read_bytes())  # noqa: S302 - written here
            if isinstance(code, CodeType):
                return code
        code = super().get_code(fullname)
        written = kept.with_name(f"{fullname}.{os.getpid()}")
        # Without room it is compiled again the next time.
        with suppress(OSError):
            written.write_bytes(marshal.dumps(code))
            written.replace(kept)
        return code


def _keep_what_is_compiled() -> None:
    import hashlib  # noqa: PLC0415

    from liveos_tui.errors import LiveosError  # noqa: PLC0415
    from liveos_tui.system.private_folder import private_folder, state_folder  # noqa: PLC0415

    bundle = hashlib.sha256(_SUMS.read_bytes()).hexdigest()[:16]
    try:
        state = state_folder()
        if not str(state).startswith(_MEMORY):
            return
        _Keeper.folder = private_folder(
            private_folder(state / "compiled") / f"{sys.implementation.cache_tag}-{bundle}"
        )
    except LiveosError:
        return
    sys.path_hooks.insert(0, _import_from_sources)
    sys.path_importer_cache.clear()


def _import_from_sources(path: str) -> zipimporter:
    if not path.startswith(str(_SOURCE)):
        raise ImportError(path)
    return _Keeper(path)


def main() -> None:
    """Run the program."""
    is_compiled = _COMPILED.exists()
    sys.path.insert(0, str(_COMPILED if is_compiled else _SOURCE))
    if not is_compiled:
        _keep_what_is_compiled()
    from liveos_tui.cli import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
