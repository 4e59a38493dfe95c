"""`python -m liveos_tui`."""

from liveos_tui.cli import run

run()
