"""Writes the pictures of docs/monitoring.md from a month of the demo's shop: python docs/build_pictures.py

It needs chromium and chromedriver. With `--all DIR` it writes pictures of every page into DIR instead, light and dark,
as wide as a desktop and as a phone, to be looked at.
"""

from __future__ import annotations

import argparse
import base64
import glob
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

DOCS = os.path.dirname(os.path.abspath(__file__))
PICTURES = (  # name, page, theme, width, height (0: all of it)
    ("pages-overview", "index.html", "light", 1100, 1250),
    ("pages-feed-dark", "feeds/orders.html", "dark", 1100, 1150),
    ("pages-phone", "index.html", "dark", 390, 844),
)
DESKTOP, PHONE = 1100, 390


@contextmanager
def browser() -> Iterator[Chrome]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def picture(driver: Chrome, page: str, theme: str, width: int, height: int, file: str) -> None:
    """A page as it is shown at this width, as WebP."""
    features = [{"name": "prefers-color-scheme", "value": theme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": height or 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(f"file://{os.path.abspath(page)}")
    whole = height or driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": whole, "scale": 1}
    shot = {"format": "webp", "quality": 80, "clip": clip, "captureBeyondViewport": True}
    data = driver.execute_cdp_cmd("Page.captureScreenshot", shot)["data"]
    with open(file, "wb") as out:
        out.write(base64.b64decode(data))


def _at_home(site: str) -> None:
    """Take the folder in which the demo was made out of the pages."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(site))).replace("/", "/<wbr>")
    for page in glob.glob(os.path.join(site, "**", "*.html"), recursive=True):
        with open(page, encoding="utf-8") as stream:
            text = stream.read()
        with open(page, "w", encoding="utf-8") as out:
            out.write(text.replace(folder, "/home/<wbr>me"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", metavar="DIR")
    parser.add_argument("--site", help="pages that are there already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        site = arguments.site or os.path.join(folder, "shop", "site")
        if arguments.site is None:
            command = [sys.executable, "runner.py", "demo", os.path.join(folder, "shop"), "--days", "30"]
            subprocess.run(command, cwd=os.path.dirname(DOCS), check=True, stdout=subprocess.DEVNULL)
        _at_home(site)
        if arguments.all is None:
            for name, page, theme, width, height in PICTURES:
                file = os.path.join(DOCS, "pictures", f"{name}.webp")
                picture(driver, os.path.join(site, page), theme, width, height, file)
            return
        os.makedirs(arguments.all, exist_ok=True)
        for page in sorted(glob.glob("**/*.html", root_dir=site, recursive=True)):
            for theme in ("light", "dark"):
                for name, width in (("desktop", DESKTOP), ("phone", PHONE)):
                    file = os.path.join(arguments.all, f"{os.path.basename(page)}-{theme}-{name}.webp")
                    picture(driver, os.path.join(site, page), theme, width, 0, file)


if __name__ == "__main__":
    main()
