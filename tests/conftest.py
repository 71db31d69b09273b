"""Fixtures every test may use."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page

from tests.peers.chromium import connect, run_chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Run one Chromium for the session; the value is the address of its DevTools."""
    with run_chromium() as devtools:
        yield devtools


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium to a test that makes its own contexts and pages."""
    async with connect(chromium) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Give one page in a context of its own."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()
