"""The maintenance console for LiveOS systems."""

__version__ = "0.1.0"
