"""One stream, its rooms joined: read `pipeline.py` first.

In: frames of a source. Out: samples to the model, frames and detections to the view, and counts of what became of each.
"""
