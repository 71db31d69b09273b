"""In whose words a receiver is told. Pure.

In: a letter. Out: the request that is made of it, in the shape that the receiver's own documentation has.
"""
