"""fit_head is a fit to the features that the network gives, and leaves the network as it was."""

import io

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import onelayer as ol
from exchange.saying import said
from instances import over
from onelayer.backbones.progress import Rows
from onelayer.errors import DataError, ParameterError

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randn(90, 1, 6, 6, generator=GENERATOR)
LABELS = torch.randint(3, (90,), generator=GENERATOR)
NUMBERS = IMAGES.flatten(1)[:, :2].sum(dim=1)
WEIGHTS = torch.linspace(0.5, 2, 90)


def seeded(build):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build()


def cnn():
    """With what depends on the mode of training."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
    )


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 12), nn.Tanh())


def by_hand(backbone, x=IMAGES):
    modes = [part.training for part in backbone.modules()]
    backbone.eval()
    with torch.no_grad():
        features = backbone(x)
    for part, mode in zip(backbone.modules(), modes, strict=True):
        part.training = mode
    return features


def loader_of(*parts, **options):
    return DataLoader(TensorDataset(*parts), **{"batch_size": 32, **options})


class Pairs(IterableDataset):
    def __iter__(self):
        return iter(list(zip(IMAGES, LABELS, strict=True)))


LOADERS = {
    "loader": lambda: (loader_of(IMAGES, LABELS), {}),
    "one row at a time": lambda: (loader_of(IMAGES, LABELS, batch_size=1), {}),
    "no length": lambda: (DataLoader(Pairs(), batch_size=40), {}),
    "generator": lambda: (((IMAGES[at : at + 25], LABELS[at : at + 25]) for at in range(0, 90, 25)), {}),
    "lists": lambda: ([[IMAGES[:50], LABELS[:50].tolist()], [IMAGES[50:], LABELS[50:].numpy()]], {}),
    "dicts": lambda: ([{"image": IMAGES, "label": LABELS, "id": 7}], {"keys": ("image", "label")}),
    # A loader that gives more rows than it says.
    "wrong length": lambda: (Said(loader_of(IMAGES, LABELS), 10), {}),
    "far too long": lambda: (Said(loader_of(IMAGES, LABELS), 1000), {}),
}


class Said:
    def __init__(self, batches, rows):
        self.batches, self.dataset = batches, range(rows)

    def __iter__(self):
        return iter(self.batches)


@over("source", LOADERS)
def test_it_is_the_fit_to_features_computed_by_hand(source):
    loader, options = source()
    backbone = seeded(cnn)
    head = ol.fit_head(backbone, loader, ol.SoftmaxRegression(C=2.0), **options)
    features = by_hand(backbone)
    fitted = ol.SoftmaxRegression(C=2.0).fit(features, LABELS)
    assert head.shape == tuple(features.shape) == (90, 16)
    # Convolutions of batches of another size round differently.
    torch.testing.assert_close(head.estimator.coef_, fitted.coef_, rtol=1e-3, atol=1e-4)
    assert head.estimator.certificate_.relative_gap <= 1e-6
    assert head.score == fitted.score(features, LABELS)


def test_same_batch_same_bits():
    backbone = seeded(mlp)
    head = ol.fit_head(backbone, [(IMAGES, LABELS)])
    fitted = ol.LogisticRegression().fit(by_hand(backbone), LABELS)
    assert isinstance(head.estimator, ol.LogisticRegression)
    assert torch.equal(head.estimator.coef_, fitted.coef_)
    assert torch.equal(head.estimator.intercept_, fitted.intercept_)


@pytest.mark.parametrize("network", [cnn, mlp])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_module_gives_the_estimators_scores(network, dtype):
    backbone = seeded(network).to(dtype)
    images = IMAGES.to(dtype)
    head = ol.fit_head(backbone, loader_of(images, LABELS), ol.SoftmaxRegression())
    assert head.dtype == dtype
    module = head.module().eval()
    assert module[0] is backbone
    with torch.no_grad():
        scores = module(images)
    expected = head.estimator.decision_function(by_hand(backbone, images))
    assert scores.dtype == expected.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)


def test_weights_validation_and_regression():
    backbone = seeded(mlp)
    loader = loader_of(IMAGES[:60], NUMBERS[:60], WEIGHTS[:60])
    head = ol.fit_head(
        backbone, loader, ol.LinearRegression(alpha=0.1), validation=loader_of(IMAGES[60:], NUMBERS[60:])
    )
    features = by_hand(backbone)
    fitted = ol.LinearRegression(alpha=0.1).fit(features[:60], NUMBERS[:60], WEIGHTS[:60])
    torch.testing.assert_close(head.estimator.coef_, fitted.coef_, rtol=1e-4, atol=1e-5)
    assert head.score == pytest.approx(fitted.score(features[:60], NUMBERS[:60], WEIGHTS[:60]), rel=1e-5)
    assert head.validation_score == pytest.approx(fitted.score(features[60:], NUMBERS[60:]), rel=1e-4)
    for words in (
        "LinearRegression on 60 rows of 12 features",
        "R²",
        "on the validation data",
        "certified relative gap",
    ):
        assert words in str(head)
    assert head.seconds == head.seconds_features + head.seconds_fit > 0


def test_maps_are_flattened_if_that_is_asked_for():
    backbone = seeded(lambda: nn.Conv2d(1, 2, 3))
    head = ol.fit_head(backbone, loader_of(IMAGES, LABELS), flatten=True)
    assert head.shape == (90, 32)
    assert [type(part).__name__ for part in head.module()] == ["Conv2d", "Flatten", "Linear"]
    assert head.module()(IMAGES).shape == (90, 3)
    flat = ol.fit_head(seeded(mlp), loader_of(IMAGES, LABELS), flatten=True)
    assert not flat.flatten


def test_pixels_stay_bytes():
    pixels = (IMAGES * 40 + 128).clamp(0, 255).byte()
    head = ol.fit_head(nn.Flatten(), loader_of(pixels, LABELS))
    assert head.dtype == torch.uint8
    assert head.module()(pixels).dtype == torch.float32


def test_rows_of_probabilities():
    shares = torch.softmax(torch.randn(90, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    loader = [(IMAGES[part], shares[part]) for part in (slice(0, 40), slice(40, 90))]
    head = ol.fit_head(nn.Flatten(), loader, ol.SoftmaxRegression())
    flat = IMAGES.flatten(1)
    expected = ol.SoftmaxRegression().fit(flat, shares)
    np.testing.assert_allclose(head.estimator.coef_, expected.coef_, atol=1e-5)
    assert head.score == pytest.approx(expected.score(flat, shares), rel=1e-6)


def test_labels_of_text_and_nested_inputs():
    class Two(nn.Module):
        def forward(self, x):
            return torch.cat([x["a"].flatten(1), x["b"][0].flatten(1)], dim=1)

    names = ["fig", "pear", "apple"]
    batch = {"a": IMAGES, "b": [IMAGES[:, :, :2]]}, [names[label] for label in LABELS]
    head = ol.fit_head(Two(), [batch])
    assert head.estimator.classes_.tolist() == ["apple", "fig", "pear"]
    assert head.shape == (90, 48)


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_and_torch_are_left_as_they_were(fails):
    backbone = seeded(cnn).train()
    backbone[1].eval()
    backbone[0].weight.requires_grad_(False)
    modes = [part.training for part in backbone.modules()]
    grads = [part.requires_grad for part in backbone.parameters()]
    before = {name: part.clone() for name, part in backbone.state_dict().items()}
    state = torch.get_rng_state()
    loader = loader_of(IMAGES, LABELS, shuffle=True)
    if fails:
        with pytest.raises(DataError):
            ol.fit_head(backbone, [(IMAGES, LABELS), (IMAGES, LABELS[:3])])
    else:
        ol.fit_head(backbone, loader, validation=loader)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()
    assert [part.training for part in backbone.modules()] == modes
    assert [part.requires_grad for part in backbone.parameters()] == grads
    assert all(part.grad is None for part in backbone.parameters())
    for name, part in backbone.state_dict().items():
        assert torch.equal(part, before[name])


def test_the_table_is_allocated_once(monkeypatch):
    made = []
    from onelayer.backbones import features

    usual = features._Growing._empty

    def counted(self, rows, block):
        made.append(rows)
        return usual(self, rows, block)

    monkeypatch.setattr(features._Growing, "_empty", counted)
    ol.fit_head(seeded(mlp), loader_of(IMAGES, LABELS, batch_size=7))
    assert made == [90]
    made.clear()
    half = torch.utils.data.SubsetRandomSampler(range(45))
    ol.fit_head(seeded(mlp), loader_of(IMAGES, LABELS, sampler=half))
    assert made == [45]


def test_progress_is_for_terminals(capsys):
    out = io.StringIO()
    with Rows("features", 100, console=Console(file=out, force_terminal=True, width=120)) as bar:
        bar.advance(40)
        bar.advance(60)
    assert "100 of 100 rows" in out.getvalue()
    assert "rows/s" in out.getvalue()
    assert "left" in out.getvalue()
    for quiet in (Console(file=io.StringIO()), Console(file=io.StringIO(), force_terminal=True)):
        with Rows("features", None, show=not quiet.is_terminal, console=quiet) as bar:
            bar.advance(1)
        assert quiet.file.getvalue() == ""
    ol.fit_head(seeded(mlp), loader_of(IMAGES, LABELS))
    assert capsys.readouterr() == ("", "")


class Narrowing(nn.Module):
    """Features of which there are fewer in a small batch."""

    def forward(self, x):
        return x.flatten(1)[:, : 36 if len(x) == 32 else 20]


class Changing(nn.Module):
    def forward(self, x):
        return x.flatten(1).to(torch.float32 if len(x) == 32 else torch.float64)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Whole(nn.Module):
    def forward(self, x):
        return x.flatten(1).long()


def with_nan():
    images = IMAGES.clone()
    images[70, 0, 0, 3] = float("nan")
    return images


def fit(backbone, loader, estimator=None, **options):
    return lambda: ol.fit_head(backbone, loader, estimator, **options)


FLAT, GOOD = nn.Flatten(), loader_of(IMAGES, LABELS)
WRONG = {
    "no network": (fit(3, GOOD), ParameterError, ["backbone is a int", "torch.nn.Module"]),
    "class": (fit(nn.Flatten, GOOD), ParameterError, ["backbone is the class Flatten"]),
    "no estimator": (
        fit(FLAT, GOOD, "logistic"),
        ParameterError,
        ["estimator is a str", "LogisticRegression"],
    ),
    "no loader": (fit(FLAT, 3), ParameterError, ["loader is a int", "DataLoader"]),
    "tensor": (fit(FLAT, IMAGES), ParameterError, ["loader is a Tensor"]),
    "device": (fit(FLAT, GOOD, device="moon"), ParameterError, ["device is 'moon'"]),
    "meta": (fit(nn.Linear(3, 2, device="meta"), GOOD), ParameterError, ["backbone", "meta"]),
    "empty": (fit(FLAT, []), DataError, ["loader gave no batch", "drop_last"]),
    "no rows": (fit(FLAT, [(IMAGES[:0], LABELS[:0])]), DataError, ["batches without rows"]),
    "no labels": (
        fit(FLAT, loader_of(IMAGES)),
        DataError,
        ["batch 0 of loader is a list of length 1", "(x, y)"],
    ),
    "bare tensors": (fit(FLAT, [IMAGES]), DataError, ["is a tensor, without labels"]),
    "four parts": (fit(FLAT, [(1, 2, 3, 4)]), DataError, ["4 parts"]),
    "no keys": (fit(FLAT, [{"image": 1, "label": 2}]), DataError, ["'image', 'label'", "keys="]),
    "wrong key": (fit(FLAT, [{"image": 1}], keys=("image", "y")), DataError, ["no 'y', only 'image'"]),
    "keys for pairs": (fit(FLAT, GOOD, keys=("x", "y")), DataError, ["keys= is for dicts"]),
    "one key": (fit(FLAT, GOOD, keys="x"), ParameterError, ["keys is 'x'"]),
    "weights at times": (
        fit(FLAT, [(IMAGES, LABELS, WEIGHTS), (IMAGES, LABELS)]),
        DataError,
        ["batch 1", "2 parts"],
    ),
    "maps": (fit(nn.Identity(), GOOD), DataError, ["(32, 1, 6, 6)", "batch 0", "flatten=True"]),
    "vectors": (fit(nn.Flatten(0), GOOD), DataError, ["shape (1152,)", "one row per sample"]),
    "pair": (fit(Pair(), GOOD), DataError, ["a tuple for batch 0"]),
    "whole numbers": (fit(Whole(), GOOD), DataError, ["torch.int64"]),
    "widths": (fit(Narrowing(), GOOD), DataError, ["batch 2 of loader", "width 20", "36"]),
    "dtypes": (fit(Changing(), GOOD), DataError, ["batch 2 of loader", "torch.float64", "torch.float32"]),
    "nan": (
        fit(FLAT, loader_of(with_nan(), LABELS)),
        DataError,
        ["batch 2 of loader has 1 feature", "row 70, column 3"],
    ),
    "lengths": (fit(FLAT, [(IMAGES, LABELS[:3])]), DataError, ["90 rows", "y of shape (3,)"]),
    "shapes": (fit(FLAT, [(IMAGES, NUMBERS), (IMAGES, NUMBERS[:, None])]), DataError, ["one shape"]),
    "validation": (fit(FLAT, GOOD, validation=[]), DataError, ["validation gave no batch"]),
    "floats": (fit(FLAT, loader_of(IMAGES, NUMBERS)), DataError, ["LinearRegression"]),
}


@over("case", WRONG)
def test_what_is_said(case):
    action, kind, words = case
    said(action, *words, kind=kind)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_device_and_back():
    backbone = seeded(mlp)
    head = ol.fit_head(backbone, GOOD, ol.SoftmaxRegression(), device="cuda")
    assert head.estimator.coef_.device.type == "cuda"
    assert next(backbone.parameters()).device.type == "cpu"
    expected = ol.SoftmaxRegression().fit(by_hand(backbone), LABELS).coef_
    assert np.allclose(head.estimator.coef_.cpu(), expected, rtol=1e-2, atol=1e-3)
    assert head.module()(IMAGES).device.type == "cpu"
