"""How a fit ended, in one sentence that a user can act on."""

import dataclasses

from onelayer.report.words import scientific

__all__ = ["Verdict", "judge"]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A tone for the eye, an icon and a word that say the same without colour, and the sentence.

    Attributes
    ----------
    tone : {"good", "fair", "bad"}
        Which colour it gets.
    icon, word, sentence : str
        What is written; the sentence may hold code in backticks.
    """

    tone: str
    icon: str
    word: str
    sentence: str


# A bound of nearly the whole objective says no more than that losses are not negative.
USELESS = 0.5

FAILURES = {
    "max_iter": "Not converged",
    "time_limit": "Not converged",
    "stalled": "Not certified",
    "diverged": "Diverged",
    "separated": "No finite optimum",
    "interrupted": "Interrupted",
}


def judge(summary):
    """Return the verdict on the fit that `summary` (of :func:`~onelayer.report.summary.summarise`) describes.

    Examples
    --------
    >>> judge({"status": "converged", "message": "", "relative_gap": 3.1e-7}).sentence
    'this objective is within 3.1e-7 (relative) of the best possible.'
    """
    status, message, gap = summary["status"], summary["message"], summary["relative_gap"]
    if status == "converged" and gap is not None:
        sentence = f"this objective is within {scientific(gap)} (relative) of the best possible."
        return Verdict("good", "✓", "Certified", sentence)
    if status in ("converged", "finished"):
        word = "Approximate, as asked" if status == "finished" else "Converged, without a certificate"
        if gap is None:
            return Verdict(
                "fair", "≈", word, f"{message or 'no bound on the distance from the optimum is known.'}"
            )
        sentence = (
            "how far the best possible is from here cannot be told by this bound; "
            if gap > USELESS
            else f"this objective is certified to be within {scientific(gap)} (relative) of the best possible; "
        ) + "`--solver auto` gives the certified optimum."
        return Verdict("fair", "≈", word, sentence)
    return Verdict("bad", "✗", FAILURES.get(status, "Not converged"), message)
