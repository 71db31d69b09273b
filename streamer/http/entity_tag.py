"""Answers that a client may keep, and ask for again by their tag (RFC 9110 section 8.8.3)."""

import hashlib

from aiohttp import ETag, web


def tagged(request: web.Request, body: bytes, content_type: str | None) -> web.Response:
    """The body, or that it is what the client has."""
    tag = ETag(hashlib.sha256(body).hexdigest()[:32])
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304)
    else:
        response = web.Response(body=body, content_type=content_type, charset="utf-8")
    response.etag = tag
    return response
