"""The link from an estimator's HTML representation to its page of the documentation."""

import os
import pathlib

__all__ = ["Documented"]

# In a checkout, once `make docs` has run; a wheel has no such folder beside it.
_BUILT = pathlib.Path(__file__).parents[3] / "docs" / "_build" / "html"


class Documented:
    """Mixin: scikit-learn's display of an estimator links to where the documentation is served, or to that of the checkout.

    The variable ONELAYER_DOCS names the address at which somebody serves it (browsers follow no link from a page of a
    server to a file). Where neither is, there is no link: one that leads nowhere would be worse.
    """

    def _get_doc_link(self):
        kind = type(self)
        if not kind.__module__.startswith("onelayer."):
            # What users derive has no page of ours.
            return ""
        room = "onelayer.sklearn" if kind.__module__.startswith("onelayer.sklearn.") else "onelayer"
        page = f"api/generated/{room}.{kind.__name__}.html"
        served = os.environ.get("ONELAYER_DOCS", "").rstrip("/")
        if served:
            return f"{served}/{page}"
        return (_BUILT / page).as_uri() if (_BUILT / page).exists() else ""
