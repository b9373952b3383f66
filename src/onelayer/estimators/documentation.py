"""The link from an estimator's HTML representation to its page of the documentation."""

import os
import pathlib

__all__ = ["Documented"]

# In a checkout, once `make docs` has run; a wheel has no such folder beside it.
_BUILT = pathlib.Path(__file__).parents[3] / "docs" / "_build" / "html"
_PAGE = "api/generated/{name}.html"


class Documented:
    """Mixin: scikit-learn's display of an estimator links to where the documentation is served, or to that of the checkout.

    The variable ONELAYER_DOCS names the address at which somebody serves it (browsers follow no link from a page of a
    server to a file). Where neither is, there is no link: one that leads nowhere would be worse.
    """

    _doc_link_module = "onelayer"

    @property
    def _doc_link_template(self):
        served = os.environ.get("ONELAYER_DOCS", "").rstrip("/")
        if served:
            return f"{served}/{_PAGE}"
        page = _BUILT / _PAGE.format(**self._doc_link_url_param_generator())
        # A path becomes an address in which nothing is left to fill in: braces are escaped.
        return page.as_uri() if page.exists() else ""

    def _doc_link_url_param_generator(self):
        kind = type(self)
        room = "onelayer.sklearn" if kind.__module__.startswith("onelayer.sklearn.") else "onelayer"
        return {"name": f"{room}.{kind.__name__}"}
