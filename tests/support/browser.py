"""Chromium without a window and without a network, for tests of pages."""

import os
import shutil
from typing import Any

import pytest

NEEDED = "NOT TESTED HERE: needs selenium, chromium and chromedriver (Debian: chromium, chromium-driver)"


def chromium(*arguments: str, device: dict[str, Any] | None = None) -> Any:
    """A driver; the test is skipped without one.  `device` are the metrics of what is emulated."""
    webdriver = pytest.importorskip("selenium.webdriver", reason=NEEDED)
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip(NEEDED)
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--disable-dev-shm-usage", "--disable-gpu", *arguments):
        options.add_argument(argument)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")  # which does not work for root
    if device:
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": device})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def severe(driver: Any) -> list[str]:
    """The errors in the console since the last time."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
