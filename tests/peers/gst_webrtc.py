"""A WHIP publisher or a WHEP player made of GStreamer's webrtcbin: no line of it is aiortc's or a browser's.

Run by Debian's Python, which owns `gi`; gst_peer.py starts it. Its one argument is a JSON object:
    role    "publish" or "play"
    url     of the endpoint
    codec   "H264" or "VP8"
    token   or null
    file    the clip that is published in H.264; in VP8 it is a test picture

Prints "answered STATUS", then of a player "frames N WIDTH HEIGHT" for every tenth. SIGTERM leaves by DELETE.
"""

import json
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - the versions come first

RTP = "application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name="
PLAYED = {"H264": RTP + "H264,packetization-mode=(string)1,profile-level-id=(string)42e01f", "VP8": RTP + "VP8"}
PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert"
SEND = {
    "H264": "filesrc location={file} ! qtdemux ! h264parse ! identity sync=true ! rtph264pay config-interval=-1",
    "VP8": PICTURE + " ! vp8enc deadline=1 keyframe-max-dist=60 ! rtpvp8pay",
}
DECODE = {"H264": "rtph264depay ! h264parse ! openh264dec", "VP8": "rtpvp8depay ! vp8dec"}


class Peer:
    """One webrtcbin and its session."""

    def __init__(self, role: str, url: str, codec: str, token: str | None, file: str | None) -> None:
        self.url, self.codec, self.token = url, codec, token
        self.location: str | None = None
        self.posted = False
        self.frames = 0
        self.pipeline = Gst.Pipeline()
        if role == "publish":
            sent = f"{SEND[codec].format(file=file)} ! {RTP}{codec} ! webrtcbin name=rtc bundle-policy=max-bundle"
            self.pipeline = Gst.parse_launch(sent)
            self.rtc = self.pipeline.get_by_name("rtc")
        else:
            self.rtc = Gst.ElementFactory.make("webrtcbin")
            self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.rtc)
        if role == "publish":
            self.rtc.emit("get-transceiver", 0).set_property(
                "direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            )
        else:
            caps = Gst.Caps.from_string(PLAYED[codec])
            self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
            self.rtc.connect("pad-added", self.play)
        self.rtc.connect("on-negotiation-needed", self.make_offer)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)

    def make_offer(self, _: Any) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offer_made))

    def offer_made(self, promise: Any) -> None:
        reply = promise.get_reply()  # owns the offer
        self.rtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(self, *_: Any) -> None:
        state = self.rtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.posted:
            self.posted = True
            GLib.idle_add(self.post)

    def post(self) -> bool:
        sdp = self.rtc.get_property("local-description").sdp.as_text()
        try:
            with urllib.request.urlopen(self.request("POST", self.url, sdp.encode())) as response:
                status, answer = response.status, response.read().decode()
                self.location = urllib.parse.urljoin(self.url, response.headers["Location"])
        except urllib.error.HTTPError as error:
            print("answered", error.code, error.read().decode(), flush=True)
            return False
        print("answered", status, flush=True)
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", description, Gst.Promise.new())
        return False

    def request(self, method: str, url: str, body: bytes | None = None) -> urllib.request.Request:
        headers = {"Content-Type": "application/sdp"} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        return urllib.request.Request(url, body, headers, method=method)

    def play(self, _: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        launch = f"queue ! {DECODE[self.codec]} ! fakesink name=seen signal-handoffs=true sync=false"
        seen = Gst.parse_bin_from_description(launch, True)
        seen.get_by_name("seen").connect("handoff", self.count)
        self.pipeline.add(seen)
        seen.sync_state_with_parent()
        pad.link(seen.get_static_pad("sink"))

    def count(self, _sink: Any, _buffer: Any, pad: Any) -> None:
        self.frames += 1
        if self.frames % 10 == 0:
            shape = pad.get_current_caps().get_structure(0)
            print("frames", self.frames, shape.get_value("width"), shape.get_value("height"), flush=True)

    def leave(self, loop: Any) -> bool:
        if self.location is not None:
            urllib.request.urlopen(self.request("DELETE", self.location)).close()
            print("left", flush=True)
        self.pipeline.set_state(Gst.State.NULL)
        loop.quit()
        return False


if __name__ == "__main__":
    Gst.init(None)
    peer = Peer(**json.loads(sys.argv[1]))
    main_loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, peer.leave, main_loop)
    peer.pipeline.set_state(Gst.State.PLAYING)
    main_loop.run()
