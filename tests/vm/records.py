"""A program that writes numbered records and replaces files, and what of that has to be there.

It appends records to a file and syncs each; now and then it replaces one of 60 files (write, fsync,
rename). What it has done it tells, so that nobody takes the file system's word for it:

    record 17              is synced
    begin file7 HASH       file7 is about to have these bytes
    done file7             they are synced, and renamed; the next record syncs the name as well
"""

from collections.abc import Mapping, Sequence

# FOLDER PAUSE STOP PER_FILE: seconds between records, the file that ends it, records for each file.
SCRIPT = r"""
import hashlib, os, random, sys, time
folder, pause, stop, per_file = sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
chance = random.Random(7)
records = os.open(f"{folder}/records", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
while not os.path.exists(stop):
    os.write(records, b"%08d\n" % number)
    os.fsync(records)
    print("record", number, flush=True)
    if number % per_file == 0:
        name, data = f"file{chance.randrange(60)}", chance.randbytes(chance.randrange(30000))
        # Asked for, then done: at any moment one of the two is right.
        print("begin", name, hashlib.sha256(data).hexdigest(), flush=True)
        with open(f"{folder}/{name}.new", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(f"{folder}/{name}.new", f"{folder}/{name}")
        print("done", name, flush=True)
    number += 1
    time.sleep(pause)
"""

Told = Sequence[Sequence[str]]
"""The words of each line that it has told."""

_NOT_THERE = "not there"


def count(told: Told) -> int:
    """How many records it has synced."""
    return sum(words[0] == "record" for words in told)


def missing(records: bytes, hashes: Mapping[str, str], told: Told, later: Told = ()) -> list[str]:
    """What it has told, and is not there: `records` and the files' SHA-256 are what is found.

    `later`: what it has told after the moment that counts. That may be there, or not.
    """
    numbers = records.split()
    lost = [f"record {n}" for n in range(count(told)) if numbers[n : n + 1] != [b"%08d" % n]]
    right: dict[str, set[str]] = {}
    begun: dict[str, str] = {}
    renamed: set[str] = set()
    for words in told:
        match words:
            case ["begin", name, known]:
                begun[name] = known
                right.setdefault(name, {_NOT_THERE}).add(known)
            case ["done", name]:
                renamed.add(name)
            case ["record", _]:
                # A sync of anything has the journal commit the names as well.
                right |= {name: {begun[name]} for name in renamed}
                renamed.clear()
    for words in later:
        if words[0] == "begin":
            right.setdefault(words[1], {_NOT_THERE}).add(words[2])
    wrong = (name for name in right if hashes.get(name, _NOT_THERE) not in right[name])
    return lost + [f"{name}: {hashes.get(name, _NOT_THERE)[:12]}" for name in wrong]
