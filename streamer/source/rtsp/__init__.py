"""RTSP (RFC 2326, and RFC 7826 where cameras speak it), spoken by ourselves.

opening.py       from a URL to a session that plays. Read this first
session.py       the camera's packets as they come, and what keeps it playing; side.py what it talks by
playing.py       its packets as pictures, each the moment it is whole: what the rest of source/ reads
beside.py        the sound beside the video; listening.py what is kept of it, and when it is heard
client.py        requests and their answers, the log-in, and what the camera asks of us
wire.py          the connection, which can be ended whenever we want
message.py       requests and responses, and the bytes of a connection taken apart. Pure
description.py   what a camera says it has: SDP as tracks. Pure
control_url.py   where a request about a track goes. Pure
placement.py     how packets come: the Transport field. Pure
port_pair.py     two UDP ports that hear the camera and nobody else
keepalive.py     what keeps a session alive, and when. Pure
report.py        the least of RTCP. Pure
redirect.py      where a server sends us, and whether we go
refusal.py       what a status means, in the words of the API
traits.py        what a camera says of itself and shows of its ways, for the doctor. Values
place.py         where a stream is pushed to. What pushes comes in by these: read recording.py first
listeners.py     the ports that are open in this process
listener.py      a port, and its one thread; caller.py a connection to it, until the camera behind it pushes
notices.py       what the log gets of all that strangers say. Pure
handshake.py     what a camera says before it pushes; arrangement.py where its tracks come; lock.py who may
mount.py         a stream's name at a port; push.py what is handed over to the stream's thread under it
recording.py     from a name at a port to a camera that pushes to it
"""
