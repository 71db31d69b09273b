"""One address for a cluster: every replica answers for all streams, and asks whoever runs them. docs/design/cluster.md.

What is about one stream, and lives with it, is passed on to its owner as it is, and so is the answer; lists are put
together. Loaded only where there is a cluster.
"""
