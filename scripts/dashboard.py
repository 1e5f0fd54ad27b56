#!/usr/bin/env python3
"""The dashboard in headless Chromium, against the real daemon and the fixture model: submits, cancels, retries, and watches
the jobs end; looks for what a page must not do. Standard library only: Chromium is driven over its debugging pipe.

Usage: dashboard.py FETTLE [--screens DIR]   (DIR gets pictures at 360 and 1280 px, light and dark; keep them out of git)
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKEN = "dashboard-test-token"
HOSTILE = "<img src=x onerror=alert(1)>"
PROFILE = """fettle: 1
name: {name}
description: a device for tests
compute: {{integer: {{weights: [8, 4], granularity: [group], groups: [32], codebook: false, shift: false}}}}
memory: {{budget: 40 MB, storage: {storage} B, bandwidth: 8 GB/s, context: 128}}
"""


class Browser:
    """Chromium over --remote-debugging-pipe: commands on descriptor 3, answers and events on 4, each ended by a zero byte."""

    def __init__(self, home):
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()

        def place():
            # Moved out of the way first: one of them may be 3 or 4 already.
            source, target = os.dup(to_browser), os.dup(from_browser)
            os.dup2(source, 3)
            os.dup2(target, 4)

        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={home}"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.write, self.read = from_us, to_us
        self.pending, self.number, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank", session=None)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method, session="page", **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self):
        while b"\0" not in self.pending:
            more = os.read(self.read, 1 << 16)
            if not more:
                raise SystemExit("Chromium has ended")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def run(self, script, otherwise=None):
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            if otherwise is not None:
                return otherwise
            raise SystemExit(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, what, script, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(f"Boolean({script})", otherwise=False):
                return
            time.sleep(0.1)
        self.call("Runtime.evaluate", expression="1")
        faults = [event["params"] for event in self.events if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]
        raise SystemExit(f"{what}: not within {seconds} s; {faults}; the page shows:\n{self.run('document.body.innerText')}")

    def picture(self, path, width, scheme):
        self.size(width)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        time.sleep(0.3)
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def size(self, width, height=800):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class SlowMotion(threading.Thread):
    """Lets the daemon's workers run a tenth of the time, so that a job of a second is long enough to be watched."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.parent, self.ends = str(daemon.pid), threading.Event()

    def signal(self, number):
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                if status.read_text().rpartition(")")[2].split()[1] == self.parent:
                    os.kill(int(status.parent.name), number)
            except (OSError, IndexError):
                continue  # It has ended meanwhile.

    def run(self):
        while not self.ends.is_set():
            self.signal(signal.SIGSTOP)
            self.ends.wait(0.18)
            self.signal(signal.SIGCONT)
            self.ends.wait(0.02)

    def stop(self):
        self.ends.set()
        self.join()


def check(is_right, what):
    print(f"{'ok  ' if is_right else 'FAIL'} {what}")
    if not is_right:
        raise SystemExit(1)


def daemon(fettle, folder):
    """Lays out the folder and starts the daemon in it; the process and its address."""
    for name in ("models", "bundles", "state", "profiles"):
        (folder / name).mkdir()
    (folder / "models" / f"{HOSTILE}.gguf").write_bytes(b"GGUF is not what this is")
    for name, storage in (("small", 2_000_000), ("large", 3_000_000)):
        (folder / f"profiles/{name}.yaml").write_text(PROFILE.format(name=name, storage=storage))
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(TOKEN)
    (folder / "fettle.yaml").write_text(
        "models: models\nbundles: bundles\nstate: state\nprofiles: [profiles/small.yaml, profiles/large.yaml]\n"
        "settle: 200 ms\nhttp: {listen: 127.0.0.1:0, token-file: token}\n")
    process = subprocess.Popen(
        [fettle, "daemon", "--config", str(folder / "fettle.yaml")], stderr=open(folder / "log", "wb"))
    address = folder / "state/http-address"
    end = time.monotonic() + 30
    while not address.exists():
        if time.monotonic() > end or process.poll() is not None:
            raise SystemExit((folder / "log").read_text())
        time.sleep(0.05)
    return process, address.read_text().strip()


def row(job, state):
    return f"document.querySelector('#job-{job}[data-state={state}]')"


