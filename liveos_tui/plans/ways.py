"""How a person does what a plan speaks of: the key in the console, and the words of a command line.

A plan is read in both, and says both. Where there are few lines the console says its own alone.
"""

BACK = "(u in Jobs, or `liveos-tui jobs rollback`)"
JOBS = "(j Jobs, or `liveos-tui jobs`)"
FORGET = "(f in Jobs, or `liveos-tui jobs forget JOB`)"
WORK = "(e in the console, or --work DIR)"

_BACK_BY_KEY = "(u in Jobs)"


def by_key(text: str) -> str:
    """`text` of a plan with the console's key for going back alone."""
    return text.replace(BACK, _BACK_BY_KEY)


def by_itself(text: str) -> str:
    """`text` of a plan where going back is what the person does at this moment."""
    return text.replace(f" {BACK}", "")
