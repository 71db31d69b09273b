"""Tracks become events: a thing is confirmed, goes through zones and over lines, and ends.

In: what each answered sample shows of followed things. Out: events begun, changed and ended; counts of crossings, and
who is in which zone.
"""
