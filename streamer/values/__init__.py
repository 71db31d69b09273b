"""What the rooms say to each other: frames, packets, detections, errors, and the clock they all read.

In: nothing of ours. Out: plain values and small functions, most of them pure, which every room may import; and how
tasks and threads are run again and ended, and what fails on the way is said.
"""
