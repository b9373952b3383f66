"""``.. program-options:: fit``: a command's arguments and options as a table, read from the command itself."""

import importlib
import inspect

from docutils import nodes
from docutils.parsers.rst import Directive

VALUES = {str: "TEXT", int: "N", float: "NUMBER", list[str]: "TEXT"}


def rows(command):
    """Return (how it is written, what it means) for every argument and option of a command."""
    function = getattr(importlib.import_module(f"onelayer.cli.{command}"), command)
    for parameter in inspect.signature(function).parameters.values():
        about, kind = parameter.default, parameter.annotation
        if about.metavar:
            yield about.metavar, about.help
            continue
        names = ", ".join(about.param_decls or [f"--{parameter.name.replace('_', '-')}"]).replace("/", ", ")
        value = "" if kind is bool else f" {VALUES[kind]}"
        has_default = about.default is not None and kind is not bool and about.default != []
        shown = f" [default: {about.default}]" if has_default else ""
        yield names + value, about.help + shown


class ProgramOptions(Directive):
    required_arguments = 1

    def run(self):
        group = nodes.tgroup(cols=2)
        group += [nodes.colspec(colwidth=38), nodes.colspec(colwidth=62)]
        body = nodes.tbody()
        for name, meaning in rows(self.arguments[0]):
            cells = nodes.literal(text=name), nodes.inline(text=meaning)
            body += nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))
        group += body
        return [nodes.table("", group, classes=["table"])]


def setup(app):
    app.add_directive("program-options", ProgramOptions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
