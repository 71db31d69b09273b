"""RTP packets become whole access units, whoever sends them: a camera by RTSP, a publisher by WebRTC.

In: datagrams, and when they came. Out: encoded pictures, each whole, with its times. Pure: time is an argument.
"""
