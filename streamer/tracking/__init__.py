"""Detections over time: which thing is which, and where each is between two samples.

In: the detections of one stream, in order. Out: boxes for any moment near them.
"""
