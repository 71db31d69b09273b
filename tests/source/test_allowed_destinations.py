"""streamer.source.allowed_destinations: where a stream's URL may lead."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import ApiStreamsSettings, StreamSettings
from streamer.control.targets import target_of
from streamer.source import allowed_destinations
from streamer.source.allowed_destinations import EVERYWHERE, OPERATOR, STRANGER, AllowedDestinations
from streamer.source.certificate_trust import CertificateTrust
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError
from tests.peers.certificates import make_certificate, server_context
from tests.peers.clip import make_clip
from tests.peers.front import run_front
from tests.peers.process import free_port
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.sending import sending
from tests.peers.watch import run_watch
from tests.peers.web_camera import file, mjpeg, run_web_camera, text

PUBLIC = AllowedDestinations(frozenset({"rtsp"}), EVERYWHERE)
LOOPBACK = AllowedDestinations(frozenset({"rtsp", "http"}), (ip_network("127.0.0.1/32"),))


def known(**names: list[str]) -> allowed_destinations.Resolve:
    """A resolver that knows these names only."""
    return lambda host, _: names[host]


SPECIAL = (
    "0.0.0.0", "127.0.0.1", "127.8.8.8", "169.254.169.254", "169.254.1.1", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "224.0.0.1", "239.255.1.1", "255.255.255.255", "240.0.0.1", "::", "::1", "fe80::1", "fec0::1",
    "ff02::1", "fd00:ec2::254", "fd20:ce::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "2001::1",
    "2002:a00:7::", "fd00:ec2::23", "fd00:c1::a9fe:a9fe", "fd00:42::42", "169.254.170.2", "64:ff9b::a9fe:a9fe",
)  # fmt: skip


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_refused(address: str) -> None:
    """This machine, its link, clouds' metadata and groups are refused, wrapped in IPv6 too, with all else allowed."""
    with pytest.raises(SourceError, match="may not reach") as refused:
        PUBLIC.require_address(ip_address(address))
    assert refused.value.kind == "forbidden"
    OPERATOR.require_address(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["10.0.0.7", "192.168.1.2", "172.16.0.1", "8.8.8.8", "100.64.0.1", "2a00::1", "::ffff:10.0.0.7"],
)
def test_cameras_addresses_are_allowed(address: str) -> None:
    """Private and public addresses are allowed where nothing narrower is configured."""
    PUBLIC.require_address(ip_address(address))


def test_a_special_address_is_allowed_by_a_network_inside_its_own() -> None:
    """Loopback is allowed by 127.0.0.0/8 or a part of it, and by no wider network."""
    for network, allowed in (
        ("127.0.0.0/8", True),
        ("127.0.0.1/32", True),
        ("0.0.0.0/0", False),
        ("126.0.0.0/7", False),
    ):
        policy = AllowedDestinations(frozenset({"rtsp"}), (ip_network(network),))
        if allowed:
            policy.require_address(ip_address("127.0.0.1"))
        else:
            with pytest.raises(SourceError, match="loopback"):
                policy.require_address(ip_address("127.0.0.1"))


