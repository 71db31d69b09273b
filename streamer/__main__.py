"""`python -m streamer` is the `sightline` command."""

import sys

from streamer.cli import main

sys.exit(main())
