"""Cameras' own video, kept as it came: segments of about a minute, an index of them, and the boxes beside them.

In: encoded pictures, and answers of the model. Out: files that any player opens, and where in them a moment is.
"""
