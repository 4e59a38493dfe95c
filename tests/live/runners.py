"""A runner that runs nothing: programs answer as it was recorded, or as a test wishes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from liveos_tui.system.runner import (
    OUTPUT_LIMIT_BYTES,
    Finished,
    ToolMissingError,
    command_failed,
)


@dataclass
class RecordedRunner:
    """`answers` are a return code and output each, by how a command line begins.

    A program without an answer is not installed. `asked` is what was run, `inputs` what each was
    given.
    """

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 30.0,
        ok: Collection[int] = (0,),
        input: bytes = b"",  # noqa: A002
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Finished:
        self.asked.append(tuple(argv))
        self.inputs.append(input)
        line = " ".join(argv)
        found = next((key for key in self.answers if line.startswith(key)), None)
        if found is None:
            raise ToolMissingError(f"The program {argv[0]} is not installed.")
        code, output = self.answers[found]
        stdout, stderr = (output, b"") if code == 0 else (b"", output)
        finished = Finished(tuple(argv), code, stdout[:limit], stderr, len(stdout) > limit)
        if code not in ok:
            raise command_failed(finished)
        return finished


def says(output: bytes = b"") -> RecordedRunner:
    """Every program prints this and is well."""
    return RecordedRunner({"": (0, output)})


def fails(command: str = "") -> RecordedRunner:
    """Programs whose command line begins so fail; all others say nothing and are well."""
    runner = RecordedRunner({command: (1, b"It failed.")})
    runner.answers.setdefault("", (0, b""))
    return runner
