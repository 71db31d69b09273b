"""The page's files and modules, and what it does with a service's answers; test_browser.py has the real service."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from streamer.view.annotator import PALETTE_RGB
from tests.peers.chromium import connect
from tests.peers.required import REPOSITORY
from tests.peers.service import until
from tests.web.peers import WEB, FakeService, run_fake_service, seen, stream

STYLES = WEB / "styles"
PALETTE = STYLES / "palette.css"

in_browser = pytest.mark.asyncio(loop_scope="module")

PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests: connecting to it costs more than most of them."""
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def service() -> AsyncIterator[FakeService]:
    """Give a service without cameras."""
    async with run_fake_service() as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(driven: Browser) -> AsyncIterator[Page]:
    """Give a page that records what the browser refused to load or run."""
    context = await driven.new_context()
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.add_init_script(
        "window.refused = []; document.addEventListener('securitypolicyviolation', e => refused.push(e.blockedURI))"
    )
    yield page
    await context.close()


# ---- files


class _Markup(HTMLParser):
    """What a document refers to, and what it carries itself."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in attributes):
            self.inline.append(tag)
        self.inline += [f"{tag} {name}" for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            value = attributes.get(name)
            if value and not value.startswith("#"):
                self.references.append(value)


def test_page_has_no_inline_script_or_style() -> None:
    """The page works under a policy without 'unsafe-inline', because nothing of it is inline."""
    markup = _Markup()
    markup.feed((WEB / "index.html").read_text())
    assert markup.inline == []


def test_every_reference_is_a_file() -> None:
    """Whatever the page or a module refers to is a file of web/; nothing comes from elsewhere."""
    markup = _Markup()
    markup.feed((WEB / "index.html").read_text())
    references = {path.removeprefix("web/") for path in markup.references}
    for module in WEB.glob("*.js"):
        references |= set(re.findall(r'(?:import|from) "\./([^"]+)";', module.read_text()))
    assert {"app.js", "styles/palette.css", "viewer.js", "whep.js", "stats.js"} <= references
    assert [name for name in references if not (WEB / name).is_file()] == []


def test_every_module_is_used() -> None:
    """No file of web/ is left over, and no style sheet waits for another to name it."""
    markup = _Markup()
    markup.feed((WEB / "index.html").read_text())
    used = " ".join([*markup.references, *(path.read_text() for path in WEB.glob("*.js"))])
    files = [
        path.relative_to(WEB).as_posix() for path in WEB.rglob("*.*") if path.suffix not in (".py", ".pyc", ".html")
    ]
    assert [name for name in files if f"/{name}" not in used] == []


def test_palette_is_the_annotators() -> None:
    """A label has the colour on the page that its box has on the video."""
    colors = re.findall(r"--class-(\d+): rgb\((\d+) (\d+) (\d+)\);", PALETTE.read_text())
    assert {int(number): (int(r), int(g), int(b)) for number, r, g, b in colors} == dict(enumerate(PALETTE_RGB, 1))
    classes = re.findall(r'\[data-color="(\d+)"\] \{\s*--class: var\(--class-\1\);', (STYLES / "tag.css").read_text())
    assert [int(number) for number in classes] == list(range(1, len(PALETTE_RGB) + 1))
    assert f"const COLORS = {len(PALETTE_RGB)};" in (WEB / "class_color.js").read_text()


def test_browsers_frame_is_the_pages_ground() -> None:
    """The colour that a phone gives its own bar is the page's, in both schemes: the markup has no variables."""
    page = (WEB / "index.html").read_text()
    frame = re.findall(r'"theme-color" content="(#\w+)" media="\(prefers-color-scheme: (\w+)\)"', page)
    ground = re.findall(r"--ground: (#\w+);", PALETTE.read_text())
    assert frame == [(ground[0], "dark"), (ground[1], "light")]


