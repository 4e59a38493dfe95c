"""How long a COW store with 1,000,000 exceptions (4 GiB, sparse) takes to be analysed.

Prints the seconds of CPU, what was read, and the command. Limit: 0.3 s of CPU, metadata only.
"""

import os
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import allocate, store_metadata

EXCEPTIONS = 1_000_000
SIZE_BYTES = 4 << 30
LIMIT_SECONDS = 0.3


def build(path: Path, exceptions: int = EXCEPTIONS, size_bytes: int = SIZE_BYTES) -> None:
    """Write a store with that many exceptions; its data chunks stay holes."""
    # Old chunks jump about, as those of a used file system do.
    pairs = ((i * 7919 % (1 << 21), new) for i, new in zip(count(), allocate(8), strict=False))
    with path.open("wb") as file:
        for offset, data in store_metadata(
            cow.CowHeader(), (pair for _, pair in zip(range(exceptions), pairs, strict=False))
        ):
            file.seek(offset)
            file.write(data)
        file.truncate(size_bytes)


def main() -> int:
    """Build, measure, print. Returns 1 when a limit is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "overlay")
        build(path)
        asked: list[int] = []
        descriptor = os.open(path, os.O_RDONLY)

        def read(offset: int, size: int) -> bytes:
            data = os.pread(descriptor, size, offset)
            asked.append(len(data))
            return data

        start = time.process_time()
        summary = cow.summarise(read, SIZE_BYTES)
        seconds = time.process_time() - start
        os.close(descriptor)
    metadata = summary.metadata_bytes
    print(
        f"COW store, {summary.exceptions:,} exceptions, {SIZE_BYTES >> 30} GiB: "
        f"{seconds:.3f} s of CPU (limit {LIMIT_SECONDS} s), {sum(asked):,} bytes read "
        f"(metadata: {metadata:,}), status {summary.status}"
    )
    print("    command: .venv/bin/python -m tests.bench.cow")
    well = seconds <= LIMIT_SECONDS and sum(asked) <= metadata
    return 0 if well and summary.exceptions == EXCEPTIONS else 1


if __name__ == "__main__":
    sys.exit(main())
