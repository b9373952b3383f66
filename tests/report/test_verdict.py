"""Each way a fit can end gets its own word, and none of them relies on colour."""

import pytest

from onelayer.report.verdict import judge
from onelayer.report.words import number, rich, scientific
from onelayer.result import Status


@pytest.mark.parametrize(
    ("status", "gap", "tone", "word", "part"),
    [
        ("converged", 3.1e-7, "good", "Certified", "within 3.1e-7 (relative) of the best possible"),
        ("converged", None, "fair", "Converged, without a certificate", "what happened"),
        ("finished", 2.34e-2, "fair", "Approximate, as asked", "within 2.3e-2 (relative)"),
        ("finished", None, "fair", "Approximate, as asked", "what happened"),
        ("max_iter", 1e-3, "bad", "Not converged", "what happened"),
        ("time_limit", None, "bad", "Not converged", "what happened"),
        ("stalled", None, "bad", "Not certified", "what happened"),
        ("diverged", None, "bad", "Diverged", "what happened"),
        ("separated", None, "bad", "No finite optimum", "what happened"),
        ("interrupted", 1e-2, "bad", "Interrupted", "what happened"),
    ],
)
def test_verdicts(status, gap, tone, word, part):
    verdict = judge({"status": status, "message": "what happened", "relative_gap": gap})
    assert (verdict.tone, verdict.word) == (tone, word)
    assert part in verdict.sentence
    assert verdict.icon


def test_every_status_has_a_verdict():
    words = {judge({"status": str(s), "message": "", "relative_gap": None}).word for s in Status}
    assert len(words) == len(Status) - 1  # max_iter and time_limit share one


def test_success_and_tone_agree():
    for status in Status:
        verdict = judge({"status": str(status), "message": "", "relative_gap": 1e-7})
        assert (verdict.tone != "bad") == status.is_success


def test_numbers_as_people_read_them():
    assert scientific(0.0) == "0.0e0"
    assert [number(v) for v in (None, 0, 1234567, 1e-12, 0.5, 1e10)] == [
        "–",
        "0",
        "1,234,567",
        "1e-12",
        "0.5",
        "1e10",
    ]
    assert number(0.34989280, 8) == "0.3498928"


def test_rich_text_is_escaped_before_it_is_marked_up():
    assert str(rich("`<b>` & 1.5e-3")) == '<code>&lt;b&gt;</code> &amp; <span class="number">1.5e-3</span>'
