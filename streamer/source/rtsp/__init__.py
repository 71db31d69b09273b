"""RTSP (RFC 2326, and RFC 7826 where cameras speak it).

message.py       requests and responses, and the bytes of a connection taken apart. Pure
description.py   what a camera says it has: SDP as tracks. Pure
control_url.py   where a request about a track goes. Pure
redirect.py      where a server sends us, and whether we go
inquiry.py       what a server says for itself, where FFmpeg does not
"""

from streamer.source.rtsp.description import Description, Track
from streamer.source.rtsp.inquiry import Answer, ask
from streamer.source.rtsp.redirect import stays

__all__ = ["Answer", "Description", "Track", "ask", "stays"]
