"""Cameras' own video, kept as it came: segments of about a minute, an index of them, and the boxes beside them."""
