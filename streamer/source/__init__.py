"""A URL becomes frames: any kind of camera, a watchdog, and a new attempt after every failure.

source.py                a stream's source for life: try, say why it ended, wait, try again
target.py                what is read and how: URL, transport, certificates, limits. A value
allowed_destinations.py  where a URL may lead: schemes, networks, addresses
certificate_trust.py     whom to take for the camera, and what is wrong with a certificate
openings.py, backoff.py  when an attempt may begin
connection.py            one attempt: a thread that opens, demuxes and decodes until something ends it
kinds.py                 what opens each kind of URL. Read this to add a kind
protocol.py              what FFmpeg is told for each
container.py             what FFmpeg takes apart
web.py, rtmp.py, srt.py, file.py  the kinds that are read so
media_type.py            what an HTTP answer is. Pure
dialler.py               the addresses of one host, tried in turn
rtsp/                    RTSP spoken by ourselves: opening.py, session.py, playing.py; client.py, wire.py, message.py;
                         description.py, control_url.py, placement.py, port_pair.py; keepalive.py, report.py,
                         redirect.py, refusal.py, traits.py; of what is pushed place.py, listeners.py, listener.py,
                         caller.py, handshake.py, arrangement.py, lock.py, mount.py, notices.py, push.py, recording.py,
                         side.py; of sound beside.py, listening.py. Its own list says what each is
opened.py                what an attempt reads, whatever takes it apart
download.py              an HTTP answer as bytes; login.py a user name and password, for RTSP too
multipart.py             JPEG pictures out of a multipart answer; motion_jpeg.py the camera that sends them
movie.py                 an MP4's bytes, its index judged first; mp4.py what an index may claim;
                         boxes.py the same of HLS' segments
playlist.py              what an HLS playlist may have us fetch; manifest.py what it says; cipher.py its encryption
reader.py                bytes of ours as FFmpeg reads them; allowance.py how many without a picture;
                         transport_stream.py MPEG-TS with a word behind each picture that it has ended. Pure
udp/                     what comes in datagrams to a port of ours: hearing.py, port.py, sender.py, form.py,
                         bare_rtp.py, stream.py
relay.py                 SRT by way of the system's ffmpeg
stop.py                  how a thread that waits is told to end
gate.py                  which packets are worth decoding; decoding.py what comes of them; claims.py what they may take
picturing.py             the pictures that are wanted; skim.py which lead to none; seams.py how carefully it is done;
                         standing.py which of a container's keyframes need no other
tap.py                   where encoded pictures are handed on as they come, for whoever keeps them; sound_track.py sound
pace.py                  when a picture of a recording is due. Pure
rotation.py              a picture turned upright
failure.py               what FFmpeg and the system raise, in the words of the API
"""

from streamer.source.certificate_trust import CertificateTrust
from streamer.source.openings import Openings
from streamer.source.source import Source
from streamer.source.target import Limits, Target, Transport

__all__ = ["CertificateTrust", "Limits", "Openings", "Source", "Target", "Transport"]
