"""The archive for people at a terminal: checked, pruned and exported, beside a service that runs or does not.

In: what the configuration says of it. Out: lines for a person, or JSON; progress goes wherever it is told to.
"""
