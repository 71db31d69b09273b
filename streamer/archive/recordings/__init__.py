"""Cameras' own video, kept as it came: segments of about a minute, an index of them, and the boxes beside them.

In: encoded pictures, the boxes of samples, and how long both are to stay. Out: files that any player opens, and
answers to whoever asks what there is of a stream and a span of time.
"""
