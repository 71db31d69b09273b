"""WebRTC's two ends: offers answered, publishers taken in (WHIP), viewers served (WHEP).

In: SDP, RTP and RTCP. Out: a publisher's frames; a viewer's packets.
"""

MAX_OFFER = 64 * 1024
"""Bytes. A browser's offer for one video is about 6 kB."""
