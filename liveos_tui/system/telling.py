"""A runner that tells of the programs that make something: a mount, a loop device, a dm device.

Those that only look are not told, nor those that take down at the end what was made.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from liveos_tui.system.runner import OUTPUT_LIMIT_BYTES, Finished, Runner

_MAKES = (("mount",), ("losetup", "--find"), ("dmsetup", "create"))
_PUT_BACK = "remount,ro"


class TellingRunner:
    """A `Runner`. `told` gets the argument list of a program that is about to be started."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.told: Callable[[tuple[str, ...]], None] = lambda _: None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 30.0,
        ok: Collection[int] = (0,),
        input: bytes = b"",  # noqa: A002 - the name that subprocess uses
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Finished:
        """See `Runner.run`. The table of a dm device, which is its input, is told as --table."""
        words = tuple(argv)
        if any(words[: len(makes)] == makes for makes in _MAKES) and _PUT_BACK not in words:
            tables = input.decode("utf-8", "surrogateescape").splitlines()
            self.told((*words, *(word for table in tables for word in ("--table", table))))
        return self._runner.run(argv, timeout=timeout, ok=ok, input=input, env=env, limit=limit)
