"""Pictures on the page, in a real browser, with a real service and a model that finds the number drawn into one."""

import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from PIL import Image
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.peers.chromium import connect
from tests.peers.clip import draw_frame
from tests.peers.model_server import ModelServer
from tests.peers.service import Service, run_service, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

PATIENCE_MS = 30_000
SIZE = (320, 240)
ORIENTATION = 0x0112
LYING = [
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_270,
]
"""How pixels lie in a file of each orientation, 1 to 8: the way back from what is to be done with them."""
CLASS_1 = (56, 208, 222)
"""What an insulator's box is drawn in."""
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
DROP = """([files, names]) => {
  const carried = new DataTransfer();
  files.forEach((file, at) => {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], names[at]));
  });
  const tell = (kind) => document.body.dispatchEvent(
    new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  tell("dragenter");
  const seen = document.querySelector(".drop-here").checkVisibility();
  const taken = !tell("dragover") && !tell("drop");
  return [seen, taken, document.querySelector(".drop-here").checkVisibility()];
}"""
PASTE = """([file, name]) => {
  const carried = new DataTransfer();
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  if (name) carried.items.add(new File([bytes], name, { type: "image/png" }));
  else carried.setData("text/plain", "words");
  document.body.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
}"""
PAINTED = """() => {
  const canvas = document.querySelector("picture-stage canvas");
  return [canvas.width, canvas.height, canvas.toDataURL("image/png").split(",")[1]];
}"""


@pytest.fixture(scope="module")
def service(model_server: ModelServer) -> Iterator[Service]:
    """Run a service of one camera that is paused."""
    config = {
        "serving": model_server.settings,
        "streams": {"gate": {"url": "rtsp://127.0.0.1:9/gate", "paused": True}},
    }
    with run_service(config) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str, service: Service) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests, once the model answers."""

    async def answers() -> bool:
        return (await service.ask("/readyz")).status == 200

    expect.set_options(timeout=PATIENCE_MS)
    await until(answers, lambda: f"the model does not answer: {service.process.output}")
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(driven: Browser, service: Service) -> AsyncIterator[Page]:
    """Give the page of all these tests: to open one costs more than most of them."""
    context = await driven.new_context(viewport={"width": 1280, "height": 800})
    yield await opened(await context.new_page(), service)
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(seen: Page) -> AsyncIterator[Page]:
    """Give it without pictures, as it is after somebody has signed out."""
    yield seen
    await seen.unroute_all()
    await seen.evaluate("document.querySelector('detect-page').forget()")
    await expect(seen.get_by_role("heading", name="What is in a picture?")).to_be_visible()


async def opened(page: Page, service: Service) -> Page:
    """The same, once it takes pictures."""
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{service.url}/#+detect")
    await expect(page.get_by_role("button", name="Choose pictures")).to_be_visible()
    return page


def score_of(page: Page) -> Locator:
    """From which score on things are shown."""
    return page.locator("found-choice").get_by_role("slider")


def picture(number: int, kind: str = "png", turned: int = 1, **said: Any) -> bytes:
    """A picture with a number drawn into it, upright once it is turned."""
    image = Image.fromarray(draw_frame(number, *SIZE))
    lying = LYING[turned - 1]
    if lying is not None:
        image = image.transpose(lying)
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    to = io.BytesIO()
    image.save(to, kind, **({"exif": exif} | said))
    return to.getvalue()


async def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Drop files somewhere on the page, which says that it takes them while they are over it."""
    encoded = [base64.b64encode(data).decode() for _, data in files]
    told = await page.evaluate(DROP, [encoded, [name for name, _ in files]])
    assert told == [True, True, False]


async def painted(page: Page, boxes: int) -> NDArray[np.uint8]:
    """The part of the stage that the picture fills, once as many boxes are on it."""
    await expect(page.locator(f"picture-stage canvas[data-boxes='{boxes}']")).to_be_visible()
    width, height, encoded = await page.evaluate(PAINTED)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))
    scale = min(width / SIZE[0], height / SIZE[1])
    across, down = round(SIZE[0] * scale), round(SIZE[1] * scale)
    left, top = round((width - across) / 2), round((height - down) / 2)
    return pixels[top : top + down, left : left + across]


def read(path: Path) -> str:
    """The text of a file that was saved."""
    return path.read_text()


