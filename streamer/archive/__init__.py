"""What is kept: events and their pictures, in a database and beside it, found again, reviewed, and let go in time.

In: events and pictures, from the event loop, which never waits. Out: each event once it is kept, and whatever is asked.
"""