@in_browser
async def test_every_colour_is_of_the_palette(viewer: Page, service: FakeService) -> None:
    """Only palette.css has colours, whatever notation; no other style sheet has one, and no module."""
    values = {
        (path.name, word)
        for path in STYLES.glob("*.css")
        if path != PALETTE
        for value in re.findall(r":([^:;{}]+);", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL))
        for word in re.findall(r"[\w-]+\([^()]*\)|[#\w-]+", value)
    }
    values |= {
        (path.name, text)
        for path in WEB.glob("*.js")
        for _, text in re.findall(r"""(["'`])(.*?)\1""", path.read_text())
    }
    await viewer.goto(service.url)
    are_colours = "(words) => words.map((word) => CSS.supports('color', word))"
    words = sorted(values)
    found = await viewer.evaluate(are_colours, [word for _, word in words])
    # What stands for a colour given elsewhere; and the name of an element, which is a system colour's too.
    from_elsewhere = re.compile(r"(var|env|attr)\(.*\)|inherit|currentcolor|canvas", re.IGNORECASE)
    colours = [word for word, is_colour in zip(words, found, strict=True) if is_colour]
    assert [each for each in colours if not from_elsewhere.fullmatch(each[1])] == []


def test_no_module_gives_up_its_types() -> None:
    """What tsc cannot see is narrowed: no module calls a type `any`, and none has a line left out of the check."""
    given_up = re.compile(r"@ts-(ignore|nocheck|expect-error)|@(type|param|property|returns|typedef)\b.*{.*\bany\b.*}")
    lines = [(path.name, line) for path in WEB.glob("*.js") for line in path.read_text().splitlines()]
    assert [found for found in lines if given_up.search(found[1])] == []


def test_lock_says_what_and_not_where_from() -> None:
    """The packages that check the page are locked by version and digest, and run no script of theirs when installed."""
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    packages = [entry for path, entry in locked.items() if path]
    assert {(entry["dev"], entry["integrity"].partition("-")[0]) for entry in packages} == {(True, "sha512")}
    assert not any("resolved" in entry or "hasInstallScript" in entry for entry in packages)


# ---- the page and a service's answers


@in_browser
async def test_page_breaks_no_policy(viewer: Page, service: FakeService) -> None:
    """Nothing of a playing page is refused under the service's Content-Security-Policy."""
    service.streams = [stream("line-1"), stream("line-2", "offline", "the camera refuses the connection")]
    errors: list[str] = []
    viewer.on("pageerror", lambda error: errors.append(str(error)))
    await viewer.goto(service.url)
    await expect(viewer.locator("stream-viewer[data-transport=mjpeg]")).to_have_count(1)
    assert await viewer.evaluate("refused") == []
    assert errors == []


@in_browser
async def test_state_and_reason_are_shown(viewer: Page, service: FakeService) -> None:
    """Each state stands on the tile in a word, with the server's reason as a sentence."""
    service.streams = [
        stream("a"),
        stream("b", "stale", "no fresh detections for 5 s: the model does not keep up"),
        stream("c", "offline", "the camera refuses the connection"),
        stream("d", "connecting"),
    ]
    await viewer.goto(service.url)
    await expect(viewer.locator(".badge-text")).to_have_text(["Live", "Stale", "Offline", "Connecting"])
    await expect(viewer.locator("[name=b] .notice")).to_have_text(
        "No fresh detections for 5 s: the model does not keep up."
    )
    await expect(viewer.locator("[name=c] .cover-reason")).to_have_text("The camera refuses the connection.")


@in_browser
async def test_a_stream_that_gets_less_than_it_asks_says_so(viewer: Page, service: FakeService) -> None:
    """The tile says what was asked and what is got where the model has not the time for all, and nothing else does."""
    service.streams = [
        stream("a") | {"sample_fps": 5.0, "effective_sample_fps": 3.24},
        stream("b") | {"sample_fps": 5.0, "effective_sample_fps": None},
        stream("c", "offline") | {"sample_fps": 5.0, "effective_sample_fps": 3.24},
        stream("d"),
    ]
    await viewer.goto(service.url)
    await expect(viewer.locator("[name=a] .shortfall")).to_have_text("asked 5/s, gets 3.2/s")
    await expect(viewer.locator(".shortfall:visible")).to_have_count(1)


