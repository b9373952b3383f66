"""The code blocks of a page of prose, Markdown or reStructuredText, in the order in which a reader meets them."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
SOURCES = [*(ROOT / "docs").glob("*.*"), *(ROOT / "docs" / "how-it-works").glob("*.rst")]
PAGES += sorted(str(path.relative_to(ROOT)) for path in SOURCES if path.suffix in (".rst", ".md"))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:   .*\n|\n)+)", re.MULTILINE)
DOCTEST = re.compile(r"^>>> .*\n(?:.+\n)*", re.MULTILINE)


@dataclasses.dataclass
class Block:
    """A kind (python, doctest, sh, text, math, …), the code, and the line of the page where it begins."""

    kind: str
    code: str
    line: int


def blocks(page):
    """Return the blocks of a page, given by its path from the root of the checkout."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".md"):
        found = [(match.start(2), match[1], match[2]) for match in FENCE.finditer(text)]
    else:
        found = [(match.start(2), match[1], match[2]) for match in DIRECTIVE.finditer(text)]
        found += [(match.start(), "doctest", match[0]) for match in DOCTEST.finditer(text)]
    return [Block(kind, code, text.count("\n", 0, start) + 1) for start, kind, code in sorted(found)]
