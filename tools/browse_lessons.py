"""Open every lesson in Chromium, in both languages: it shows pictures, a control changes them, nothing complains.

``python tools/browse_lessons.py --out runs/lessons [NAME ...]`` writes a screenshot of each page and exits with 1 if a
page misbehaves. Needs ``pip install playwright`` and a Chromium on this machine; nothing is fetched from outside.
"""

import argparse
import contextlib
import importlib
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from onelayer.lessons import LESSONS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE, WIDTH = 180, 1000
# Where the first slider changes numbers only, or there is none: what to move instead, as a CSS selector.
CONTROLS = {}
# Also inside marimo's own elements, which keep what they show to themselves.
PICTURES = """() => {
    const found = [];
    const look = root => root.querySelectorAll('*').forEach(e => {
        if (e.tagName === 'IMG' || e.tagName === 'POLYLINE' || e.tagName === 'polyline')
            found.push((e.src || e.getAttribute('points') || '').slice(-3000));
        if (e.shadowRoot) look(e.shadowRoot);
    });
    look(document);
    return found;
}"""


@contextlib.contextmanager
def served(name, language):
    """Run ``onelayer lessons`` and yield the address of the page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "onelayer", "lessons", name, "--port", str(port), "--no-browser"]
    with subprocess.Popen([*command, "--language", language], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http://" not in line:
                raise RuntimeError(f"{name} was not served: {line}")
            yield f"http://127.0.0.1:{port}/?lang={language}"
        finally:
            process.terminate()


HEIGHT = "() => Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight))"


class Visit:
    """One page, what it said and what it asked for."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("request", self._request)

    def _console(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text[:300]}")

    def _request(self, request):
        if not request.url.startswith(("http://127.0.0.1", "data:", "blob:", "ws://127.0.0.1")):
            self.complaints.append(f"asked for {request.url[:200]}")

    def pictures(self):
        """Return what identifies the pictures of the page as it stands."""
        return self.page.evaluate(PICTURES)

    def settle(self):
        """Wait until nothing runs any more and the pictures stay the same."""
        end, before, since = time.monotonic() + PATIENCE, None, time.monotonic()
        while time.monotonic() < end:
            now = self.pictures(), self.page.inner_text("body")
            if now != before:
                before, since = now, time.monotonic()
            running = self.page.locator("[data-testid=loading-indicator]").count()
            if now[0] and not running and time.monotonic() - since > 1.5:
                return now[0]
            self.page.wait_for_timeout(200)
        self.complaints.append(f"nothing settled within {PATIENCE} s")
        return []

    def photograph(self, file):
        """Write a picture of the whole page, which scrolls inside the window."""
        # Twice: what comes into sight may grow.
        for _ in range(2):
            height = self.page.evaluate(HEIGHT)
            self.page.set_viewport_size({"width": WIDTH, "height": min(int(height) + 60, 15000)})
            self.page.wait_for_timeout(1000)
        self.page.screenshot(path=file)

    def move_a_control(self, selector):
        """Press an arrow key on the first control that changes a picture; complain if none does."""
        before = self.settle()
        controls = self.page.locator(selector)
        for number in range(controls.count()):
            control = controls.nth(number)
            control.scroll_into_view_if_needed()
            control.focus()
            for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
                self.page.keyboard.press(key)
                self.page.wait_for_timeout(300)
                if self.settle() != before:
                    return
        self.complaints.append(f"none of {controls.count()} controls changes a picture")


def visit(browser, name, language, out):
    """Open a lesson, look, move, and return the complaints."""
    with served(name, language) as address:
        page = browser.new_page(viewport={"width": WIDTH, "height": 1200})
        look = Visit(page)
        page.goto(address)
        look.settle()
        text = page.inner_text("body")
        if "Traceback" in text or "MarimoException" in text or "An internal error" in text:
            look.complaints.append("a traceback is on the page")
        look.photograph(out / f"{name}-{language}.png")
        look.move_a_control(CONTROLS.get(name, "[role=slider]"))
        look.photograph(out / f"{name}-{language}-moved.png")
        page.close()
        return look.complaints


def main():
    """Visit the pages and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[lesson.name for lesson in LESSONS])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/lessons"))
    parser.add_argument("--languages", default="en,zh")
    options = parser.parse_args()
    executable = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if executable is None:
        print(f"skipped: none of {', '.join(BROWSERS)} is installed here")
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    bad = 0
    # No import statement: `make browse` alone installs it, and the type checker should not ask for it.
    with importlib.import_module("playwright.sync_api").sync_playwright() as player:
        browser = player.chromium.launch(executable_path=executable, args=FLAGS)
        for name in options.names:
            for language in options.languages.split(","):
                began = time.monotonic()
                complaints = visit(browser, name, language, options.out)
                bad += bool(complaints)
                print(
                    f"{name} {language} {time.monotonic() - began:.0f} s",
                    *(complaints or ["fine"]),
                    sep="\n    " if complaints else " ",
                )
        browser.close()
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