def test_link_local_cameras_do_not_open_the_clouds_metadata() -> None:
    """Whoever allows the network of cameras without DHCP does not thereby allow the metadata services in it."""
    policy = AllowedDestinations(None, (ip_network("169.254.0.0/16"), ip_network("fd00::/8")))
    policy.require_address(ip_address("169.254.7.7"))
    for refused in ("169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "fd00:ec2::254"):
        with pytest.raises(SourceError, match="metadata"):
            policy.require_address(ip_address(refused))
    AllowedDestinations(None, (ip_network("169.254.169.254/32"),)).require_address(ip_address("169.254.169.254"))


@pytest.mark.parametrize("address", ["::ffff:192.168.1.1", "64:ff9b::192.168.1.1", "::ffff:0:192.168.1.1"])
def test_ipv4_in_ipv6_is_ipv4(address: str) -> None:
    """An IPv6 address that stands for an IPv4 address is reached as that, and judged as that: every IPv6 is not it."""
    policy = AllowedDestinations(None, (ip_network("10.0.0.0/8"), ip_network("::/0")))
    with pytest.raises(SourceError, match="none of the networks"):
        policy.require_address(ip_address(address))


def test_other_networks_are_refused() -> None:
    """Where networks are named, an address in none of them is refused."""
    policy = AllowedDestinations(None, (ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
    for allowed in ("10.1.2.3", "fd00::7", "::ffff:10.1.2.3"):
        policy.require_address(ip_address(allowed))
    for refused in ("192.168.1.1", "8.8.8.8", "2a00::1", "::ffff:8.8.8.8"):
        with pytest.raises(SourceError, match="none of the networks"):
            policy.require_address(ip_address(refused))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "１２７.０.０.１"])
def test_an_address_is_judged_however_it_is_spelled(spelling: str) -> None:
    """Decimal, octal, hexadecimal, short and full-width spellings of 127.0.0.1 are 127.0.0.1."""
    with pytest.raises(SourceError, match="loopback"):
        PUBLIC.addresses(spelling, 554)


INSIDE = st.sampled_from([block for block, _ in allowed_destinations.SPECIAL]).flatmap(
    lambda block: st.integers(int(block.network_address), int(block.broadcast_address)).map(
        IPv4Address if isinstance(block, IPv4Network) else IPv6Address
    )
)
"""Addresses inside one of the special blocks."""


@st.composite
def ipv4_spellings(draw: st.DrawFn, address: IPv4Address) -> str:
    """An IPv4 address as inet_aton(3) reads it: one to four numbers, each in a base of its own; or within IPv6."""
    number = int(address)
    if draw(st.booleans()):
        return draw(ipv6_spellings(IPv6Address(draw(st.sampled_from(WITHIN)) | number)))
    count = draw(st.integers(1, 4))
    parts = [*address.packed[: count - 1], number & ((1 << 8 * (5 - count)) - 1)]
    bases = ("{}", "0x{:x}", "0X{:X}", "0{:o}", "0x{:010x}", "000{:o}")
    text = ".".join(draw(st.sampled_from(bases)).format(part) for part in parts)
    if draw(st.booleans()):  # as IDNA reads it (RFC 3490 section 3.1)
        text = text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {ord("."): "。"})
    return text


WITHIN = tuple(int(IPv6Address(prefix)) for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::"))


@st.composite
def ipv6_spellings(draw: st.DrawFn, address: IPv6Address) -> str:
    """An IPv6 address, short, long or with its end in decimal, in any case, with or without a zone (RFC 4007)."""
    groups = address.exploded.split(":")
    mixed = ":".join((*groups[:6], str(IPv4Address(int(address) & 0xFFFFFFFF))))
    text = draw(st.sampled_from([address.compressed, address.exploded, mixed]))
    return f"[{draw(st.sampled_from([text, text.upper()]))}{draw(st.sampled_from(['', '%1', '%25lo']))}]"


@given(st.data(), INSIDE)
def test_no_spelling_of_a_special_address_is_reached(data: st.DataObject, address: IPv4Address | IPv6Address) -> None:
    """No stranger's URL reaches this machine, its link or a metadata service, however its address is written."""
    spellings = ipv4_spellings(address) if isinstance(address, IPv4Address) else ipv6_spellings(address)
    spelling = data.draw(spellings)
    there = urls.host_of(urls.check(f"http://{spelling}:8080/live.m3u8"))
    with pytest.raises(SourceError) as refused:
        STRANGER.addresses(there, 8080)
    assert refused.value.kind == "forbidden" or "%" in spelling  # no such zone here


@given(st.ip_addresses(v=4))
def test_an_address_that_stands_for_another_is_judged_as_that(address: IPv4Address) -> None:
    """An IPv4 address is allowed, or not, within IPv6 as it is by itself."""
    for prefix in WITHIN:
        within = IPv6Address(prefix | int(address))
        if int(within) > 1:
            assert judged(within) == judged(address)


def judged(address: IPv4Address | IPv6Address) -> bool:
    """Whether a stranger's URL may reach an address."""
    try:
        STRANGER.require_address(address)
    except SourceError:
        return False
    return True


def test_one_bad_address_of_a_name_spoils_it() -> None:
    """A name with a good and a bad address is refused: nobody could tell which of them a later answer gives."""
    policy = AllowedDestinations(
        frozenset({"rtsp"}), EVERYWHERE, known(good=["10.0.0.7"], both=["10.0.0.7", "127.0.0.1"])
    )
    assert policy.addresses("good", 554) == ["10.0.0.7"]
    with pytest.raises(SourceError, match="loopback"):
        policy.addresses("both", 554)


def test_an_unknown_name_is_said() -> None:
    """A name nobody knows, or that is none, is a DNS error."""
    for name in ("nowhere.invalid", "a" * 300):
        with pytest.raises(SourceError) as failed:
            allowed_destinations.resolve(name, 554)
        assert failed.value.kind == "dns"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (socket.EAI_AGAIN, "no name server gives an answer about 'porch.example'"),
        (socket.EAI_FAIL, "no name server gives an answer about 'porch.example'"),
        (socket.EAI_NONAME, "the name 'porch.example' is not known to the name server"),
        (socket.EAI_NODATA, "the name 'porch.example' is not known to the name server"),
    ],
)
def test_a_silent_name_server_is_told_from_an_unknown_name(
    number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no name server answers, nobody is told to correct a name that may be right."""

    def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "as the system puts it")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(SourceError) as failed:
        allowed_destinations.resolve("porch.example", 554)
    assert (failed.value.kind, str(failed.value)) == ("dns", sentence)


def test_schemes_are_those_allowed() -> None:
    """A scheme that is not allowed is refused, and the allowed ones are named."""
    LOOPBACK.require_scheme("rtsp")
    OPERATOR.require_scheme("file")
    with pytest.raises(SourceError, match="allowed are http://, rtsp://"):
        LOOPBACK.require_scheme("file")


# ---- as a source obeys it


def api(url: str, **policy: object) -> Target:
    """A stream as the API would add it, loopback being allowed for the tests' peers."""
    settings = {"networks": ["127.0.0.1/32"]} | policy
    return target_of(StreamSettings(url=url), ApiStreamsSettings.model_validate(settings))


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("rtsp://127.0.0.1:{port}/road", {"networks": ["0.0.0.0/0", "::/0"]}),
        ("rtsp://2130706433:{port}/road", {"networks": ["0.0.0.0/0"]}),
        ("rtsp://localhost:{port}/road", {"networks": ["0.0.0.0/0", "::/0"]}),
        ("rtsp://[::ffff:127.0.0.1]:{port}/road", {"networks": ["::/0", "0.0.0.0/0"]}),
        ("rtsp://127.0.0.1:{port}/road", {"networks": ["10.0.0.0/8"]}),
        ("rtmp://127.0.0.1:{port}/live/road", {}),
        ("http://127.0.0.1:{port}/road", {"schemes": ["rtsp"]}),
        ("file:///etc/passwd", {}),
        ("udp://127.0.0.1:{port}", {}),
        ("srt://127.0.0.1:{port}?mode=listener", {"schemes": ["srt"]}),
    ],
)
async def test_a_forbidden_url_connects_to_nobody(url: str, policy: dict[str, object]) -> None:
    """A stream that may not be reached is forbidden before a single connection is made."""
    async with run_front(free_port()) as front:
        async with run_watch(api(url.format(port=front.port), **policy)) as watch:
            assert await watch.ended("forbidden")
        assert front.accepted == 0


