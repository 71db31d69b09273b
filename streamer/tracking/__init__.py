"""Detections over time: which thing is which, and where each is between two samples.

In: every frame of one stream, for the camera's motion, and its detections, in order. Out: what each detection is known
as, and boxes for any moment near them.

    frames ─► camera (plane ─► camera motion) ─► camera path ─┐
    detections ─► matching ─► tracks, their filter (kalman) ──┴─► moments ─► boxes
"""
