"""Runs the page of a lesson without a browser."""

import importlib.util
import types

from onelayer.lessons import find

__all__ = ["control", "run", "shown"]


def run(name, **controls):
    """Run a lesson, some of its controls replaced by values, and return (outputs, names).

    A cell that makes one of the controls must have all of its names replaced: marimo then leaves it out.
    """
    spec = importlib.util.spec_from_file_location(f"lesson_{name.replace('-', '_')}", find(name).path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app.run(defs={key: control(value) for key, value in controls.items()})


def control(value):
    """Return what stands in for a control of the page: an object with a value."""
    return types.SimpleNamespace(value=value)


def shown(outputs):
    """Return all that the page shows, as text."""
    texts = [getattr(output, "text", None) for output in outputs]
    # A figure has a method of this name.
    return "\n".join(
        text if isinstance(text, str) else str(o) for text, o in zip(texts, outputs, strict=True)
    )
