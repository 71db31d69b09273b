"""streamer.source.cipher: HLS segments encrypted with AES-128."""

import io

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from streamer.source.cipher import Decrypted
from streamer.values.errors import SourceError

KEY, VECTOR = bytes(range(16)), bytes(range(16, 32))


def encrypted(clear: bytes) -> bytes:
    """A segment as RFC 8216 section 4.3.2.4 has it: CBC, padded by PKCS7."""
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES128(KEY), modes.CBC(VECTOR)).encryptor()
    return encryptor.update(padder.update(clear) + padder.finalize()) + encryptor.finalize()


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 188 * 7, 100_003])
@pytest.mark.parametrize("size", [1, 16, 1000, 1 << 16])
def test_a_segment_becomes_what_it_was(length: int, size: int) -> None:
    """However long it is and in whatever pieces it is read, never more than asked for is given, and all of it."""
    clear = bytes(index % 251 for index in range(length))[: 3000 if size == 1 else None]
    body = Decrypted(io.BytesIO(encrypted(clear)), KEY, VECTOR)
    pieces = list(iter(lambda: body.read(size), b""))
    assert b"".join(pieces) == clear
    assert all(len(piece) <= size for piece in pieces)
    assert body.read(size) == b""


@pytest.mark.parametrize("broken", [bytes(15), bytes(32), b"x" * 17])
def test_what_was_not_encrypted_with_the_key_is_said(broken: bytes) -> None:
    """Where the end is no padding, the key was another one: no video is made of noise."""
    body = Decrypted(io.BytesIO(broken), KEY, VECTOR)
    with pytest.raises(SourceError, match="not encrypted with the key") as refused:
        list(iter(lambda: body.read(100), b""))
    assert refused.value.kind == "codec"
