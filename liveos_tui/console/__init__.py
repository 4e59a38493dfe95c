"""The console: the only package that draws."""
