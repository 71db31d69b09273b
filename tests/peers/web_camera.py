"""A camera on a web server, in the test's own process: MJPEG, MP4, MPEG-TS and HLS, made of clips."""

import asyncio
import hashlib
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import av
from aiohttp import web

from tests.peers.process import run_process
from tests.peers.required import requires

Route = tuple[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]


@asynccontextmanager
async def run_web_camera(
    *routes: Route, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """Serve these routes for as long as the block lasts; gives the URL without a path."""
    application = web.Application()
    application.router.add_routes([web.get(path, handler) for path, handler in routes])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"{'https' if tls else 'http'}://{shown}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def mjpeg(
    clip: Path, *, fps: float = 15.0, count: int | None = None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A clip of JPEG pictures as multipart/x-mixed-replace, again and again, or `count` pictures and then silence."""
    with av.open(str(clip)) as container:
        pictures = [bytes(packet) for packet in container.demux(video=0) if packet.size]

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        sent = 0
        while count is None or sent < count:
            picture = pictures[sent % len(pictures)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            await response.write(head.encode() + picture + b"\r\n")
            sent += 1
            await asyncio.sleep(1 / fps)
        await asyncio.Event().wait()
        return response

    return handler


def trickled(clip: Path, media_type: str, *, seconds: float) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A file's bytes spread over so many seconds, as of a camera that is read as it writes."""
    data = clip.read_bytes()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": media_type})
        await response.prepare(request)
        step = len(data) // 100 + 1
        for start in range(0, len(data), step):
            await response.write(data[start : start + step])
            await asyncio.sleep(seconds / 100)
        return response

    return handler


def file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A file, with ranges."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path)

    return handler


def files(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What a folder holds at the time, by the last part of the path: HLS as ffmpeg writes it."""

    async def handler(request: web.Request) -> web.StreamResponse:
        path = folder / request.path.rpartition("/")[2]
        media_type = "application/vnd.apple.mpegurl" if path.suffix == ".m3u8" else "video/mp2t"
        try:
            return web.Response(body=path.read_bytes(), content_type=media_type)
        except FileNotFoundError:  # be it that ffmpeg has removed it just now
            raise web.HTTPNotFound from None

    return handler


def parts(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The same with ranges."""

    async def handler(request: web.Request) -> web.StreamResponse:
        path = folder / request.path.rpartition("/")[2]
        if not path.exists():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    return handler


def flv(clip: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A clip as ffmpeg writes FLV, at its own pace, again and again."""

    async def handler(request: web.Request) -> web.StreamResponse:
        requires("ffmpeg")
        response = web.StreamResponse(headers={"Content-Type": "video/x-flv"})
        await response.prepare(request)
        arguments = ("-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "flv", "pipe:1")
        reading, writing = os.pipe()
        process = subprocess.Popen(["ffmpeg", *map(str, arguments)], stdout=writing)  # noqa: ASYNC220  it is quick
        os.close(writing)
        try:
            while data := await asyncio.to_thread(os.read, reading, 1 << 16):
                await response.write(data)
        finally:
            process.kill()
            process.wait()
            os.close(reading)
        return response

    return handler


def text(
    body: str, media_type: str, status: int = 200, **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Always the same answer."""

    async def handler(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=body, content_type=media_type, status=status, headers=named)

    return handler


def behind_digest(
    user: str, password: str, inner: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The same for who knows the password, asked for as RFC 7616 says; each nonce is good for one request."""
    nonces = set[str]()

    async def handler(request: web.Request) -> web.StreamResponse:
        given = dict(_fields(request.headers.get("Authorization", "")))
        secret = _md5(f"{user}:cameras:{password}")
        wanted = _md5(f"GET:{request.path_qs}")
        parts = (secret, given.get("nonce", ""), given.get("nc", ""), given.get("cnonce", ""), "auth", wanted)
        if given.get("nonce") in nonces and given.get("response") == _md5(":".join(parts)):
            nonces.discard(given["nonce"])
            return await inner(request)
        nonces.add(nonce := _md5(str(len(nonces)) + str(id(request))))
        challenge = f'Digest realm="cameras", nonce="{nonce}", qop="auth", algorithm=MD5'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    return handler


def _md5(words: str) -> str:
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def _fields(header: str) -> list[tuple[str, str]]:
    return [
        (name.strip(), value.strip().strip('"'))
        for name, _, value in (part.partition("=") for part in header.removeprefix("Digest ").split(","))
    ]


@asynccontextmanager
async def run_hls(clip: Path, folder: Path, *more: str | Path) -> AsyncIterator[Path]:
    """ffmpeg writing a live playlist of one-second segments into a folder, for as long as the block lasts.

    Args:
        clip: what is shown, again and again.
        folder: where to.
        more: options of ffmpeg's HLS muxer.
    """
    requires("ffmpeg")
    playlist = folder / "live.m3u8"
    flags = () if "-hls_flags" in more else ("-hls_flags", "delete_segments+temp_file")
    options = ("-hls_time", "1", "-hls_list_size", "5", *flags, *more, "-f", "hls")
    arguments: Sequence[str | Path] = (
        *("ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", *options, playlist),
    )
    with run_process(arguments) as process:
        while not playlist.exists() or playlist.read_text().count("#EXTINF") < 3:
            assert process.returncode is None, process.output
            await asyncio.sleep(0.05)
        yield playlist
