"""A camera: gst-rtsp-server sending H.264, H.265 or MJPEG that was encoded before.

Run by Debian's Python, which owns `gi`; rtsp_server.py starts it. Its one argument is a JSON object:
    host, port   where to listen, TCP
    mounts       mount point -> the path of an access-unit index (JSON: "file", and "units" of
                 [offset, size, dts_ns, pts_ns], in the order of sending; "duration_ns"; "codec", "width", "height")
    user, password   or null
    lose_every   drop every so-manieth datagram, or interleaved packet; 0: none
    sound        what there is beside every video: "aac", "opus" or "pcm_alaw"; null: nothing

Signals: SIGUSR1 stops sending and, the second time, goes on. Nothing is decoded or encoded here: pushing whole access
units with explicit timestamps costs next to no CPU, loops for ever, and keeps time rising from loop to loop, where
multifilesrc with loop=true leaves every timestamp at 0.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - the versions come first

# No config-interval: the units carry their own headers, and with it a key frame of several slices leaves as two frames.
LAUNCH = "( appsrc name=units is-live=true format=time block=false max-bytes=0 caps={caps} ! {payloader} name=pay0 )"
CODECS = {
    "h264": ("video/x-h264,stream-format=byte-stream,alignment=au", "rtph264pay pt=96"),
    "hevc": ("video/x-h265,stream-format=byte-stream,alignment=au", "rtph265pay pt=96"),
    "mjpeg": ("image/jpeg,width={width},height={height},framerate=30/1", "rtpjpegpay pt=26"),
}
SOUND = "audiotestsrc is-live=true freq=1000 ! audio/x-raw,rate={rate},channels=1 ! {encoder} name=pay1"
SOUNDS = {
    "aac": (48000, "voaacenc ! rtpmp4gpay pt=97"),
    "opus": (48000, "opusenc ! rtpopuspay pt=97"),
    "pcm_alaw": (8000, "alawenc ! rtppcmapay pt=8"),
}
VIEWER = "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"


class Clip:
    """The access units of one mount."""

    def __init__(self, index_path: str, sound: str | None) -> None:
        index = json.loads(Path(index_path).read_text())
        self.data = Path(index["file"]).read_bytes()
        self.units = index["units"]
        self.duration = index["duration_ns"]
        caps, payloader = CODECS[index["codec"]]
        self.launch = LAUNCH.format(caps=caps.format(**index), payloader=payloader)
        if sound is not None:
            rate, encoder = SOUNDS[sound]
            self.launch = f"{self.launch[:-2]} {SOUND.format(rate=rate, encoder=encoder)} )"


class Playback:
    """One clip on its way to the viewers of one mount, from its first frame, for as long as anyone watches."""

    def __init__(self, clip: Clip, media: Any) -> None:
        self.clip = clip
        self.appsrc = media.get_element().get_child_by_name("units")
        self.begin = self.epoch = GLib.get_monotonic_time() * 1000
        self.at = 0
        self.frozen_at: int | None = None
        self.timer = GLib.timeout_add(0, self.push)

    def push(self) -> bool:
        """Send what is due, and come back when the next unit is."""
        self.timer = 0
        now = GLib.get_monotonic_time() * 1000
        while (due := self.epoch + self.clip.units[self.at][2]) <= now:
            self.send(*self.clip.units[self.at])
            self.at += 1
            if self.at == len(self.clip.units):
                self.at = 0
                self.epoch += self.clip.duration
        self.timer = GLib.timeout_add(max(1, (due - now) // 1_000_000), self.push)
        return False

    def send(self, offset: int, size: int, dts: int, pts: int) -> None:
        buffer = Gst.Buffer.new_wrapped_bytes(GLib.Bytes.new(self.clip.data[offset : offset + size]))
        buffer.dts = self.epoch - self.begin + dts
        buffer.pts = self.epoch - self.begin + pts
        self.appsrc.emit("push-buffer", buffer)

    def freeze(self, frozen: bool) -> None:
        now = GLib.get_monotonic_time() * 1000
        if frozen:
            self.stop()
            self.frozen_at = now
        elif self.frozen_at is not None:
            self.epoch += now - self.frozen_at
            self.frozen_at = None
            self.push()

    def stop(self) -> None:
        """Send nothing more."""
        if self.timer:
            GLib.source_remove(self.timer)
            self.timer = 0


class Camera:
    """Every mount of the server, and the one switch that freezes them."""

    def __init__(self, lose_every: int) -> None:
        self.playing: list[Playback] = []
        self.frozen = False
        self.lose_every, self.sent = lose_every, 0

    def start(self, _factory: Any, media: Any, clip: Clip) -> None:
        playback = Playback(clip, media)
        if self.frozen:
            playback.freeze(True)
        self.playing.append(playback)
        if self.lose_every:
            sent = media.get_element().get_child_by_name("pay0").get_static_pad("src")
            sent.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.lose)
        media.connect("unprepared", self.stop, playback)

    def lose(self, _pad: Any, _info: Any) -> Any:
        self.sent += 1
        return Gst.PadProbeReturn.DROP if self.sent % self.lose_every == 0 else Gst.PadProbeReturn.OK

    def stop(self, _media: Any, playback: Playback) -> None:
        playback.stop()
        self.playing.remove(playback)

    def toggle(self) -> bool:
        self.frozen = not self.frozen
        for playback in self.playing:
            playback.freeze(self.frozen)
        print("frozen" if self.frozen else "moving", flush=True)
        return True


def lock(server: Any, user: str, password: str) -> None:
    """Let in only who knows the password, asked for by digest (RFC 2617), as most cameras do."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def serve(
    host: str,
    port: int,
    mounts: dict[str, str],
    user: str | None,
    password: str | None,
    lose_every: int,
    sound: str | None,
) -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(host)
    server.set_service(str(port))
    camera = Camera(lose_every)
    for mount, index_path in mounts.items():
        factory = GstRtspServer.RTSPMediaFactory()
        clip = Clip(index_path, sound)
        factory.set_launch(clip.launch)
        factory.set_shared(True)
        factory.connect("media-configure", camera.start, clip)
        if user is not None:
            factory.add_role_from_structure(Gst.Structure.new_from_string(VIEWER))
        server.get_mount_points().add_factory(mount, factory)
    if user is not None and password is not None:
        lock(server, user, password)
    if not server.attach(None):
        sys.exit(f"cannot listen on {host}:{port}")
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR1, camera.toggle)
    print("listening", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
