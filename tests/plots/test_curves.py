"""Curves of sigmoids, losses and likelihoods: their arrays against closed forms, and what is drawn of them."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from scipy import special

from onelayer import links, losses
from onelayer.errors import DataError, ParameterError
from onelayer.plots import LikelihoodDisplay, LossCurvesDisplay, SigmoidDisplay

Z = np.linspace(-4, 4, 9)
# The note's family: all have slope 1 at 0 and limits ±1.
FAMILY = {
    links.Tanh: np.tanh,
    links.Erf: lambda z: special.erf(np.sqrt(np.pi) / 2 * z),
    links.Arctan: lambda z: 2 / np.pi * np.arctan(np.pi / 2 * z),
    links.Gudermannian: lambda z: 4 / np.pi * np.arctan(np.tanh(np.pi / 4 * z)),
    links.AlgebraicSigmoid: lambda z: z / np.sqrt(1 + z**2),
    links.Softsign: lambda z: z / (1 + abs(z)),
}
LOSSES = {
    "squared": (losses.SquaredError(), 0.7),
    "absolute": (losses.AbsoluteError(), 0.7),
    "huber": (losses.Huber(1.5), -2.0),
    "quantile": (losses.Quantile(0.9), 0.7),
    "logistic, 1": (losses.Logistic(), 1.0),
    "logistic, 0": (losses.Logistic(), 0.0),
    "squared error of a probability": (losses.ProbabilitySquaredError(), 1.0),
}

DISPLAYS = {
    "all sigmoids": lambda: SigmoidDisplay.from_links(),
    "sigmoids of one scale": lambda: SigmoidDisplay.from_links(scale="unit"),
    "identity": lambda: SigmoidDisplay.from_links(links.Identity()),
    "a sigmoid at one score": lambda: SigmoidDisplay.from_links(links.Tanh(), scores=0),
    "sigmoids far out": lambda: SigmoidDisplay.from_links(scores=[-9e99, 0, 9e99]),
    "twelve sigmoids": lambda: SigmoidDisplay.from_links([links.Tanh()] * 12),
    "the note's losses": lambda: LossCurvesDisplay.from_losses(),
    "all losses": lambda: LossCurvesDisplay.from_losses([loss for loss, _ in LOSSES.values()]),
    "a loss at one score": lambda: LossCurvesDisplay.from_losses(losses.AbsoluteError(), scores=[1]),
    "a loss far out": lambda: LossCurvesDisplay.from_losses(
        losses.SquaredError(), y=5e98, scores=[-9e99, 9e99]
    ),
    "flips": lambda: LikelihoodDisplay.from_flips("HHT"),
    "one flip": lambda: LikelihoodDisplay.from_flips([0]),
    "heads only": lambda: LikelihoodDisplay.from_flips("HHH", (0, 1)),
    "a million flips": lambda: LikelihoodDisplay(600_000, 400_000, np.linspace(0, 1, 12)),
    "no candidate": lambda: LikelihoodDisplay.from_flips("HT", ()),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_each_draws_alone_and_into_given_axes(name, tmp_path):
    display = DISPLAYS[name]()
    assert display.plot() is display
    display.figure_.savefig(tmp_path / "x.png", dpi=40)

    figure = Figure()
    _, ax = figure.subplots(1, 2)
    assert display.plot(ax).figure_ is figure
    assert display.ax_ is ax
    figure.draw_without_rendering()


@pytest.mark.filterwarnings("ignore:Glyph .* missing from")
def test_names_are_drawn_as_they_are(tmp_path):
    names = ["双曲正切", "$x_1$ and $"]
    sigmoids = SigmoidDisplay(Z, [Z, -Z], [0, 0], [1, -1], [(-4, 4)] * 2, names)
    curves = LossCurvesDisplay([Z, Z], [Z, Z], [Z, Z], [Z, Z], [0, 0], names)
    for number, display in enumerate([sigmoids, curves]):
        display.plot().figure_.savefig(tmp_path / f"{number}.svg")
    texts = [text.get_text() for text in sigmoids.ax_.get_legend().get_texts()]
    assert set(texts) == {"双曲正切", r"\$x_1\$ and \$"}


# ---- sigmoids ------------------------------------------------------------------------------------------------


def test_the_family_agrees_with_the_formulas_of_the_note():
    display = SigmoidDisplay.from_links([kind() for kind in FAMILY], scores=Z)
    np.testing.assert_allclose(display.means, [formula(Z) for formula in FAMILY.values()], atol=1e-12)
    np.testing.assert_allclose(display.slopes_at_zero, 1, rtol=1e-12)
    np.testing.assert_array_equal(display.means_at_zero, 0)
    np.testing.assert_array_equal(display.limits, [(-1, 1)] * len(FAMILY))


def test_all_sigmoids_are_shown_without_being_asked_for():
    known = {kind.__name__ for kind in [*FAMILY, links.LogisticSigmoid]}
    display = SigmoidDisplay.from_links()
    assert {name.partition(":")[0] for name in display.names} == known
    assert display.means.shape == (7, len(display.scores))


def test_slopes_are_those_of_the_curves_drawn():
    h = 1e-6
    display = SigmoidDisplay.from_links(scores=[-h, h])
    slopes = (display.means[:, 1] - display.means[:, 0]) / (2 * h)
    np.testing.assert_allclose(slopes, display.slopes_at_zero, rtol=1e-5)


def test_on_one_scale_the_logistic_function_is_the_hyperbolic_tangent():
    display = SigmoidDisplay.from_links(
        [links.LogisticSigmoid(), links.Tanh(), links.Erf()], scores=Z, scale="unit"
    )
    np.testing.assert_allclose(display.means[0], display.means[1], atol=1e-12)
    np.testing.assert_allclose(display.means[2], FAMILY[links.Erf](Z), atol=1e-12)
    np.testing.assert_array_equal(display.limits, [(-1, 1)] * 3)
    np.testing.assert_array_equal(display.slopes_at_zero, 1)


def test_limits_and_slopes_are_written():
    texts = {text.get_text() for text in SigmoidDisplay.from_links().plot().ax_.texts}
    assert texts == {"limit −1", "limit 0", "limit 1", "slope 1 at 0", "slope 0.25 at 0"}
    identity = SigmoidDisplay.from_links(links.Identity()).plot().ax_
    assert [text.get_text() for text in identity.texts] == ["slope 1 at 0"]


def test_no_two_sigmoids_look_alike_without_colours():
    ax = SigmoidDisplay.from_links().plot().ax_
    dashes = {tuple(line._dash_pattern[1] or ()) for line in ax.get_legend().get_lines()}
    assert len(dashes) == 7


def test_the_legend_lists_sigmoids_as_they_lie():
    display = SigmoidDisplay.from_links([links.Softsign(), links.Erf(), links.Arctan()]).plot()
    texts = [text.get_text().partition(":")[0] for text in display.ax_.get_legend().get_texts()]
    assert texts == ["Erf", "Arctan", "Softsign"]


# ---- losses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_curves_are_the_loss_and_its_derivative(name):
    loss, y = LOSSES[name]
    display = LossCurvesDisplay.from_losses(loss, y=y)
    scores = display.scores[0]
    value = loss.value(torch.as_tensor(scores), torch.full((len(scores),), y, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(display.value[0], value)
    np.testing.assert_allclose(display.likelihood[0], np.exp(-value))
    # Between points of the grid the mean slope is the gradient, but at a jump and at a kink of the gradient.
    slope = np.diff(value) / np.diff(scores)
    gradient = (display.gradient[0][1:] + display.gradient[0][:-1]) / 2
    assert np.quantile(np.abs(slope - gradient), 0.98) < 1e-4


def test_curves_of_the_note_in_closed_form():
    r = np.array([-3.0, -1.0, -0.5, 0.0, 2.0])
    display = LossCurvesDisplay.from_losses(scores=r)
    assert display.names == ["SquaredError", "AbsoluteError", "Huber(delta=1.0)"]
    np.testing.assert_allclose(display.value, [r**2 / 2, abs(r), [2.5, 0.5, 0.125, 0, 1.5]])
    np.testing.assert_allclose(display.gradient, [r, np.sign(r), np.clip(r, -1, 1)])
    np.testing.assert_allclose(display.likelihood, np.exp(-display.value))


def test_the_likelihood_of_the_logistic_loss_is_the_probability():
    display = LossCurvesDisplay.from_losses([losses.Logistic()] * 2, y=[1, 0], scores=Z)
    np.testing.assert_allclose(display.likelihood, [special.expit(Z), special.expit(-Z)])
    assert display.names == ["Logistic, y = 1", "Logistic, y = 0"]


def test_real_targets_are_drawn_over_the_residual_others_over_the_score():
    display = LossCurvesDisplay.from_losses([losses.SquaredError(), losses.Logistic()], y=[10, 1])
    np.testing.assert_allclose(display.x[0], np.linspace(-3, 3, 601), atol=1e-12)
    np.testing.assert_array_equal(display.x[1], display.scores[1])
    labels = [panel.get_xlabel() for panel in display.plot().axes_]
    assert labels == ["Residual z − y", "Score z"]


@pytest.mark.parametrize("y", [0.0, 7.3, -1e6])
@pytest.mark.parametrize("points", [2, 601])
def test_gradients_break_where_they_jump_and_nowhere_else(y, points):
    display = LossCurvesDisplay.from_losses(
        [losses.AbsoluteError(), losses.Quantile(0.9), losses.Huber(), losses.SquaredError()],
        y=y,
        scores=y + np.linspace(-3, 3, points),
    )
    np.testing.assert_allclose(display.jumps[0], [[y, -1, 1]], atol=1e-6)
    np.testing.assert_allclose(display.jumps[1], [[y, -0.9, 0.1]], atol=1e-6)
    assert [len(jumps) for jumps in display.jumps] == [1, 1, 0, 0]
    absolute, _, huber, _ = display.plot().axes_
    gradient = absolute.lines[2].get_ydata()
    assert set(gradient[np.isfinite(gradient)]) == {-1.0, 1.0}
    assert np.isnan(gradient).sum() == 1
    assert not np.isnan(huber.lines[2].get_ydata()).any()


def test_panels_share_one_scale():
    axes = LossCurvesDisplay.from_losses().plot().axes_
    assert len({panel.get_ylim() for panel in axes}) == 1


# ---- likelihood ----------------------------------------------------------------------------------------------

NOTE = ["head", "head", "tail"]


@pytest.mark.parametrize(
    "flips",
    [
        NOTE,
        "HHT",
        ["H", "h", "Tails "],
        [1, 1, 0],
        [1.0, 1.0, 0.0],
        [True, True, False],
        (f for f in NOTE),
        np.array([1, 1, 0], np.uint8),
        torch.tensor([[1.0], [1.0], [0.0]]),
        [np.True_, np.int64(1), "tail"],
    ],
)
def test_flips_are_read_in_every_spelling(flips):
    display = LikelihoodDisplay.from_flips(flips)
    assert (display.heads, display.tails) == (2, 1)
    np.testing.assert_allclose(display.candidate_likelihoods, [0.125, 0.032], rtol=1e-12)
    np.testing.assert_array_equal(display.candidates, [0.5, 0.2])


def test_both_curves_have_their_maximum_at_the_share_of_heads():
    display = LikelihoodDisplay.from_flips(NOTE)
    assert display.maximum == 2 / 3
    for curve in (display.likelihood, display.log_likelihood, -display.cross_entropy):
        assert display.p[curve.argmax()] == pytest.approx(2 / 3, abs=1e-7)
    np.testing.assert_allclose(display.likelihood, display.p**2 * (1 - display.p), atol=1e-15)
    np.testing.assert_allclose(np.exp(display.log_likelihood), display.likelihood)


def test_the_mean_negative_log_likelihood_is_the_binary_cross_entropy():
    flips = torch.tensor([1.0, 0, 0, 1, 1, 1, 0])
    display = LikelihoodDisplay.from_flips(flips, (0.3, 0.9))
    for p, found in zip((0.3, 0.9), display.candidate_cross_entropies, strict=True):
        expected = torch.nn.functional.binary_cross_entropy(torch.full_like(flips, p), flips)
        assert found == pytest.approx(float(expected), rel=1e-6)
    np.testing.assert_allclose(display.cross_entropy, -display.log_likelihood / 7)


@pytest.mark.parametrize(("flips", "maximum", "never"), [("HHHH", 1.0, 0.0), ("T", 0.0, 1.0)])
def test_one_face_only(flips, maximum, never):
    display = LikelihoodDisplay.from_flips(flips, (maximum, never))
    assert display.maximum == maximum
    np.testing.assert_array_equal(display.candidate_likelihoods, [1, 0])
    np.testing.assert_array_equal(display.candidate_log_likelihoods, [0, -np.inf])
    np.testing.assert_array_equal(display.candidate_cross_entropies, [0, np.inf])


def test_one_line_marks_the_maximum_in_both_panels():
    upper, lower = LikelihoodDisplay.from_flips(NOTE).plot().axes_
    for panel in (upper, lower):
        (line,) = [line for line in panel.lines if list(line.get_ydata()) == [0, 1]]
        np.testing.assert_array_equal(line.get_xdata(), 2 / 3)
    texts = [text.get_text() for text in upper.get_legend().get_texts()]
    assert texts == ["p = 0.667: 0.1481 (max)", "p = 0.5: 0.125", "p = 0.2: 0.032"]
    assert lower.get_xlabel() == "Probability p of heads"


def test_a_likelihood_too_small_for_a_float_is_shown_over_its_largest():
    display = LikelihoodDisplay(6000, 4000, (0.6, 0.59))
    np.testing.assert_array_equal(display.candidate_likelihoods, 0)
    assert np.isfinite(display.candidate_log_likelihoods).all()
    curve = display.plot().axes_[0].lines[0].get_ydata()
    assert curve.max() == pytest.approx(1)
    # The peak is drawn as a peak, not as one point.
    assert (curve > 0.5).sum() > 10


# ---- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "sentence"),
    [
        (
            lambda: SigmoidDisplay.from_links(scale="own "),
            ParameterError,
            "scale='own ' is none of 'own', 'unit'",
        ),
        (lambda: SigmoidDisplay.from_links(links.Identity(), scale="unit"), ParameterError, r"Identity\(\)"),
        (lambda: SigmoidDisplay.from_links([links.Softmax()]), ParameterError, "one score per class"),
        (lambda: SigmoidDisplay.from_links([links.Tanh]), ParameterError, "one or several Link objects"),
        (lambda: SigmoidDisplay.from_links([]), ParameterError, r"links has .* onelayer.links.Tanh\(\)"),
        (lambda: SigmoidDisplay.from_links(scores=[0, np.nan]), ParameterError, "scores .* finite numbers"),
        (lambda: SigmoidDisplay.from_links(scores=[]), ParameterError, "at least one"),
        (lambda: SigmoidDisplay.from_links(scores="many"), ParameterError, "scores .* finite numbers"),
        (
            lambda: LossCurvesDisplay.from_losses("huber"),
            ParameterError,
            r"losses .* onelayer.losses.Huber\(\)",
        ),
        (lambda: LossCurvesDisplay.from_losses(losses.CrossEntropy()), ParameterError, "one score per class"),
        (lambda: LossCurvesDisplay.from_losses(y=[1, 2]), ParameterError, r"y is \[1, 2\] for 3 losses"),
        (lambda: LossCurvesDisplay.from_losses(y="one"), ParameterError, "y is 'one'"),
        (lambda: LossCurvesDisplay.from_losses(y=np.nan), ParameterError, "y has nan.* a finite number"),
        (
            lambda: LossCurvesDisplay.from_losses(losses.Logistic(), y=-1),
            ParameterError,
            "y has -1.*give 0 or 1",
        ),
        (lambda: LossCurvesDisplay.from_losses(scores=[np.inf]), ParameterError, "scores .* finite numbers"),
        (lambda: LikelihoodDisplay.from_flips([]), DataError, "flips is empty"),
        (lambda: LikelihoodDisplay.from_flips(["head", "edge"]), DataError, r"flips\[1\] is 'edge'"),
        (lambda: LikelihoodDisplay.from_flips([1, 2]), DataError, r"flips\[1\] is 2"),
        (lambda: LikelihoodDisplay.from_flips([np.nan]), DataError, r"flips\[0\] is nan"),
        (lambda: LikelihoodDisplay.from_flips([None]), DataError, r"flips\[0\] is None"),
        (lambda: LikelihoodDisplay(0, 0), DataError, "no flip"),
        (lambda: LikelihoodDisplay.from_flips("H", 1.5), ParameterError, "candidates has 1.5"),
        (lambda: LikelihoodDisplay.from_flips("H", [0.5, np.nan]), ParameterError, "candidates has nan"),
        (lambda: LikelihoodDisplay.from_flips("H", ["half"]), ParameterError, r"candidates is \['half'\]"),
    ],
)
def test_refusals_name_the_argument_and_the_way_out(build, error, sentence):
    with pytest.raises(error, match=sentence):
        build()


@pytest.mark.parametrize(
    "counts", [(2.5, 1), (-1, 2), (float("nan"), 1), (float("inf"), 1), (None, 1), ("a", 1)], ids=str
)
def test_counts_of_flips_are_whole_numbers(counts):
    with pytest.raises(DataError, match="give how many there were, a whole number"):
        LikelihoodDisplay(*counts)