def box_of(pixels: NDArray[np.uint8]) -> list[float]:
    """The edges of what is drawn in an insulator's colour and no other, in pixels of the picture."""
    rows, columns = np.nonzero((pixels == CLASS_1).all(axis=2))
    # The words above the box lie on the same colour: the box is what goes on below them.
    frame = columns[rows > rows.max() - 10]
    scale = pixels.shape[1] / SIZE[0]
    return [float(each) / scale for each in (frame.min() + 1, frame.max(), rows.max())]


# ---- what is seen


async def test_a_dropped_picture_has_its_boxes(page: Page) -> None:
    """A picture is dropped; the box is drawn where the number says, in whole pixels, and stands in the table."""
    await drop(page, ("37.png", picture(37)))
    row = page.get_by_role("row").nth(1)
    await expect(row).to_have_text("insulator0.90160 × 120")
    left = 37 / 128 * SIZE[0]
    assert box_of(await painted(page, 1)) == pytest.approx([left, left + 160, 180], abs=1)
    await expect(page.locator("picture-stage canvas")).to_have_attribute("aria-label", "37.png: 1 thing found")
    await expect(page.locator("detect-page .fine")).to_have_text("320 × 240 · numbers v1")


async def test_boxes_are_right_however_a_picture_lies_in_its_file(page: Page) -> None:
    """Of every orientation and kind, and where XMP alone tells it, the page shows what the server looked at."""
    files = [
        (f"{turned}.{kind}", picture(10 * turned % 64, kind, turned))
        for kind in ("jpeg", "png", "webp")
        for turned in range(1, 9)
    ]
    told_elsewhere = picture(60, "jpeg", 6, xmp=XMP.encode(), exif=b"")
    await drop(page, *files, ("6.xmp.jpeg", told_elsewhere))
    await expect(page.locator("picture-strip [data-state=done]")).to_have_count(len(files) + 1)
    for at, (name, _) in enumerate([*files, ("6.xmp.jpeg", b"")]):
        await page.locator("picture-strip button").nth(at).click()
        await expect(page.locator(".side h2").first).to_have_text(name)
        number = 60 if "xmp" in name else 10 * int(name[0]) % 64
        left = number / 128 * SIZE[0]
        pixels = await painted(page, 1)
        assert box_of(pixels) == pytest.approx([left, left + 160, 180], abs=1.5), name
        upright = np.asarray(Image.fromarray(pixels).resize(SIZE, Image.Resampling.BOX)).astype(int)
        below = slice(190, 238)  # of the box
        assert np.abs(upright[below] - draw_frame(number, *SIZE)[below]).mean() < 8, name


async def test_a_row_and_its_box_are_pointed_at_together(page: Page) -> None:
    """Whichever the pointer or the focus is on, the row is marked and the other boxes are pale."""
    await drop(page, ("20.png", picture(20)))
    await painted(page, 1)
    await score_of(page).fill("20")
    both = await painted(page, 2)
    rows = page.locator("picture-answers tbody tr")
    await expect(rows).to_have_count(2)
    marked = page.locator("picture-answers [data-pointed]")
    await page.get_by_role("button", name="insulator").focus()
    await expect(marked).to_contain_text("insulator")
    assert not np.array_equal(await painted(page, 2), both)
    await page.keyboard.press("ArrowDown")
    await expect(marked).to_contain_text("defect")
    canvas = await page.locator("picture-stage canvas").bounding_box()
    assert canvas is not None
    await page.mouse.move(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    await expect(marked).to_contain_text("insulator")
    await page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] * 0.9)
    await expect(page.get_by_role("button", name="defect")).to_be_focused()


async def test_what_is_shown_is_chosen_by_score_and_class(page: Page) -> None:
    """It begins where the model does; below that nothing is asked again, and a class can be left out."""
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url) if "/api/detect?" in request.url else None)
    await drop(page, ("20.png", picture(20)))
    await painted(page, 1)
    await expect(score_of(page)).to_have_value("40")
    await score_of(page).fill("95")
    await expect(page.locator("picture-answers .none")).to_have_text("Nothing of this; 2 things are not shown.")
    await score_of(page).fill("30")
    await painted(page, 2)
    await page.get_by_role("checkbox", name="insulator").uncheck()
    await painted(page, 1)
    await expect(page.locator("picture-answers tbody tr")).to_have_text(["defect0.30320 × 240"])
    assert len(asked) == 1


# ---- several