def use(browser, folder, process):
    """What a user does: puts a model there, looks, enters the token, submits, cancels, retries."""
    slow = SlowMotion(process)
    slow.start()
    browser.wait("the page is live", "document.getElementById('connection').textContent === 'Live'")
    shutil.copytree(ROOT / "Tests/Fixtures/bard", folder / "models/bard")
    browser.wait("the watcher's jobs appear", "document.querySelectorAll('#job-rows tr').length === 2")
    browser.wait("the first job runs", row(1, "running"))
    browser.run("document.getElementById('cancel-1').click()")
    browser.wait("a change without the token is refused", "!document.getElementById('problem').hidden")
    check(browser.run("document.getElementById('access').open"), "the refusal opens the form of the token")
    browser.run(f"document.getElementById('token').value = '{TOKEN}'; document.getElementById('token-form').requestSubmit()")
    browser.wait("the model can be chosen", "document.querySelector('#submit-model option[value=bard]')")
    browser.run("""document.getElementById('submit-model').value = 'bard';
        document.getElementById('submit-profile').value = 'large';
        document.getElementById('submit-priority').value = '5';
        document.getElementById('submit-form').requestSubmit()""")
    browser.wait("the submitted job has its priority", "document.getElementById('job-2').textContent.includes('priority 5')")
    browser.run("document.getElementById('cancel-1').click()")
    browser.wait("the cancelled job says so", row(1, "cancelled"))
    browser.wait("the submitted job runs", row(2, "running"))
    browser.wait("its progress is shown", "document.querySelector('#job-2 [role=progressbar]')?.ariaValueNow > 0")
    slow.stop()
    browser.wait("the submitted job is done", row(2, "done"))
    browser.run("document.getElementById('retry-1').click()")
    browser.wait("the retried job is done", row(1, "done"))
    browser.wait("both bundles are listed", "document.querySelectorAll('#bundle-list article').length === 2")
    browser.run("document.querySelector('#bundle-list summary').click()")
    browser.wait("a bundle opens", "document.querySelector('#bundle-list svg.front .chosen')", seconds=20)
    check(browser.run("document.querySelectorAll('#bundle-list .heat td').length > 10"), "layers are drawn")
    check(browser.run("document.querySelector('#bundle-list article').textContent.includes('memory.storage')"), "verdicts are shown")
    browser.run("document.getElementById('log-2').click()")
    browser.wait("the log opens", "document.getElementById('log').open")
    browser.run("document.getElementById('log').close()")


def look(browser, address):
    """What a page must not do."""
    text = browser.run("document.getElementById('model-rows').textContent")
    check(HOSTILE in text and not browser.run("document.querySelector('main img')"), "a hostile name is only a name")
    asked = [event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"]
    foreign = [url for url in asked if not url.startswith((address, "data:", "about:"))]
    check(not foreign, f"no request leaves the service {foreign}")
    faults = [event["params"] for event in browser.events
              if event["method"] == "Runtime.exceptionThrown"
              or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"
                  and "401" not in event["params"]["entry"]["text"])]
    check(not faults, f"no error in the console {faults}")
    for width in (360, 1280):
        browser.size(width)
        time.sleep(0.3)
        extent = browser.run("document.documentElement.scrollWidth")
        check(extent <= width, f"{extent} px of {width} are used: nothing scrolls sideways")
    unnamed = [node["role"]["value"] for node in browser.call("Accessibility.getFullAXTree")["nodes"]
               if node.get("role", {}).get("value") in ("button", "textbox", "combobox", "spinbutton", "link", "progressbar")
               and not node.get("name", {}).get("value")]
    check(not unnamed, f"every control has a name {unnamed}")
    landmarks = {node["role"]["value"] for node in browser.call("Accessibility.getFullAXTree")["nodes"] if "role" in node}
    check({"banner", "navigation", "main", "status"} <= landmarks, "landmarks are there")
    stops = set()
    browser.run("document.activeElement.blur()")
    for _ in range(60):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stops.add(browser.run("document.activeElement.id || document.activeElement.textContent"))
    check({"submit-model", "submit-profile", "submit-priority", "state", "retry-1", "log-1"} <= stops, "the Tab key reaches the controls")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fettle")
    parser.add_argument("--screens")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fettle-dashboard-") as directory:
        folder = pathlib.Path(directory)
        process, address = daemon(os.path.realpath(options.fettle), folder)
        browser = None
        try:
            browser = Browser(folder / "chromium")
            browser.size(1280)
            browser.call("Page.navigate", url=address)
            use(browser, folder, process)
            look(browser, address)
            if options.screens:
                os.makedirs(options.screens, exist_ok=True)
                for width in (360, 1280):
                    for scheme in ("light", "dark"):
                        browser.picture(f"{options.screens}/dashboard-{width}-{scheme}.png", width, scheme)
        finally:
            if browser:
                browser.close()
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=15)
        check(status == 0, "the daemon stops cleanly with the page still open")


main()
