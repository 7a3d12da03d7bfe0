"""A Chromium that is told what to do over the DevTools protocol, by two pipes.

    with Browser() as browser:
        page = browser.open("report.html", scheme="dark")
        page.value("document.title")

What the page asks for, and what it complains of, is in page.requests and page.complaints.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

# Debian's chromium-headless-shell, or a whole one.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
PATIENCE = 60.0


class Failure(Exception):
    """The browser does not answer, or the page's script has thrown something."""


class Page:
    """A tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.loaded = False

    def call(self, method: str, **parameters: object) -> dict:
        return self.browser.call(method, self.session, **parameters)

    def hear(self, method: str, event: dict) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details)))
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(event["args"]))
        elif method == "Page.loadEventFired":
            self.loaded = True

    def value(self, expression: str) -> object:
        """What the expression is worth, as far as JSON can tell; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failure(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Each key down and up: a name, as "ArrowLeft", or a character."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, 0)
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", key=key,
                      text=text, windowsVirtualKeyCode=code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        """In the middle of what the selector finds."""
        x, y = self.value(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            node.scrollIntoView({{ block: "center" }});
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def shoot(self, path: str) -> None:
        """A picture of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))


class Browser:
    """Its process; it keeps nothing, and knows no network."""

    def __init__(self, program: str | None = None) -> None:
        self.program = program or next(filter(None, map(shutil.which, PROGRAMS)), None)
        if not self.program:
            raise Failure("no Chromium: scripts/bootstrap test installs one")
        self.folder = tempfile.TemporaryDirectory()
        self.pages: dict[str, Page] = {}
        self.answers: dict[int, dict] = {}
        self.count = 0
        self.held = b""

    def __enter__(self) -> Browser:
        theirs, self.out = os.pipe()
        self.into, ours = os.pipe()
        # The protocol is read from descriptor 3 and written to 4.
        shell = f'exec 3<&{theirs} 4>&{ours}; exec "$@"'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", shell, "sh", self.program, "--remote-debugging-pipe", "--headless",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={self.folder.name}"],
            pass_fds=(theirs, ours), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(ours)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.folder.name, ignore_errors=True)

    def listen(self, deadline: float) -> None:
        """One message, if it comes before that time."""
        while b"\0" not in self.held:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.into], [], [], left)[0]:
                raise Failure(f"{self.program} does not answer")
            data = os.read(self.into, 1 << 16)
            if not data:
                raise Failure(f"{self.program} has ended with {self.process.wait()}")
            self.held += data
        text, self.held = self.held.split(b"\0", 1)
        message = json.loads(text)
        if "id" in message:
            self.answers[message["id"]] = message
        elif message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].hear(message["method"], message["params"])

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        deadline = time.monotonic() + PATIENCE
        while self.count not in self.answers:
            self.listen(deadline)
        answer = self.answers.pop(self.count)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path: str, scheme: str = "light", trusting: bool = False, anchor: str = "",
             script: bool = True) -> Page:
        """The file, loaded, in a tab. trusting: without its policy, for scripts of a test."""
        target = self.call("Target.createTarget", url="about:blank", width=1100, height=900)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, session["sessionId"])
        self.pages[page.session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call("Network.emulateNetworkConditions", offline=True, latency=0,
                  downloadThroughput=0, uploadThroughput=0)
        page.call("Page.setBypassCSP", enabled=trusting)
        page.call("Emulation.setScriptExecutionDisabled", value=not script)
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri() + anchor)
        deadline = time.monotonic() + PATIENCE
        while not page.loaded:
            self.listen(deadline)
        return page
