"""What the commands are made of besides the service: a camera, the demo, child processes, progress on a terminal.

In: what a command was given. Out: processes that end with the command.
"""
