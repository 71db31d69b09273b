"""HLS segments encrypted with AES-128 (RFC 8216 section 4.3.2.4), made clear as they are read."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from streamer.source.reader import Body
from streamer.values.errors import SourceError

BLOCK = 16
"""Bytes of AES's block, of its key here, and of the initialisation vector."""


def wrong_key() -> SourceError:
    """What is said where a segment makes no sense with its key."""
    return SourceError("codec", "a segment is not encrypted with the key that the playlist names")


class Decrypted:
    """An encrypted segment as what it was before.

    Raises:
        SourceError: kind "codec"; in `read`: at its end it turns out not to have been encrypted with this key.
    """

    def __init__(self, body: Body, key: bytes, vector: bytes) -> None:
        self._body = body
        self._decryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).decryptor()
        self._unpadder = PKCS7(8 * BLOCK).unpadder()
        self._clear = b""
        """Read, and not yet taken."""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        while not self._clear and not self._ended:
            encrypted = self._body.read(size)
            try:
                if encrypted:
                    self._clear = self._unpadder.update(self._decryptor.update(encrypted))
                else:
                    self._ended = True
                    self._clear = self._unpadder.update(self._decryptor.finalize()) + self._unpadder.finalize()
            except ValueError:  # no whole number of blocks, or no padding at its end
                raise wrong_key() from None
        taken, self._clear = self._clear[:size], self._clear[size:]
        return taken
