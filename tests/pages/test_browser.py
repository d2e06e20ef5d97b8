"""The pages in a real browser: Chromium without a screen, driven by Selenium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli import text
from tests.pages.shop import shop
from tests.support import NO_BROWSER, Project

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [pytest.mark.skipif(not (BROWSER and DRIVER), reason=NO_BROWSER), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = shop(os.fspath(tmp_path_factory.mktemp("shop")))
    assert text(project, "docs").exit_code == 0
    return project


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def find(browser: Chrome, selector: str) -> list[Any]:
    return browser.find_elements("css selector", selector)


def go(browser: Chrome, project: Project, name: str) -> None:
    browser.get(f"file://{project.path('site', name)}")


def test_pages_load_without_errors_and_links_work(built: Project, browser: Chrome) -> None:
    go(browser, built, "index.html")
    for name in [link.text for link in find(browser, "#feeds a")]:
        go(browser, built, "index.html")
        browser.find_element("link text", name).click()
        assert find(browser, "h1")[0].text.startswith(name)
        find(browser, "header a")[0].click()
        assert browser.title == "Feeds of local"
    driver: Any = browser
    assert [entry["message"] for entry in driver.get_log("browser")] == []


def test_search_leaves_what_fits(built: Project, browser: Chrome) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    go(browser, built, "index.html")
    ActionChains(browser).send_keys("/").send_keys("SALES order").perform()
    shown = [row for row in find(browser, "#feeds tbody tr") if row.is_displayed()]
    assert [row.text.split()[0] for row in shown] == ["orders"]
    assert find(browser, "#found")[0].text == "1 of 4 feeds"


def test_dark_and_light(built: Project, browser: Chrome) -> None:
    go(browser, built, "index.html")
    seen = set()
    for _ in range(2):
        seen.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        find(browser, "#theme")[0].click()
    assert seen == {"rgb(255, 255, 255)", "rgb(20, 23, 26)"}
    theme = browser.execute_script("return document.documentElement.dataset.theme")
    go(browser, built, "feeds/orders.html")  # which keeps what was chosen
    assert browser.execute_script("return document.documentElement.dataset.theme") == theme


def test_a_phone_scrolls_no_page_sideways(built: Project, browser: Chrome) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for name in ("index.html", "feeds/orders.html"):
            go(browser, built, name)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_keyboard_reaches_everything(built: Project, browser: Chrome) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    go(browser, built, "index.html")
    reached = []
    for _ in range(30):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.execute_script("const e = document.activeElement; return e.id || e.textContent"))
    assert reached[0] == "To the content"
    assert {"theme", "search", "orders", "refused"} <= set(reached)


def test_bars_are_as_high_as_their_figures(built: Project, browser: Chrome) -> None:
    go(browser, built, "feeds/orders.html")
    chart = find(browser, ".charts figure")[0]
    heights = [bar.rect["height"] for bar in chart.find_elements("css selector", "rect.s0")]
    assert [round(height / heights[0]) for height in heights] == [1, 2, 3]
