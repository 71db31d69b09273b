"""Which options the FFmpeg in PyAV's wheel knows, asked of the library itself: PyAV passes others over in silence."""

import ctypes
from functools import cache
from pathlib import Path

import av


class _Option(ctypes.Structure):
    """The beginning of AVOption (libavutil/opt.h)."""

    _fields_ = (("name", ctypes.c_char_p),)


class _InputFormat(ctypes.Structure):
    """The beginning of AVInputFormat (libavformat/avformat.h)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("long_name", ctypes.c_char_p),
        ("flags", ctypes.c_int),
        ("extensions", ctypes.c_char_p),
        ("codec_tag", ctypes.c_void_p),
        ("priv_class", ctypes.c_void_p),
    )


@cache
def _library(name: str) -> ctypes.CDLL:
    [path] = Path(av.__file__).parent.with_name("av.libs").glob(f"lib{name}-*.so*")
    return ctypes.CDLL(str(path))


def _names(av_class: int | None) -> set[str]:
    """The options of an AVClass."""
    following = _library("avutil").av_opt_next
    following.restype, following.argtypes = ctypes.POINTER(_Option), (ctypes.c_void_p, ctypes.c_void_p)
    holder, found, option = ctypes.c_void_p(av_class), set[str](), None
    while option := following(ctypes.addressof(holder), option):
        found.add(option.contents.name.decode())
    return found


def format_options(name: str) -> set[str]:
    """What a demuxer takes, beside what all take."""
    find = _library("avformat").av_find_input_format
    find.restype = ctypes.POINTER(_InputFormat)
    found = find(name.encode())
    assert found, f"FFmpeg has no demuxer {name}"
    every = _library("avformat").avformat_get_class
    every.restype = ctypes.c_void_p
    private = found.contents.priv_class
    return _names(every()) | (_names(private) if private else set())


def protocol_options(name: str) -> set[str]:
    """What a protocol takes, and what all protocols take (`rw_timeout`, libavformat/avio.c)."""
    find = _library("avformat").avio_protocol_get_class
    find.restype = ctypes.c_void_p
    found = find(name.encode())
    assert found, f"FFmpeg has no protocol {name}"
    return _names(found) | {"rw_timeout"}
