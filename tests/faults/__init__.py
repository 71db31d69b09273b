"""`python -m tests.faults`: a cluster on machines of its own, random faults, and a checker over all that was logged.

Three replicas, each with a NATS server, in network namespaces of their own, share some cameras. They are killed,
stopped, cut off from each other and restarted, as a seed has it. What every replica says of the streams that it runs is
read with one clock, and the rules of `invariants.py` are asked of it. Needs root, for the namespaces.
"""
