"""The one clock. Ages, deadlines and overlay sync all read it; wall clock is for display only.

Frames carry `received_at` from here to the screen, so a step of the wall clock (NTP, daylight saving, a VM resumed)
cannot freeze or hurry a stream.
"""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds from an arbitrary origin, never going back."""

monotonic: Clock = time.monotonic
