"""Who may what: users, tokens, sessions, what an outside sign-on says, and the one gate that decides.

In: what a request shows of who asks. Out: a principal, who may some actions on some streams.
"""
