"""Which streams run: what the configuration file, the API and publishers ask for, and what is done about it.

In: settings and changes of them. Out: streams added, changed, paused and removed, and a file that remembers.
"""
