"""Markdown pages in the site, so that architecture.md and CHANGELOG.md are written once, for GitHub and for here.

Only what those pages use: headings, paragraphs, lists, tables, code, formulas (``math`` fences), links and images.
Anything else stops the build. MyST was the alternative: one more dependency for two pages; markdown-it comes with
rich, which the command line needs.
"""

import pathlib
import posixpath

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx import addnodes
from sphinx.parsers import Parser as SphinxParser

SPANS = {"strong_open": nodes.strong, "em_open": nodes.emphasis}
BLOCKS = {
    "paragraph_open": nodes.paragraph,
    "bullet_list_open": nodes.bullet_list,
    "ordered_list_open": nodes.enumerated_list,
    "list_item_open": nodes.list_item,
    "blockquote_open": nodes.block_quote,
    "thead_open": nodes.thead,
    "tbody_open": nodes.tbody,
    "tr_open": nodes.row,
}
PAGES = (".rst", ".md")


class Parser(SphinxParser):
    """A docutils parser for a small part of Markdown."""

    supported = ("markdown",)

    def parse(self, inputstring, document):
        self.setup_parse(inputstring, document)
        self.document, self.at = document, document
        self.levels = [document]
        for token in MarkdownIt("commonmark").enable("table").parse(inputstring):
            self._block(token)
        self.finish_parse()

    def _block(self, token):
        if token.hidden or token.type == "heading_close":
            return
        if token.type == "inline":
            self.at += self._inline(token.children)
            if isinstance(self.at, nodes.title):
                self._name_section()
        elif token.type == "heading_open":
            self._open_section(int(token.tag[1]))
        elif token.type == "fence":
            self.at += _fence(token)
        elif token.type == "table_open":
            self._open_table()
        elif token.type in ("th_open", "td_open"):
            self._push(nodes.entry())
            self._push(nodes.paragraph())
            if len(self.at.parent.parent) > self.group["cols"]:
                self.group["cols"] += 1
                self.group.insert(0, nodes.colspec(colwidth=1))
        elif token.type in ("th_close", "td_close"):
            self.at = self.at.parent.parent
        elif token.type == "table_close":
            self.at = self.group.parent.parent
        elif token.type in BLOCKS:
            self._push(BLOCKS[token.type]())
        elif token.type.replace("_close", "_open") in BLOCKS:
            self.at = self.at.parent
        else:
            raise ValueError(f"line {token.map}: {token.type} is not known to docs/markdown_pages.py")

    def _push(self, node):
        self.at += node
        self.at = node

    def _open_section(self, level):
        self.levels = self.levels[:level]
        section = nodes.section()
        self.levels[-1] += section
        self.levels.append(section)
        self.at = section
        self._push(nodes.title())

    def _name_section(self):
        section = self.at.parent
        section["names"].append(nodes.fully_normalize_name(self.at.astext()))
        self.document.note_implicit_target(section, section)
        self.at = section

    def _open_table(self):
        self._push(nodes.table(classes=["table"]))
        self.group = nodes.tgroup(cols=0)
        self._push(self.group)

    def _inline(self, tokens):
        root = at = nodes.inline()
        for token in tokens:
            if token.type in ("text", "softbreak"):
                at += nodes.Text(token.content or "\n")
            elif token.type == "code_inline":
                at += nodes.literal(text=token.content)
            elif token.type == "image":
                at += nodes.image(uri=token.attrs["src"], alt=token.content)
            elif token.type in SPANS or token.type == "link_open":
                node = SPANS[token.type]() if token.type in SPANS else self._link(token.attrs["href"])
                at += node
                at = node[0] if isinstance(node, addnodes.pending_xref) else node
            elif token.type.endswith("_close"):
                at = at.parent.parent if isinstance(at.parent, addnodes.pending_xref) else at.parent
            else:
                raise ValueError(f"{token.type} is not known to docs/markdown_pages.py")
        return root.children

    def _link(self, href):
        target, _, _ = href.partition("#")
        if pathlib.PurePosixPath(target).suffix not in PAGES or "://" in href:
            return nodes.reference(refuri=href, internal=False)
        page = posixpath.splitext(target)[0]
        options = {"refdoc": self.document.settings.env.docname, "refdomain": "std", "reftype": "doc"}
        link = addnodes.pending_xref(reftarget=page, refexplicit=True, refwarn=True, **options)
        link += nodes.inline()
        return link


def _fence(token):
    if token.info == "math":
        formula = nodes.math_block(token.content, token.content, nowrap=False, number=None, label=None)
        formula["no-wrap"] = False
        return formula
    return nodes.literal_block(token.content, token.content, language=token.info or "none")


def setup(app):
    app.add_source_suffix(".md", "markdown")
    app.add_source_parser(Parser)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
