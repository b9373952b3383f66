"""English or Chinese, as the reader chose."""

import os

__all__ = ["Speaker", "language_switch"]

LANGUAGES = ("English", "中文")
VARIABLE = "ONELAYER_LANGUAGE"


def language_switch(language=None):
    """Return the switch that stands on top of a lesson: a marimo radio button.

    Parameters
    ----------
    language : {"English", "中文"}, optional
        What is chosen at first. Default: what the page's address says (``?lang=zh``), or the environment variable
        ``ONELAYER_LANGUAGE``, or English.
    """
    import marimo as mo

    # In a notebook of Jupyter there is no address to look at.
    address = mo.query_params().get("lang") if mo.app_meta().mode == "run" else None
    asked = language or address or os.environ.get(VARIABLE, "")
    chinese = str(asked).lower().startswith(("zh", "中"))
    return mo.ui.radio(list(LANGUAGES), value=LANGUAGES[chinese], inline=True)


class Speaker:
    """Says things in one of the two languages.

    Parameters
    ----------
    language : {"English", "中文"}
        The value of the switch.

    Examples
    --------
    >>> Speaker("中文").text("loss", "损失")
    '损失'
    """

    def __init__(self, language):
        self.is_chinese = language == LANGUAGES[1]

    def text(self, english, chinese):
        """Return the text of the language."""
        return chinese if self.is_chinese else english

    def __call__(self, english, chinese):
        """Return Markdown (formulas between dollars) for the page."""
        import marimo as mo

        return mo.md(self.text(english, chinese))

    def table(self, head, rows):
        """Return a table.

        Parameters
        ----------
        head : sequence of (str, str)
            The columns in English and Chinese.
        rows : sequence of sequence
            Text is shown as it is (a pair of texts in the language), numbers with six digits, "–" where there is none.
        """
        import marimo as mo

        numeric = [
            all(not isinstance(value, str | tuple) or value == "–" for value in column)
            for column in zip(*rows, strict=True)
        ]
        lines = [[self.text(*names) for names in head], ["---:" if right else ":---" for right in numeric]]
        lines += [[self._cell(value) for value in row] for row in rows]
        return mo.md("\n".join("| " + " | ".join(line) + " |" for line in lines))

    def _cell(self, value):
        if isinstance(value, tuple):
            return self.text(*value)
        return value if isinstance(value, str) else f"{float(value):.6g}"

    def problem(self, english, chinese):
        """Return a box that says in one sentence what cannot be used, and why."""
        return self._box(english, chinese, "warn")

    def verdict(self, verdict):
        """Return a box with what an exercise says of an answer."""
        return self._box(
            verdict.english, verdict.chinese, {True: "success", False: "warn", None: "info"}[verdict.right]
        )

    def _box(self, english, chinese, kind):
        import marimo as mo

        return mo.callout(self(english, chinese), kind=kind)
