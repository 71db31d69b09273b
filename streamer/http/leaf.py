"""A page of one sentence, for a browser that is on its way and would show nobody a JSON text."""

from html import escape

from aiohttp import web

from streamer.http.keys import location

_PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="dark light">{refresh}
    <title>{title} – Sightline</title>
    <link rel="icon" href="{icon}" type="image/svg+xml">
{styles}
  </head>
  <body>
    <main class="empty" data-none>
      <h1 class="empty-text">{title}</h1>
      <p>{sentence}</p>
      <p class="empty-actions"><a class="start" href="{to}">{link}</a></p>
    </main>
  </body>
</html>
"""
_STYLES = ("palette", "base", "form", "empty")


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks that will show what it gets."""
    return "text/html" in request.headers.get("Accept", "")


def leaf(
    request: web.Request, title: str, sentence: str, *, to: str, link: str, status: int = 200, goes_on: bool = False
) -> web.Response:
    """Such a page.

    Args:
        request: is answered.
        title: in two or three words.
        sentence: what there is to say.
        to: a path of ours that it leads to.
        link: what that link says.
        status: of the answer.
        goes_on: whether the browser is to follow the link by itself. Then it is our page that sends it, and no longer
            the one that sent it here: cookies for our own pages alone (SameSite=Strict) go with it, as they do with no
            redirect (RFC 6265bis section 5.2).
    """
    refresh = f'\n    <meta http-equiv="refresh" content="0; url={escape(to)}">' if goes_on else ""
    styles = "\n".join(
        f'    <link rel="stylesheet" href="{escape(location(request, f"/web/styles/{name}.css"))}">' for name in _STYLES
    )
    text = _PAGE.format(
        title=escape(title),
        sentence=escape(sentence),
        to=escape(to),
        link=escape(link),
        refresh=refresh,
        styles=styles,
        icon=escape(location(request, "/web/icon.svg")),
    )
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})
