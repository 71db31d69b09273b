"""Object storage, where an archive keeps what there is no room for on its disk.

In: files that are closed, by their names below the archive's folder. Out: any part of them.
"""
