"""What comes in UDP datagrams to a port of ours, without a word of what it is.

hearing.py     from a port to what its sender turns out to play. Read this first
port.py        the datagrams that arrive at one port
sender.py      the one sender that is listened to, found among others
form.py        what its datagrams carry, as far as they show it. Pure
bare_rtp.py    RTP without a description: its packets as they come
stream.py      MPEG-TS, H.264 or H.265 as a stream of bytes for FFmpeg
"""