@in_browser
async def test_why_a_camera_is_away_is_a_word_too(viewer: Page, service: FakeService) -> None:
    """Beside the sentence an offline tile shows the word that the API, the metric and the log have; no other does."""
    service.streams = [
        stream("a", "offline", "the camera refuses user or password") | {"error": "authentication"},
        stream("b", "paused", "paused: its camera is not connected") | {"error": None},
        stream("c", "connecting", "connecting") | {"error": None},
    ]
    await viewer.goto(service.url)
    await expect(viewer.locator("[name=a] .cover-error")).to_have_text("authentication")
    await expect(viewer.locator("[name=a] .cover-error")).to_be_visible()
    for name in ("b", "c"):
        await expect(viewer.locator(f"[name={name}] .cover-error")).to_be_hidden()
    await expect(viewer.locator("[name=b] .badge-text")).to_have_text("Paused")
    await expect(viewer.locator("[name=b] .cover-reason")).to_have_text("The camera is not connected.")
    await expect(viewer.locator(".summary")).to_contain_text("1 paused")


@in_browser
async def test_text_of_the_server_is_never_markup(viewer: Page, service: FakeService) -> None:
    """Names, reasons and labels are text, whatever they look like."""
    evil = "<img src=x onerror='window.hacked=1'>"
    service.streams = [stream(evil, "stale", evil), stream("other")]
    service.events = [{"stream": evil, "model": "m", "version": 1, "age_ms": 1, "detections": [seen(evil)]}]
    await viewer.goto(service.url)
    await expect(viewer.locator(".name").first).to_have_text(evil)
    await expect(viewer.locator(".chips .tag")).to_have_text([f"{evil}1"])
    assert await viewer.locator("stream-viewer img").count() == 0
    assert await viewer.evaluate("window.hacked") is None


@in_browser
async def test_a_finding_is_what_the_model_calls_one(viewer: Page, service: FakeService) -> None:
    """A label is set apart where its own stream names it as a finding, whatever other streams name."""
    service.streams = [stream("a") | {"findings": ["nest"]}, stream("b") | {"findings": ["car"]}, stream("c")]
    del service.streams[2]["findings"]
    labels = [seen("nest"), seen("defect")]
    service.events = [
        {"stream": name, "model": "m", "version": 1, "age_ms": 1, "detections": labels} for name in ("a", "b", "c")
    ]
    await viewer.goto(service.url)
    await expect(viewer.locator(".chips .tag")).to_have_count(6)
    await expect(viewer.locator(".chips .tag.finding")).to_have_text(["nest1"])
    assert await viewer.locator("[name=a] .chips .tag.finding").count() == 1


@in_browser
async def test_a_label_becomes_a_finding_when_its_model_is_known(viewer: Page, service: FakeService) -> None:
    """A label on a tile is set apart from the first frame on after the list says so, though as many are in view."""
    service.streams = [stream("a")]
    await viewer.goto(service.url)
    await expect(viewer.locator("stream-viewer")).to_have_count(1)
    told = """([entry, event]) => {
      const tile = document.querySelector("stream-viewer");
      return [[], ["nest"], []].map((findings) => {
        tile.update({ ...entry, findings });
        tile.detect(event);
        return tile.querySelector(".chips .tag").classList.contains("finding");
      });
    }"""
    event = {"stream": "a", "model": "m", "version": 1, "age_ms": 1, "detections": [seen("nest")]}
    assert await viewer.evaluate(told, [stream("a"), event]) == [False, True, False]


@in_browser
async def test_streams_come_and_go(viewer: Page, service: FakeService) -> None:
    """A stream that appears in the list gets a tile in its place, and loses it when it leaves the list."""
    service.streams = [stream("a"), stream("c")]
    await viewer.goto(service.url)
    names = viewer.locator("stream-viewer .name")
    await expect(names).to_have_text(["a", "c"])
    service.streams.insert(1, stream("b"))
    await expect(names).to_have_text(["a", "b", "c"])
    del service.streams[0]
    await expect(names).to_have_text(["b", "c"])


@in_browser
async def test_whep_that_is_full_gives_way_to_mjpeg(viewer: Page, service: FakeService) -> None:
    """A server without room for WebRTC is believed at once, and its sentence is shown beside the best way's."""
    service.streams = [stream("a")]
    await viewer.goto(service.url)
    await expect(viewer.locator("stream-viewer")).to_have_attribute("data-transport", "mjpeg")
    said = "No WebSocket comes through to the server; all places for viewers are taken (503)."
    await expect(viewer.locator(".facts")).to_contain_text(said)
    assert service.offers == 1