async def test_one_that_is_refused_keeps_no_other(page: Page) -> None:
    """Each that is no picture says why in a sentence; the others are answered."""
    await drop(
        page,
        ("a.png", picture(5)),
        ("broken.jpg", picture(6, "jpeg")[:700]),
        ("notes.jpg", b"GIF89a"),
        ("b.png", picture(7)),
    )
    await expect(page.locator("picture-strip [data-state=done]")).to_have_count(2)
    said = page.locator("picture-stage .said")
    await page.get_by_role("button", name="broken.jpg, failed").click()
    await expect(said).to_contain_text("The picture cannot be decoded")
    await page.keyboard.press("ArrowRight")
    await expect(said).to_have_text("This is no picture that is read here: JPEG, PNG and WebP are.")
    await page.keyboard.press("Delete")
    await expect(page.locator(".side h2").first).to_have_text("b.png")
    await page.keyboard.press("Delete")
    await page.keyboard.press("Delete")
    await expect(page.locator(".side h2").first).to_have_text("a.png")
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("heading", name="What is in a picture?")).to_be_visible()


async def test_a_server_that_has_no_room_is_asked_again(page: Page) -> None:
    """A picture that is put off says so, and is looked at when the server said to come again."""
    refusals = list[Route]()

    async def answer(route: Route) -> None:
        if refusals:
            await route.continue_()
            return
        refusals.append(route)
        body = json.dumps({"detail": "too many wait"})
        await route.fulfill(status=503, headers={"Retry-After": "1"}, body=body)

    await page.route("**/api/detect?*", answer)
    await drop(page, ("9.png", picture(9)))
    await expect(page.locator("picture-stage .said")).to_contain_text("Too many wait. It is asked again soon.")
    await painted(page, 1)
    await expect(page.locator("picture-stage .said")).to_be_hidden()


async def test_another_model_is_asked_of_all(page: Page) -> None:
    """Where streams use several, the one that is chosen is asked; what it is refused with is said."""
    response = await page.request.get(page.url.partition("#")[0] + "api/streams")
    streams = await response.json()
    other = json.dumps([*streams, {**streams[0], "name": "other", "model": "other"}])
    await page.route("**/api/streams", lambda route: route.fulfill(body=other, content_type="application/json"))
    await drop(page, ("9.png", picture(9)))
    await painted(page, 1)
    await page.get_by_label("Model").select_option("other")
    await expect(page.locator("picture-stage .said")).to_contain_text("No model of that name runs")
    await page.get_by_label("Model").select_option("numbers")
    await painted(page, 1)


# ---- in and out


async def test_a_picture_is_pasted(page: Page) -> None:
    """What was copied comes in by the keyboard too; where that is no picture, a sentence says so."""
    await page.evaluate(PASTE, ["", ""])
    await expect(page.locator("detect-page .problem")).to_have_text("There is no picture on the clipboard.")
    await page.evaluate(PASTE, [base64.b64encode(picture(12)).decode(), "image.png"])
    await painted(page, 1)
    await expect(page.locator(".side h2").first).to_have_text("pasted-1.png")
    await expect(page.locator("detect-page .problem")).to_be_hidden()


async def test_picture_and_answers_are_saved(page: Page) -> None:
    """The picture is saved in its own size with the boxes that are shown, and these as the API tells them."""
    await drop(page, ("30.webp", picture(30, "webp", 8)))
    await painted(page, 1)
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Save picture").click()
    saved = await downloading.value
    assert saved.suggested_filename == "30-boxes.jpg"
    pixels = np.asarray(Image.open(await saved.path())).astype(int)
    assert pixels.shape == (*SIZE[::-1], 3)
    edge = pixels[120, round(30 / 128 * SIZE[0])]
    assert np.abs(edge - CLASS_1).max() < 60, edge
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Save JSON").click()
    told = json.loads(read(await (await downloading.value).path()))
    [found] = told["pictures"]
    assert (told["model"], found["name"], found["width"], found["orientation"]) == ("numbers", "30.webp", 320, 8)
    assert [each["label"] for each in found["detections"]] == ["insulator"]


async def test_a_phone_takes_one(driven: Browser, service: Service) -> None:
    """On a phone there is a button for its camera; nothing is wider than the screen."""
    context = await driven.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    page = await opened(await context.new_page(), service)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Take one").click()
    chooser = await choosing.value
    assert await chooser.element.get_attribute("capture") == "environment"
    await chooser.set_files({"name": "image.jpg", "mimeType": "image/jpeg", "buffer": picture(37, "jpeg", 6)})
    await expect(page.locator("picture-answers tbody tr")).to_have_count(1)
    await expect(page.locator(".side h2").first).to_have_text("taken-1.jpg")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await context.close()
