"""Every file system that is mounted here is someone else's: nosuid, nodev, noexec."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "liveos_tui"
SAFE = {"nosuid", "nodev", "noexec"}
# A mount of the person's own that is made writable, or read-only again, keeps its options; a bind
# mount is made safe by the remount that follows it.
KEPT = {"remount,rw", "remount,ro"}


def options(path: Path) -> Iterator[str]:
    """Every text of a module that is the options of a mount; what comes later is left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = set(node.value.split(","))
            if words & {"ro", "rw", "remount", *SAFE} and " " not in node.value:
                # In an f-string the rest of them follows: the module's constant.
                yield node.value.removesuffix(",")


def test_every_mount_is_made_with_all_three() -> None:
    found = {}
    for path in sorted((PACKAGE / "system").glob("*.py")):
        if '["mount"' in path.read_text(encoding="utf-8"):
            found[path.name] = {text for text in options(path) if "," in text} - KEPT

    assert set(found) >= {"mounts.py", "stick_mount.py", "kernel_views.py", "root_base.py"}
    for name, texts in found.items():
        assert texts, name
        for text in texts:
            assert set(text.split(",")) >= SAFE, f"{name}: {text}"


def test_only_system_mounts() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "system":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            lists = (node for node in ast.walk(tree) if isinstance(node, ast.List))
            first = (node.elts[0] for node in lists if node.elts)
            assert not any(isinstance(e, ast.Constant) and e.value == "mount" for e in first), path
