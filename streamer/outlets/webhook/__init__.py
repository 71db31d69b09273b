"""Receivers that are told over HTTP.

In: a notification, and the event's picture. Out: one request, signed, in the receiver's own words where there is a
recipe for it; and what its answer means.
"""
