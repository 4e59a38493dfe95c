"""What a store was before: chunks saved to a file, and put back to the exact bytes.

The file is a COW store itself, whose base is the overlay's file: a snapshot of it as it was. Old
chunks are the overlay's chunks, new ones hold what was in them. The header is written last, so a
file that was not written to its end is not taken for a whole one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import (
    SECTOR_BYTES,
    CowHeader,
    CowSummary,
    area_chunk,
    exceptions_per_area,
    iterate_exceptions,
    parse_header,
    summarise,
)
from liveos_tui.formats.cow_layout import HEADER_BYTES
from liveos_tui.formats.cow_writer import allocate, store_metadata
from liveos_tui.formats.text import clean
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import WritableFile

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""

# What the kernel may allocate beyond what was foreseen: it never has, and it costs 256 KiB.
_MARGIN_CHUNKS = 64


def metadata_chunks(summary: CowSummary) -> list[int]:
    """The chunks of header and metadata areas, and a last one that the file's end cuts."""
    chunks = [0, *(area_chunk(area, summary.chunk_sectors) for area in range(summary.areas))]
    chunk_bytes = summary.chunk_sectors * SECTOR_BYTES
    if summary.size_bytes % chunk_bytes:
        chunks.append(summary.size_bytes // chunk_bytes)
    return chunks


def metadata_digest(store: WritableFile, summary: CowSummary) -> str:
    """The SHA-256 of header and metadata areas: the same for stores that map the same chunks."""
    chunk_bytes = summary.chunk_sectors * SECTOR_BYTES
    digest = hashlib.sha256()
    for chunk in metadata_chunks(summary):
        digest.update(store.read(chunk * chunk_bytes, chunk_bytes))
    return digest.hexdigest()


def written_chunks(summary: CowSummary, mapped: Iterable[int], fresh: int) -> list[int]:
    """The chunks of the store that a snapshot writes to for some changes, in order.

    `mapped` are the store's chunks of exceptions that exist, `fresh` the number of exceptions that
    are added. (Kernel: persistent_prepare_exception allocates one after the other,
    persistent_commit_exception writes the present area and wipes the one after a full one.)
    """
    sectors = summary.chunk_sectors
    chunks = set(mapped)
    new = allocate(sectors, summary.next_free_chunk)
    chunks.update(next(new) for _ in range(fresh + _MARGIN_CHUNKS))
    last_area = (summary.exceptions + fresh + _MARGIN_CHUNKS) // exceptions_per_area(sectors) + 1
    chunks.update(area_chunk(area, sectors) for area in range(summary.areas - 1, last_area + 1))
    return sorted(chunks)


def save(
    stick: StickFolder,
    name: str,
    store: WritableFile,
    chunk_sectors: int,
    chunks: Iterable[int],
    progress: Progress = lambda _done, _all: None,
) -> str:
    """Save chunks of a store to a new file; the SHA-256 of what was saved.

    Chunks behind the store's end have nothing to save. Raises NoRoomError, LiveosError.
    """
    chunk_bytes = chunk_sectors * SECTOR_BYTES
    wanted = [chunk for chunk in chunks if chunk * chunk_bytes < store.size_bytes]
    pairs = list(zip(wanted, allocate(chunk_sectors), strict=False))
    digest = hashlib.sha256()

    def pieces() -> Iterator[tuple[int, bytes]]:
        for number, (old, new) in enumerate(pairs):
            data = store.read(old * chunk_bytes, chunk_bytes).ljust(chunk_bytes, b"\0")
            digest.update(data)
            yield new * chunk_bytes, data
            progress((number + 1) * chunk_bytes, len(pairs) * chunk_bytes)
        yield from store_metadata(CowHeader(chunk_sectors=chunk_sectors), pairs)

    stick.write_new(name, pieces())
    return digest.hexdigest()


def saved_bytes(chunk_sectors: int, count: int) -> int:
    """The size of a file that holds `count` saved chunks."""
    areas = count // exceptions_per_area(chunk_sectors) + 1
    return (1 + areas + count) * chunk_sectors * SECTOR_BYTES


def _digest(stick: StickFolder, name: str) -> str | None:
    """The SHA-256 of the chunks in a file of `save`; None when there is no whole one."""
    try:
        with stick.open(name) as file:
            size = file.identity.size_bytes
            header = parse_header(file.read(0, HEADER_BYTES))
            if header is None or summarise(file.read, size).damage is not None:
                return None
            digest = hashlib.sha256()
            for _, new in iterate_exceptions(file.read, size):
                digest.update(file.read(new * header.chunk_bytes, header.chunk_bytes))
            return digest.hexdigest()
    except LiveosError:
        return None


def put_back(
    stick: StickFolder,
    name: str,
    store: WritableFile,
    size_bytes: int,
    digest: str,
    progress: Progress = lambda _done, _all: None,
) -> int:
    """Write saved chunks back and read them again; how many. Nothing behind `size_bytes`.

    `digest` is what `save` returned. Raises LiveosError when the file is not whole (nothing is
    written then), or when the medium does not hold what was written.
    """
    if _digest(stick, name) != digest:
        raise LiveosError(
            f"The saved chunks in {clean(name)} are not what was saved; nothing was put back.",
            "A copy of the backup on another disk can take its place.",
        )
    with stick.open(name) as saved:
        size = saved.identity.size_bytes
        header = parse_header(saved.read(0, HEADER_BYTES))
        assert header is not None  # noqa: S101 - the digest was taken with it
        chunk_bytes = header.chunk_bytes
        pairs = list(iterate_exceptions(saved.read, size))

        def content(old: int, new: int) -> bytes:
            length = max(0, min(chunk_bytes, size_bytes - old * chunk_bytes))
            return saved.read(new * chunk_bytes, length)

        for number, (old, new) in enumerate(pairs):
            store.write(old * chunk_bytes, content(old, new))
            progress((number + 1) * chunk_bytes, len(pairs) * chunk_bytes)
        store.sync()
        store.forget_cache()
        for old, new in pairs:
            expected = content(old, new)
            if store.read(old * chunk_bytes, len(expected)) != expected:
                raise LiveosError(
                    f"Chunk {old} of the overlay reads otherwise than it was written.",
                    "The stick is failing. Keep it as it is and copy it before anything else.",
                )
    return len(pairs)
