"""Merging side by side: the wiki's sequence, both engines, and compressing alone as the limit.

    python tests/vm/bench_merge.py [--mib 1024] [--runs 3] [--minutes 16] [--level 3]

Makes an image whose root has `--mib` MiB, two fifths of them used, and merges it with an overlay in
the dm lane's machine, each way in turn, all with zstd at the same level and blocks of 128 KiB.
Everything lies in memory there: what is measured is the work, not a disk. Prints medians, as
ratios to the limit, and the most that each way had in the work folder.
"""

import argparse
import os
import shlex
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# Before `machine` reads it: engines that work in parallel are to be seen doing so.
os.environ.setdefault("LIVEOS_VM_CPUS", "2")

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "jobs")]

import dm_lane  # noqa: E402
from filled import command, leftovers, loop, mounted  # noqa: E402
from machine import CACHE  # noqa: E402

MEMBER = "LiveOS/rootfs.img"
OVERLAY = "overlay-BENCH-1234-ABCD"
NAME = "bench"
LIMIT = "mksquashfs alone, cached image"
WIKI = "wiki: mirror of 32, e2fsck, mksquashfs"
_SOURCES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/python3", "/usr/share", "/usr/bin")
_MIB = 1 << 20


# On this machine: an image with files of its own.


def build(mib: int, level: int) -> Path:
    """The squashfs of a root of `mib` MiB; kept for the next time."""
    folder = CACHE / f"bench-merge-{mib}-{level}"
    image = folder / "squashfs.img"
    if image.exists():
        return image
    shutil.rmtree(folder, ignore_errors=True)
    files, rootfs = folder / "files", folder / "tree" / MEMBER
    rootfs.parent.mkdir(parents=True)
    _copy_files(files, mib * _MIB * 2 // 5)
    command("truncate", "-s", f"{mib}M", rootfs)
    command("mkfs.ext4", "-q", "-b", "4096", "-m", "1", "-L", "root", "-d", files, rootfs)
    made = folder / "making.img"
    command(*squash(folder / "tree", made, level))
    made.rename(image)
    shutil.rmtree(files)
    shutil.rmtree(folder / "tree")
    return image


def _copy_files(target: Path, wanted_bytes: int) -> None:
    """Files of this machine, until they have so many bytes."""
    copied = 0
    # A live system has this file, by which its root is known.
    (target / "etc").mkdir(parents=True)
    (target / "etc" / "os-release").write_text('ID=bench\nPRETTY_NAME="Bench"\n')
    for source in _SOURCES:
        for path in sorted(Path(source).rglob("*")):
            if path.is_symlink() or not path.is_file() or copied >= wanted_bytes:
                continue
            copy = target / path.relative_to("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copied += copy.stat().st_size


def squash(tree: Path, image: Path, level: int) -> list[str | Path]:
    """mksquashfs of a folder, as each way here calls it."""
    return [
        *("mksquashfs", tree, image, "-noappend", "-no-progress", "-all-root", "-no-xattrs"),
        *("-comp", "zstd", "-Xcompression-level", str(level), "-b", "131072"),
    ]


# In the machine.


@dataclass
class Run:
    """One merge: seconds of each of its parts, and the most that it had in the work folder."""

    parts: dict[str, float] = field(default_factory=dict)
    scratch_bytes: int = 0
    image_bytes: int = 0

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a part."""
        began = time.monotonic()
        yield
        self.parts[name] = time.monotonic() - began


@contextmanager
def watched(folder: Path, run: Run) -> Iterator[None]:
    """Note the most that lies in a file system meanwhile."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            usage = os.statvfs(folder)
            used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
            run.scratch_bytes = max(run.scratch_bytes, used)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Bench:
    """The stick in the machine, and the ways to merge it. `folder` is in memory."""

    def __init__(self, folder: Path, image: Path, level: int) -> None:
        # The program itself is needed in the machine only.
        from liveos_tui.system.kernel_views import KernelJoiner
        from liveos_tui.system.runner import SystemRunner

        self.folder, self.level = folder, level
        self.stick, self.work = folder / "stick", folder / "work"
        self.joiner = KernelJoiner(SystemRunner())
        (self.stick / "LiveOS").mkdir(parents=True)
        shutil.copyfile(image, self.stick / "LiveOS" / "squashfs.img")
        self.work.mkdir()
        command("mount", "-t", "tmpfs", "-o", "size=100%", "tmpfs", self.work)
        self.store = self.stick / "LiveOS" / OVERLAY
        self._use()
        self.cached = self._cached()

    def _use(self) -> None:
        """Use the overlay: a tenth of the files is deleted, some are new, some changed."""
        image = self.stick / "LiveOS" / "squashfs.img"
        with self.joiner.base(image, MEMBER, NAME) as base:
            size_bytes = int(command("blockdev", "--getsize64", base))
            self.store.touch()
            os.truncate(self.store, size_bytes // 4)
            # A header that the kernel writes itself: the store is fresh.
            with (
                loop(self.store) as device,
                by_hand("bench-rw", f"snapshot {base} {device} PO 8", size_bytes) as path,
                mounted(path, self.folder / "root") as root,
            ):
                change(root, size_bytes // 20)

    def _cached(self) -> Path:
        """A sparse copy of the merged view, in memory."""
        target = self.folder / "cached" / MEMBER
        target.parent.mkdir(parents=True)
        with self.viewed() as view:
            command("dd", f"if={view}", f"of={target}", "bs=1M", "conv=sparse", "status=none")
        return self.folder / "cached"

    @contextmanager
    def viewed(self) -> Iterator[Path]:
        """The merged view, read-only, with nothing of it in the cache."""
        image = self.stick / "LiveOS" / "squashfs.img"
        with (
            self.joiner.base(image, MEMBER, NAME) as base,
            self.joiner.view(base, self.store, NAME, read_only=True) as view,
        ):
            forget()
            yield view.path

    # The ways.

    def limit(self, run: Run) -> None:
        """Compressing what is in memory already."""
        image = self.folder / "limit.img"
        with run.part("mksquashfs"):
            command(*squash(self.cached, image, self.level))
        run.image_bytes = image.stat().st_size
        image.unlink()

    def wiki(self, run: Run) -> None:
        """As the wiki does it: nobody looks at the mirror's health."""
        copy, image = self.work / "tree" / MEMBER, self.folder / "wiki.img"
        copy.parent.mkdir(parents=True)
        with self.viewed() as view:
            size_bytes = int(command("blockdev", "--getsize64", view))
            command("truncate", "-s", str(size_bytes), copy)
            with run.part("mirror"), loop(copy) as device:
                legs = f"mirror core 2 32 sync 2 {view} 0 {device} 0"
                with by_hand("bench-mirror", legs, size_bytes):
                    wait_for_counts("bench-mirror")
            with run.part("e2fsck"):
                command("e2fsck", "-f", "-y", copy, ok=(0, 1))
            with run.part("mksquashfs"):
                command(*squash(self.work / "tree", image, self.level))
        run.image_bytes = image.stat().st_size
        image.unlink()
        shutil.rmtree(self.work / "tree")

    def engine(self, run: Run, engine: str) -> None:
        """One of the program's engines, through the steps of its job."""
        from merging_work import BESIDE, working
        from recovering import Patient

        from liveos_tui.jobs.imaging import make_image
        from liveos_tui.jobs.mirroring import drop_mirror, mirror_view
        from liveos_tui.plans.actions import Compression, Engine, MakeImage, MirrorView

        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        mirrored = engine == Engine.MIRROR
        work_folder = str(self.work) if mirrored else None
        compression = Compression("zstd", 128 << 10, self.level)
        make = MakeImage(BESIDE, Engine(engine), MEMBER, compression, work_folder)
        with working(Patient(self.stick, scratch), self.joiner) as work:
            work.view()
            forget()
            if mirrored:
                with run.part("mirror"):
                    mirror_view(work, MirrorView(str(self.work)))
            with run.part("image"):
                make_image(work, make)
            if mirrored:
                drop_mirror(work, MirrorView(str(self.work)))
        image = self.stick / BESIDE
        run.image_bytes = image.stat().st_size
        image.unlink()


@contextmanager
def by_hand(name: str, target: str, size_bytes: int) -> Iterator[Path]:
    """A dm device with one target."""
    command("dmsetup", "create", name, "--table", f"0 {size_bytes // 512} {target}")
    try:
        yield Path("/dev/mapper", name)
    finally:
        command("dmsetup", "remove", "--retry", name)


def wait_for_counts(name: str) -> None:
    """Ask the mirror once a second, as the wiki does, but twice as often."""
    while True:
        done, total = command("dmsetup", "status", name).split()[6].split("/")
        if done == total:
            return
        time.sleep(0.5)


def forget() -> None:
    """Empty the cache of what was read and unpacked."""
    command("sync")
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def change(root: Path, new_bytes: int) -> None:
    """Delete a tenth of the files, write new ones, and change some."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in files[::10]:
        path.unlink()
    for number, path in enumerate(files[5::40]):
        if number % 2:
            with path.open("ab") as file:
                file.write(path.name.encode() * 100)
    folder = root / "srv"
    folder.mkdir(exist_ok=True)
    written = 0
    for number, path in enumerate(files[1::10]):
        if written >= new_bytes:
            break
        copy = folder / f"{number}"
        shutil.copyfile(path, copy)
        written += copy.stat().st_size


def inside(image: Path, runs: int, level: int, minutes: float) -> None:
    """All runs, in the machine; no more than end in time."""
    began = time.monotonic()
    command("dmesg", "-n", "1")
    folder = Path("/run/bench")
    folder.mkdir()
    command("mount", "-t", "tmpfs", "-o", "size=85%", "tmpfs", folder)
    before = leftovers()
    bench = Bench(folder, image, level)
    ways: dict[str, Callable[[Run], None]] = {
        LIMIT: bench.limit,
        WIKI: bench.wiki,
        "mirror engine": lambda run: bench.engine(run, "mirror"),
        "stream engine": lambda run: bench.engine(run, "stream"),
    }
    found: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(runs):
        if number and (time.monotonic() - began) * (number + 1) / number > minutes * 60:
            break
        # In another order each time: what comes after something long finds the machine otherwise.
        names = list(ways)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            run = Run()
            with watched(bench.work, run):
                ways[name](run)
            found[name].append(run)
            print(f"bench-merge: run {number + 1}, {name}: {words(run)}", flush=True)
            assert leftovers() == before, "something is left"
    show(found)


def words(run: Run) -> str:
    """A run in a line."""
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.parts.items())
    return (
        f"{run.seconds:.1f} s ({parts}); scratch {run.scratch_bytes / _MIB:.0f} MiB; "
        f"image {run.image_bytes / _MIB:.0f} MiB"
    )


def show(found: dict[str, list[Run]]) -> None:
    """Medians, each as a ratio to the limit and to the wiki's."""
    limit, wiki = (statistics.median(run.seconds for run in found[name]) for name in (LIMIT, WIKI))
    title = f"bench-merge: medians of {len(found[LIMIT])}"
    print(f"{title:42} {'seconds':>8} {'x limit':>8} {'wiki /':>8} {'scratch':>10}")
    for name, runs in found.items():
        seconds = statistics.median(run.seconds for run in runs)
        scratch = max(run.scratch_bytes for run in runs) / _MIB
        print(
            f"{name:42} {seconds:8.1f} {seconds / limit:8.2f} {wiki / seconds:8.2f} "
            f"{scratch:6.0f} MiB"
        )
    mirrors = [
        statistics.median(run.parts["mirror"] for run in found[name])
        for name in (WIKI, "mirror engine")
    ]
    print(
        f"The mirror phase: the wiki's {mirrors[0]:.1f} s, this one's {mirrors[1]:.1f} s: "
        f"{mirrors[0] / mirrors[1]:.1f} times as fast."
    )


def main() -> int:
    """Build, boot, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the root file system")
    parser.add_argument("--runs", type=int, default=3, help="of each way")
    parser.add_argument("--level", type=int, default=3, help="of zstd")
    parser.add_argument("--minutes", type=float, default=16.0, help="for all runs together")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.inside, options.runs, options.level, options.minutes)
        return 0
    image = build(options.mib, options.level)
    words_ = [sys.executable, str(HERE), "--inside", str(image)]
    words_ += ["--runs", str(options.runs), "--level", str(options.level)]
    words_ += ["--minutes", str(options.minutes)]
    # The machine's memory is its disk: two copies of the root, images, and room to work.
    checkout = HERE.parents[2]
    return dm_lane.run(
        f"cd {shlex.quote(str(checkout))} && exec {shlex.join(words_)}", 1536 + options.mib * 4
    )


if __name__ == "__main__":
    sys.exit(main())
