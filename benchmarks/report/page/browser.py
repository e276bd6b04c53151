"""Drives a headless Chromium over its debugging pipe, with nothing but Python.

    with Browser() as browser:
        browser.open("file:///page.html", width=360, dark=True)
        browser.evaluate("document.title")
        browser.errors  # exceptions, console errors and refused requests so far
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

_PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
# Seconds that one command may take.
_PATIENCE = 60


def find_browser():
    """Returns the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


class Browser:
    """One browser with one page. Not thread-safe."""

    def __init__(self, program=None):
        self.errors = []
        self.requests = []
        self._next_id = 0
        self._loaded = False
        self._buffer = b""
        self._home = tempfile.mkdtemp()
        to_browser, self._output = os.pipe()
        self._input, from_browser = os.pipe()

        def pipes():
            # The browser reads from descriptor 3 and writes to 4.
            spare = [os.dup(to_browser), os.dup(from_browser)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self._process = subprocess.Popen(
            [
                program or find_browser(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-pipe",
                "--user-data-dir=" + self._home,
                "--no-first-run",
                "about:blank",
            ],
            preexec_fn=pipes,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, HOME=self._home),
        )
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self._input, False)
        self._session = None
        target = self._page_target()
        self._session = self._call(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._input)
        os.close(self._output)
        shutil.rmtree(self._home, ignore_errors=True)

    def open(self, url, width=1280, height=900, dark=False, script=True):
        """Loads `url` in a window of `width` by `height` px; `script`: run its scripts."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._call("Emulation.setScriptExecutionDisabled", value=not script)
        self._call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            ],
        )
        self._loaded = False
        self._call("Page.navigate", url=url)
        self._wait(lambda: self._loaded)

    def evaluate(self, expression):
        """Returns the value of a JavaScript expression, awaited if it is a promise."""
        answer = self._call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def html_of(self, selector):
        """Returns the HTML of the first such element, or None; works without scripts, too."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        return (
            self._call("DOM.getOuterHTML", nodeId=node)["outerHTML"] if node else None
        )

    def key(self, name, code):
        """Presses and releases a key, such as ("Tab", 9)."""
        for kind in ("rawKeyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode=code,
            )

    def screenshot(self, path, whole=False):
        """Writes the window, or the whole page, as PNG."""
        picture = self._call("Page.captureScreenshot", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def pdf(self, path):
        """Prints the page."""
        picture = self._call("Page.printToPDF", printBackground=False)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def _page_target(self):
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for target in self._call("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return target["targetId"]
            time.sleep(0.1)
        raise TimeoutError("the browser shows no page")

    def _call(self, method, **parameters):
        self._next_id += 1
        message = {"id": self._next_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._output, json.dumps(message).encode() + b"\0")
        answers = []
        self._wait(
            lambda: answers,
            lambda each: answers.append(each)
            if each.get("id") == message["id"]
            else None,
        )
        if "error" in answers[0]:
            raise RuntimeError(f"{method}: {answers[0]['error']}")
        return answers[0]["result"]

    def _wait(self, done, see=lambda each: None):
        """Reads messages until `done()`; each one goes to `see` too."""
        deadline = time.monotonic() + _PATIENCE
        while not done():
            while b"\0" in self._buffer:
                text, self._buffer = self._buffer.split(b"\0", 1)
                message = json.loads(text)
                self._note(message)
                see(message)
            if done():
                return
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"the browser ended with status {self._process.returncode}"
                )
            if time.monotonic() > deadline:
                raise TimeoutError("the browser does not answer")
            try:
                self._buffer += os.read(self._input, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)

    def _note(self, message):
        method = message.get("method")
        parameters = message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"])[:1000])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in (
            "error",
            "warning",
            "assert",
        ):
            self.errors.append(json.dumps(parameters["args"])[:1000])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in (
            "error",
            "warning",
        ):
            self.errors.append(json.dumps(parameters["entry"])[:1000])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
