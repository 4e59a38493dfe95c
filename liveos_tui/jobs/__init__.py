"""Carries plans out: journal, worker process, event log, undo."""