async def test_a_name_is_resolved_once(numbered_clip: Path) -> None:
    """The connection goes to the address that was judged: a name that changes its answer (rebinding) gains nothing."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        asked = list[str]()

        def rebinding(host: str, _: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        policy = AllowedDestinations(frozenset({"rtsp"}), LOOPBACK.networks, rebinding)
        # A name the system's resolver does not know: if anybody but the policy asked, the stream could not open.
        target = Target(f"rtsp://camera.invalid:{server.port}/road", destinations=policy)
        async with run_watch(target) as watch:
            await watch.more(3)
        assert asked == ["camera.invalid"]


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
async def test_a_certificate_is_checked_for_the_name(numbered_clip: Path, tmp_path: Path, scheme: str) -> None:
    """A stream that is opened at a judged address must still show a certificate for the URL's name."""
    authority = make_certificate("cameras' authority")
    (tmp_path / "ca.pem").write_text(authority.cert)
    tls = server_context(make_certificate("camera.example", authority), tmp_path)
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    policy = AllowedDestinations(frozenset({scheme}), LOOPBACK.networks, lambda host, port: ["127.0.0.1"])
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_front(server.port, tls) as front, run_web_camera(("/road", mjpeg(clip)), tls=tls) as web:
            port = front.port if scheme == "rtsps" else int(web.rpartition(":")[2])
            trust = CertificateTrust(ca=str(tmp_path / "ca.pem"))
            async with run_watch(
                Target(f"{scheme}://camera.example:{port}/road", trust=trust, destinations=policy)
            ) as watch:
                await watch.more(3)
            async with run_watch(
                Target(f"{scheme}://other.example:{port}/road", trust=trust, destinations=policy)
            ) as watch:
                assert "other.example" in await watch.ended("tls")


