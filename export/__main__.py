"""`python -m sightline_export`, and `python -m export` in the repository: the command `sightline export`."""

import sys

from sightline_export.cli import main

sys.exit(main(sys.argv[1:]))
