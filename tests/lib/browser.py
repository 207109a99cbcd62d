"""A headless Chromium, driven over a pair of pipes by its DevTools protocol; no driver, no library.

    with Browser(tmp_path) as browser:
        page = browser.open(file)          # loaded; requests, console messages and errors are kept
        assert page.evaluate("document.title") == "…" and not page.troubles
"""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

from .deadline import patience

# Without these it would look for updates and the like, which a closed network refuses, many at a time.
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars")


def chromium() -> str:
    path = shutil.which("chromium")
    assert path, "no chromium: scripts/install test"
    return path


class Browser:
    def __init__(self, folder: Path):
        self.log = folder / "chromium.log"
        commands_read, self.commands = os.pipe()
        self.replies, replies_write = os.pipe()
        # High numbers first, so that neither of 3 and 4, which Chromium means, is still needed.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (commands_read, replies_write)]
        os.close(commands_read)
        os.close(replies_write)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", chromium(), *QUIET,
                 "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=high)
        for fd in high:
            os.close(fd)
        self.buffer, self.number, self.events = b"", 0, []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_) -> None:
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            pass
        try:
            self.process.wait(patience(10))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.replies)

    def receive(self, deadline: float) -> dict:
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            ready = select.select([self.replies], [], [], max(left, 0))[0]
            assert ready, "Chromium does not answer:\n" + self.log.read_text(errors="replace")[-2000:]
            part = os.read(self.replies, 1 << 20)
            assert part, "Chromium ended:\n" + self.log.read_text(errors="replace")[-2000:]
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method: str, session: str | None = None, **params) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + patience(30)
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def open(self, file: Path, width: int = 1180, height: int = 900, scripts: bool = True, dark: bool = False) -> "Page":
        return Page(self, file, width, height, scripts, dark)


class Page:
    def __init__(self, browser: Browser, file: Path, width: int, height: int, scripts: bool, dark: bool):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.url = Path(file).resolve().as_uri()
        self.call("Page.navigate", url=self.url)
        deadline = time.monotonic() + patience(30)
        while not self.seen("Page.loadEventFired"):
            browser.events.append(browser.receive(deadline))

    def call(self, method: str, **params) -> dict:
        return self.browser.call(method, self.session, **params)

    def seen(self, method: str) -> list:
        return [event["params"] for event in self.browser.events
                if event.get("sessionId") == self.session and event.get("method") == method]

    @property
    def requests(self) -> list:
        return [event["request"]["url"] for event in self.seen("Network.requestWillBeSent")]

    @property
    def troubles(self) -> list:
        """What a developer's console would show: messages, exceptions, violations of the page's policy."""
        return (self.seen("Runtime.consoleAPICalled") + self.seen("Runtime.exceptionThrown") +
                [event["entry"] for event in self.seen("Log.entryAdded")])

    def evaluate(self, expression: str):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def screenshot(self) -> bytes:
        """All of the page, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

