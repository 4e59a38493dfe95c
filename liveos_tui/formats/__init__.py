"""Bytes and text to values. Nothing here opens, runs or writes anything."""
