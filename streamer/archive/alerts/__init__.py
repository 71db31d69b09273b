"""What events make of rules: alerts, and the outbox of what outlets are to be told.

In: events, within the transaction that keeps them, rules and silences. Out: alerts, and letters that wait until an
outlet has them, or a person has looked at them.
"""
