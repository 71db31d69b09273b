"""What the rooms say to each other: frames, packets, detections, errors, and the clock they all read.

In: nothing of ours. Out: plain values and small pure functions, which every room may import.
"""
