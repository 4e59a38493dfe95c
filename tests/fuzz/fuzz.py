"""`make fuzz`: feed every parser with damaged inputs, each in a process of its own.

    fuzz.py [--runs N] [--seed N] [--engine atheris|damage] [TARGET ...]

With atheris (https://github.com/google/atheris; it has no wheel for every Python) inputs are chosen
by the code that they meet, without it by chance. What a target does not stand is kept in
.cache/fuzz, and `fuzz.py TARGET FILE` feeds it again.
"""

import argparse
import hashlib
import importlib.util
import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
sys.path[:0] = [str(PROJECT), str(_HERE), str(_HERE.parent / "live")]
KEPT = PROJECT / ".cache" / "fuzz"
_MEMORY_BYTES = 2 << 30


def main() -> int:
    """Feed the targets, or one file to one target; 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000, help="inputs in all (100000)")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other inputs (0)")
    parser.add_argument("--engine", choices=("atheris", "damage"), default=_engine())
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    if options.child:
        return _fed(options.engine, options.targets[0], options.runs, options.seed)
    from targets import TARGETS

    if len(options.targets) == 2 and options.targets[1] not in TARGETS:
        TARGETS[options.targets[0]].check(Path(options.targets[1]).read_bytes())
        return 0
    names = options.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no such parser: {', '.join(unknown)}. There are: {', '.join(TARGETS)}.")
    share, left_over = divmod(options.runs, len(names))
    failed = []
    began = time.monotonic()
    for number, name in enumerate(names):
        runs = share + (number < left_over)
        before = time.monotonic()
        argv = [sys.executable, __file__, "--child", "--engine", options.engine]
        argv += ["--runs", str(runs), "--seed", str(options.seed), name]
        ended = subprocess.run(argv, check=False, stderr=subprocess.PIPE)
        word = "FAILED" if ended.returncode else "ok"
        print(f"{name:20} {runs:9} inputs {time.monotonic() - before:7.1f} s  {word}", flush=True)
        if ended.returncode:
            failed.append(name)
            # Of what is instrumented, atheris tells line by line.
            print(ended.stderr.decode(errors="replace")[-4000:], file=sys.stderr)
    seconds = time.monotonic() - began
    print(f"{options.runs} inputs to {len(names)} parsers in {seconds:.0f} s by {options.engine}: "
          f"{', '.join(failed) or 'no'} failure{'s' * (len(failed) != 1)}.")  # fmt: skip
    return 1 if failed else 0


def _engine() -> str:
    return "atheris" if importlib.util.find_spec("atheris") else "damage"


def _fed(engine: str, name: str, runs: int, seed: int) -> int:
    """Feed one target in this process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if engine == "atheris":
        return _fed_by_atheris(name, runs, seed)
    from engines import NotStoodError, feed
    from targets import TARGETS

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        feed(TARGETS[name], runs, seed)
    except NotStoodError as error:
        traceback.print_exc()
        print(f"kept: {_keep(name, error.data)}", file=sys.stderr)
        return 1
    return 0


def _keep(name: str, data: bytes) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def _fed_by_atheris(name: str, runs: int, seed: int) -> int:
    """Does not return: libFuzzer ends the process."""
    import random

    import atheris

    with atheris.instrument_imports(include=["liveos_tui"]):
        from targets import TARGETS
    from engines import SECONDS_EACH
    from mutation import MOST_BYTES, damaged, damaged_json

    target = TARGETS[name]
    corpus = KEPT / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for data in target.seeds:
        (corpus / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
    damage = damaged_json if target.is_json else damaged

    def mutated(data: bytes, max_size: int, chance_seed: int) -> bytes:
        """Half of the inputs are libFuzzer's own, half are ours."""
        chance = random.Random(chance_seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size)[:max_size])
        return damage(data, target.seeds, chance)[:max_size]

    atheris.Setup(
        [
            *(name, str(corpus), f"-runs={runs}", f"-seed={seed + 1}", f"-max_len={MOST_BYTES}"),
            *(f"-timeout={SECONDS_EACH:.0f}", f"-rss_limit_mb={_MEMORY_BYTES >> 20}"),
            *(f"-artifact_prefix={KEPT / name}-", "-verbosity=0", "-print_final_stats=0"),
        ],
        target.check,
        custom_mutator=mutated,
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
