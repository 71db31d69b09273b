"""WebRTC's two ends: offers answered, publishers taken in (WHIP), viewers served (WHEP).

In: SDP, RTP and RTCP. Out: a publisher's frames; a viewer's packets.
"""