@in_browser
async def test_whep_without_frames_gives_way_to_mjpeg(viewer: Page, service: FakeService) -> None:
    """A session that brings no frame is ended on the server, and the video comes as MJPEG."""
    service.streams, service.room = [stream("a")], True
    await viewer.goto(service.url)
    await expect(viewer.locator("stream-viewer")).to_have_attribute("data-transport", "mjpeg")
    await until(lambda: asyncio.sleep(0, not service.sessions), lambda: f"not deleted: {list(service.sessions)}")
    assert service.offers == 1


@in_browser
async def test_leaving_the_page_deletes_the_session(viewer: Page, service: FakeService) -> None:
    """A page that is left deletes its session; the server need not find out by itself."""
    service.streams, service.room = [stream("a")], True
    async with viewer.expect_response(lambda answer: answer.request.method == "POST") as answered:
        await viewer.goto(service.url)
    assert (await answered.value).status == 201
    await viewer.goto("about:blank")
    await until(lambda: asyncio.sleep(0, not service.sessions), lambda: f"not deleted: {list(service.sessions)}")


@in_browser
async def test_mjpeg_leaves_connections_free(viewer: Page, service: FakeService) -> None:
    """Of many tiles three take endless pictures and the others stills: six connections are all there are."""
    await viewer.set_viewport_size({"width": 1600, "height": 1000})
    service.streams = [stream(f"s{number}") for number in range(7)]
    await viewer.goto(f"{service.url}?transport=mjpeg")
    await expect(viewer.locator("[data-transport=mjpeg]")).to_have_count(3)
    await expect(viewer.locator("[data-transport=stills]")).to_have_count(4)
    assert service.endless == 3
    assert service.offers == 0
    service.streams[0]["state"] = "connecting"  # the list still gets through
    await expect(viewer.locator("[name=s0] .badge-text")).to_have_text("Connecting")


@in_browser
async def test_large_view_takes_a_real_stream(viewer: Page, service: FakeService) -> None:
    """The tile that is opened gets endless pictures even where the tiles had taken all there are."""
    await viewer.set_viewport_size({"width": 1600, "height": 1000})
    service.streams = [stream(f"s{number}") for number in range(5)]
    await viewer.goto(f"{service.url}?transport=mjpeg")
    stills = viewer.locator("[data-transport=stills]")
    await expect(stills).to_have_count(2)
    name = await stills.first.get_attribute("name")
    await stills.first.locator(".name").press("Enter")
    await expect(viewer.locator(f"[name={name}].focused")).to_have_attribute("data-transport", "mjpeg")
    assert viewer.url.endswith(f"#{name}")
    await expect(viewer.locator("stream-viewer:visible")).to_have_count(1)
    await viewer.keyboard.press("Escape")
    await expect(viewer.locator("stream-viewer:visible")).to_have_count(5)
    await expect(viewer.locator(f"[name={name}] .name")).to_be_focused()


@in_browser
async def test_lost_server_is_told_and_found_again(viewer: Page, service: FakeService) -> None:
    """While the server is away a banner says so and no state is claimed; when it is back the video is too."""
    service.streams = [stream("a"), stream("b")]
    await viewer.goto(service.url)
    await expect(viewer.locator("[data-transport=mjpeg]")).to_have_count(2)
    await service.stop()
    await expect(viewer.locator(".banner")).to_contain_text("No connection to the server.")
    await expect(viewer.locator(".badge-text")).to_have_text(["No server", "No server"])
    await service.start()
    await expect(viewer.locator(".banner")).to_be_hidden()
    await expect(viewer.locator("[data-state=live][data-transport=mjpeg]")).to_have_count(2)


@in_browser
async def test_tile_out_of_sight_releases_its_video(viewer: Page, service: FakeService) -> None:
    """A tile scrolled away ends its stream after some grace, and starts again when it is back."""
    await viewer.set_viewport_size({"width": 400, "height": 500})
    service.streams = [stream(f"s{number}") for number in range(6)]
    await viewer.goto(service.url)
    first = viewer.locator("[name=s0]")
    await expect(first).to_have_attribute("data-transport", "mjpeg")
    await viewer.locator("[name=s5]").scroll_into_view_if_needed()
    await expect(first).to_have_attribute("data-transport", "none")
    await first.scroll_into_view_if_needed()
    await expect(first).to_have_attribute("data-transport", re.compile("mjpeg|stills"))
