"""Headless Chromium, driven over chromedriver's WebDriver protocol (W3C), with nothing but urllib.

    with Browser.start() as browser:
        browser.open(path)
        browser.run("return document.title")

`missing()` says why there is no browser here, for tests to skip with.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from support.patience import PATIENCE

PROGRAMS = ("chromium", "chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"enter": "\ue007", "tab": "\ue004", "space": " "}


def missing() -> str:
    gone = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"no {' and no '.join(gone)} here: apt-get install chromium chromium-driver" if gone else ""


class Browser:
    def __init__(self, driver: subprocess.Popen[str], port: int) -> None:
        self._driver = driver
        self._url = f"http://127.0.0.1:{port}"
        arguments = ["--headless=new", "--disable-gpu", "--no-first-run", "--force-color-profile=srgb"]
        # Chromium's sandbox does not start for root, which a container's user often is.
        arguments += ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
        options = {"binary": shutil.which("chromium"), "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{answer['sessionId']}"

    @classmethod
    def start(cls) -> "Browser":
        # It ends when the port that it was given for ::1 is taken on 127.0.0.1.
        for _ in range(5):
            if browser := cls._try_to_start():
                return browser
        raise RuntimeError("chromedriver ended and named no port, 5 times")

    @classmethod
    def _try_to_start(cls) -> "Browser | None":
        driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert driver.stdout is not None
        for line in driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                try:
                    return cls(driver, int(found[1]))
                except BaseException:
                    driver.kill()
                    raise
        driver.wait(10)
        return None

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(20)

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        self.devtools("Emulation.setDeviceMetricsOverride",
                      {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.devtools("Emulation.setEmulatedMedia",
                      {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self._ask("POST", f"{self._session}/url", {"url": path.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        told = {"script": script, "args": list(arguments)}
        return self._ask("POST", f"{self._session}/execute/sync", told)

    def find(self, css: str) -> dict[str, str]:
        return self._ask("POST", f"{self._session}/element", {"using": "css selector", "value": css})

    def click(self, css: str) -> None:
        self._ask("POST", f"{self._session}/element/{self.find(css)[ELEMENT]}/click", {})

    def type(self, css: str, keys: str) -> None:
        place = f"{self._session}/element/{self.find(css)[ELEMENT]}/value"
        self._ask("POST", place, {"text": KEYS.get(keys, keys)})

    def console(self) -> list[str]:
        """What the page complained of since this was asked last."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        told = {"cmd": command, "params": parameters}
        return self._ask("POST", f"{self._session}/goog/cdp/execute", told)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        answer = self.devtools("Page.captureScreenshot", {"captureBeyondViewport": whole})
        path.write_bytes(base64.b64decode(answer["data"]))

    def _ask(self, method: str, place: str, told: dict[str, Any] | None = None) -> Any:
        data = None if told is None else json.dumps(told).encode()
        request = urllib.request.Request(self._url + place, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {place}: {error.read().decode()[:500]}") from error
