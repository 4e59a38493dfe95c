"""How a person does what a plan speaks of: the key in the console, and the words of a command line.

A plan is read in both, and says both.
"""

BACK = "(u in Jobs, or `liveos-tui jobs rollback`)"
FORGET = "(f in Jobs, or `liveos-tui jobs forget JOB`)"
WORK = "(e in the console, or --work DIR)"
