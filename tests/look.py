"""Renders every page and mail from samples and photographs them: `look.py FOLDER`.

Each is taken at the width of a phone and of a desk, in light and in dark.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from markupsafe import Markup
from playwright.sync_api import sync_playwright

from approval import samples
from approval.rendering import Templates

BROWSER = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")


def large() -> Iterator[tuple[str, dict[str, object]]]:
    """Requests of many machines, too big for the samples of the product."""
    known = samples.contexts()
    for size in (3, 50, 500):
        asked = samples.deploy(size)
        for name, limit in (("page/confirm.html", size), ("mail/request/body.html", 50)):
            shown = asked.tasks[:limit]
            many = {"request": asked, "tasks": shown, "settled": (), "more": size - len(shown)}
            yield name, known[name] | many
        review = {"request": asked, "pending": asked.tasks}
        yield "page/review.html", known["page/review.html"] | review
    batch = samples.deploy(3)
    one = {"request": batch, "tasks": batch.tasks[1:2], "settled": (), "many": False}
    yield "page/confirm.html", known["page/confirm.html"] | one
    done = tuple(replace(samples.decided(1), id=number) for number in range(1, 31))
    yield "page/result.html", known["page/result.html"] | {"decided": done, "others": ()}


def write(folder: Path) -> Iterator[Path]:
    """Render everything into the folder; the HTML files are what can be photographed."""
    templates = Templates(None, {"brand": "Acme Cloud", "platform": "Abiquo"})
    style = Markup(templates.render("page/style.css.html").strip())  # noqa: S704 - our own text
    numbers: dict[str, count[int]] = {}
    for name, context in (*samples.renderings(), *large()):
        number = next(numbers.setdefault(name, count(1)))
        stem, _, kind = name.replace("/", "-").rpartition(".")
        file = folder / f"{stem}-{number}.{kind}"
        file.write_text(templates.render(name, **context | {"style": style}), "utf-8")
        if kind == "html" and "style" not in stem:
            yield file


def main(folder: Path) -> None:
    """Write and photograph everything."""
    folder.mkdir(parents=True, exist_ok=True)
    files = list(write(folder))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = browser.new_page(
                    viewport={"width": width, "height": 800}, color_scheme=scheme
                )
                for file in files:
                    page.goto(file.resolve().as_uri())
                    shot = folder / f"{file.stem}-{width}-{scheme}.png"
                    page.screenshot(path=shot, full_page=True)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        sys.stderr.write(f"{file.name} is {wide} px wide at {width} px\n")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
