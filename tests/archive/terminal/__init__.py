"""The archive at a terminal."""