async def test_an_allowed_stream_plays(numbered_clip: Path, tmp_path: Path) -> None:
    """What the policy allows works as it does for the operator, over RTSP and HTTP."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_web_camera(("/video", mjpeg(clip)), ("/clip.mp4", file(numbered_clip))) as web:
            for url in (server.url("/road"), f"{web}/video", f"{web}/clip.mp4"):
                async with run_watch(api(url)) as watch:
                    await watch.more(3)


async def test_rtmp_and_srt_play_where_they_are_allowed(numbered_clip: Path) -> None:
    """Both play by the API where scheme and network are allowed."""
    for scheme, path, how in (
        ("rtmp", "/live/road", ("-f", "flv", "-listen", "1")),
        ("srt", "?mode=listener", ("-f", "mpegts")),
    ):
        url = f"{scheme}://127.0.0.1:{free_port()}{path}"
        async with (
            sending(*how, url, clip=numbered_clip),
            run_watch(api(url.removesuffix("?mode=listener"), schemes=[scheme])) as watch,
        ):
            await watch.more(5)


async def test_rtmp_and_srt_reach_nobody_where_they_are_not_allowed() -> None:
    """Neither a connection nor a datagram is sent to an address that is not allowed."""
    async with run_front(free_port()) as front:
        async with run_watch(api(f"rtmp://127.0.0.1:{front.port}/a/b", schemes=["rtmp"], networks=["10.0.0.0/8"])) as w:
            await w.ended("forbidden")
        assert front.accepted == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
        victim.bind(("127.0.0.1", 0))
        victim.setblocking(False)
        port = victim.getsockname()[1]
        for query in ("", "?mode=caller", "?mode=listener", "?mode=rendezvous", "?x=1#&mode=listener"):
            refused = api(f"srt://127.0.0.1:{port}{query}", schemes=["srt"], networks=["10.0.0.0/8"])
            async with run_watch(refused) as watch:
                await watch.ended("forbidden")
        with pytest.raises(BlockingIOError):
            victim.recv(1)


async def test_ipv6_plays_where_it_is_allowed(numbered_clip: Path, tmp_path: Path) -> None:
    """An IPv6 address in brackets is a host like any other, over RTSP and HTTP, for the operator and the API."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_front(server.port, host="::1") as front, run_web_camera(("/v", mjpeg(clip)), host="::1") as web:
            for url in (f"rtsp://[::1]:{front.port}/road", f"{web}/v"):
                for target in (Target(url), api(url, networks=["::1/128"])):
                    async with run_watch(target) as watch:
                        await watch.more(3)
                accepted = front.accepted
                async with run_watch(api(url, networks=["::/0"])) as watch:
                    assert "loopback" in await watch.ended("forbidden")
                assert front.accepted == accepted


async def test_a_playlist_names_no_other_host() -> None:
    """Segments on another host are fetched for nobody: not for the API's streams, nor on this machine for anybody's."""
    async with run_front(free_port()) as victim:
        body = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://localhost:{victim.port}/a.ts\n#EXT-X-ENDLIST\n"
        async with run_web_camera(("/live.m3u8", text(body, "application/vnd.apple.mpegurl"))) as web:
            async with run_watch(api(f"{web}/live.m3u8")) as watch:
                assert "another host, localhost" in await watch.ended("forbidden")
            async with run_watch(Target(f"{web}/live.m3u8")) as watch:
                assert "loopback" in await watch.ended("forbidden")
        assert victim.accepted == 0


async def test_a_redirect_leads_to_no_other_host(numbered_clip: Path) -> None:
    """A web server that redirects to another host is not followed there, and on itself it is."""
    async with run_front(free_port()) as victim:
        async with run_web_camera(
            ("/away", text("", "text/plain", 302, Location=f"http://localhost:{victim.port}/x")),
            ("/home", text("", "text/plain", 302, Location="/clip.mp4")),
            ("/clip.mp4", file(numbered_clip)),
        ) as web:
            async with run_watch(api(f"{web}/away")) as watch:
                await watch.ended("redirected")
            async with run_watch(api(f"{web}/home")) as watch:
                await watch.more(3)
        assert victim.accepted == 0


def test_hosts_that_a_playlist_names_are_strangers() -> None:
    """For what nobody wrote down, web addresses are allowed, and SPECIAL ones are not."""
    STRANGER.require_scheme("https")
    STRANGER.require_address(ip_address("8.8.8.8"))
    with pytest.raises(SourceError):
        STRANGER.require_address(ip_address("169.254.169.254"))
    with pytest.raises(SourceError):
        STRANGER.require_scheme("rtsp")
