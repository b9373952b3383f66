"""Settings of the documentation: everything is built from this checkout, and the site asks no other host for anything."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import onelayer

project = "onelayer"
author = "The onelayer developers"
copyright = "2026, the onelayer developers"
version = release = onelayer.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "mathml",
    "markdown_pages",
    "program_options",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
# `x` in docstrings is a parameter's name, not a cross-reference.
default_role = None
# Else "--C" in a sentence becomes a dash and a C.
smartquotes = False

# ---- reference ------------------------------------------------------------------------------------------------

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
# The docstrings name the types; annotations would name them twice, and link to pages of other projects.
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# Checked: what is documented exists, under that name and in that order. Not asked for: examples and "see also"
# everywhere, an extended summary, a Parameters section in one-line docstrings of overridden methods.
numpydoc_validation_checks = {"PR02", "PR03", "GL01", "GL03", "GL05", "GL06", "GL07", "SS04", "RT02"}
nitpick_ignore_regex = [
    # intersphinx would ask other hosts for their indexes.
    ("py:class", r"(torch|numpy|sklearn)\..*"),
]

# ---- the site -------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "onelayer"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
# Pages without pages below them have nothing to show at the side.
html_sidebars = {"*": [], "how-it-works": ["sidebar-nav-bs"]}
html_theme_options = {
    "header_links_before_dropdown": 4,
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
}


def setup(app):
    app.connect("autodoc-process-docstring", escape)


def escape(app, what, name, obj, options, lines):
    """Keep two things that mean themselves in our docstrings: the bars of |r|, and an author's initial."""
    del app, what, name, obj, options
    in_example = False
    for index, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if in_example:
            continue
        line = re.sub(r"^(\s*)([A-Z]\. )", r"\1\\\2", line)
        # Odd parts stand between backticks, where a bar is plain text already.
        parts = line.split("`")
        parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
        lines[index] = "`".join(parts)
