"""The number that a penalty report gives for another library gives the same coefficients there, and back."""

import math

import numpy as np
import pytest
import torch
from sklearn import linear_model
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from instances import PROBLEMS, regression
from onelayer.penalties import (
    PenaltyReport,
    Strength,
    from_glmnet,
    from_sklearn,
    from_spark,
    from_statsmodels,
    from_torch,
)

BINARY, CLASSES = PROBLEMS["two classes"](), PROBLEMS["three classes"]()
REAL = regression()
TIGHT = {"tol": 1e-12, "max_iter": 5000}
GD = ol.solvers.GradientDescent(steps=1000)
WEIGHT = np.random.default_rng(4).uniform(0.2, 2, size=len(BINARY[1]))


def log(C=0.3, **settings):
    return ol.LogisticRegression(C=C, **TIGHT, **settings)


def softmax(C=0.3, **settings):
    return ol.SoftmaxRegression(C=C, **TIGHT, **settings)


def linear(alpha=0.2, **settings):
    return ol.LinearRegression(alpha=alpha, **TIGHT, **settings)


def kinked(model, l1_ratio=0.6):
    return model.set_params(l1_ratio=l1_ratio, solver=GD, tol=1e-8 if l1_ratio < 1 else 1e-7, max_iter=None)


def same(coef, intercept, model, atol=2e-4):
    np.testing.assert_allclose(np.reshape(coef, np.shape(model.coef_)), model.coef_, atol=atol)
    np.testing.assert_allclose(
        np.reshape(intercept, np.shape(model.intercept_)), model.intercept_, atol=10 * atol
    )


def difference(model):
    """The one row of weights that two rows amount to."""
    return model.coef_[1] - model.coef_[0], model.intercept_[1] - model.intercept_[0]


# ---- scikit-learn ---------------------------------------------------------------------------------------------

SAGA = {"solver": "saga", "tol": 1e-9, "max_iter": 20_000, "random_state": 0}
SKLEARN = {
    "binary": (log(), BINARY, "LogisticRegression", {"tol": 1e-10, "max_iter": 5000}),
    "binary, elastic net": (kinked(log()), BINARY, "LogisticRegression", SAGA),
    "classes": (softmax(), CLASSES, "LogisticRegression", {"tol": 1e-10, "max_iter": 5000}),
    "no penalty": (linear(0.0), REAL, "Ridge", {}),
    "ridge": (linear(), REAL, "Ridge", {}),
    "ridge, no intercept": (linear(fit_intercept=False), REAL, "Ridge", {"fit_intercept": False}),
    "ridge, targets": (linear(), (REAL[0], REAL[0][:, :2] + REAL[1][:, None]), "Ridge", {}),
    "elastic net": (kinked(linear()), REAL, "ElasticNet", {"tol": 1e-10, "max_iter": 10_000}),
    "lasso": (kinked(linear(), 1.0), REAL, "ElasticNet", {"tol": 1e-10, "max_iter": 10_000}),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", SKLEARN)
def test_scikit_learn(case, weighted):
    model, (X, y), name, settings = SKLEARN[case]
    weight = np.resize(WEIGHT, len(y)) if weighted else None
    model = clone(model).fit(X, y, weight)
    theirs = getattr(linear_model, name)(**model.penalty_report_[name], **settings).fit(X, y, weight)
    same(theirs.coef_, theirs.intercept_, model)


def test_scikit_learn_with_one_row_for_two_classes():
    X, y = BINARY
    model = softmax().fit(X, y)
    theirs = linear_model.LogisticRegression(**model.penalty_report_["LogisticRegression"], tol=1e-10).fit(
        X, y
    )
    same(*difference(model), theirs)
    back = softmax(from_sklearn(C=theirs.C)).fit(X, y)
    assert back.objective_record_["alpha"] == pytest.approx(model.objective_record_["alpha"], rel=1e-12)
    np.testing.assert_allclose(back.coef_, model.coef_, atol=1e-6)


def test_scikit_learn_sgd_minimises_the_same_objective():
    """Its alpha is compared by its own objective: a million updates do not reach the optimum."""
    X, y = BINARY
    model = log(C=0.02).fit(X, y)
    theirs = linear_model.SGDClassifier(
        loss="log_loss", **model.penalty_report_["SGDClassifier"], max_iter=1000, tol=None, random_state=0,
        learning_rate="invscaling", eta0=0.5, power_t=0.6, average=True,
    )  # fmt: skip
    theirs.set_params(penalty="elasticnet").fit(X, y)
    same(theirs.coef_, theirs.intercept_, model, atol=1e-2)
    real = linear(alpha=0.5).fit(*REAL)
    theirs = linear_model.SGDRegressor(
        penalty="elasticnet", **real.penalty_report_["SGDRegressor"], max_iter=1000, tol=None, random_state=0,
        eta0=0.02, power_t=0.5, average=True,
    )  # fmt: skip
    theirs.fit(*REAL)
    same(theirs.coef_, theirs.intercept_, real, atol=2e-2)


# ---- statsmodels ----------------------------------------------------------------------------------------------


def unpenalised_constant(alpha, features):
    return np.array([0.0] + [alpha] * features)


STATSMODELS = {
    "OLS, ridge": (linear(), REAL, "OLS"),
    "OLS, elastic net": (kinked(linear()), REAL, "OLS"),
    "GLM, ridge": (log(), BINARY, "GLM"),
    "GLM, elastic net": (kinked(log()), BINARY, "GLM"),
    "GLM, two rows": (softmax(), BINARY, "GLM"),
    "GLM, two rows, elastic net": (kinked(softmax()), BINARY, "GLM"),
    "Logit": (kinked(log(), 1.0), BINARY, "Logit"),
    "Logit, two rows": (kinked(softmax(), 1.0), BINARY, "Logit"),
}


@pytest.mark.parametrize("case", STATSMODELS)
def test_statsmodels(case):
    sm = pytest.importorskip("statsmodels.api")
    model, (X, y), name = STATSMODELS[case]
    model = clone(model).fit(X, y)
    arguments = model.penalty_report_[name]
    arguments["alpha"] = unpenalised_constant(arguments["alpha"], X.shape[1])
    exog = sm.add_constant(X)
    if name == "GLM":
        theirs = sm.GLM(y, exog, family=sm.families.Binomial())
        found = theirs.fit_regularized(**arguments, cnvrg_tol=1e-12, maxiter=2000).params
    elif name == "OLS":
        found = sm.OLS(y, exog).fit_regularized(**arguments, cnvrg_tol=1e-12, maxiter=2000).params
    else:
        found = sm.Logit(y, exog).fit_regularized(**arguments, disp=0, acc=1e-10).params
    if len(np.shape(model.coef_)) == 2 and len(model.coef_) == 2:
        coef, intercept = difference(model)
        np.testing.assert_allclose(found, [*intercept.reshape(-1), *coef], atol=3e-4)
    else:
        same(found[1:], found[0], model, atol=3e-4)


# ---- torch ----------------------------------------------------------------------------------------------------

TORCH = {
    "BCEWithLogitsLoss": (log(), BINARY, 1),
    "CrossEntropyLoss": (softmax(), CLASSES, 3),
    "MSELoss": (linear(), REAL, 1),
    "MSELoss, two targets": (linear(), (REAL[0], REAL[0][:, :2] + REAL[1][:, None]), 2),
    "HuberLoss": (linear(loss="huber"), REAL, 1),
    "HuberLoss, two targets": (linear(loss="huber"), (REAL[0], REAL[0][:, :2] + REAL[1][:, None]), 2),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("case", TORCH)
def test_a_torch_loop(case, reduction):
    """Full-batch steps of torch's SGD with momentum; the bias has a group of its own."""
    name, (model, (X, y), outputs) = case.split(",")[0], TORCH[case]
    model = clone(model).fit(X, y)
    decay = model.penalty_report_[f"{name} ({reduction})"]["weight_decay"]
    features = torch.as_tensor(X)
    targets = (
        torch.as_tensor(y) if name == "CrossEntropyLoss" else torch.as_tensor(y).double().reshape(-1, outputs)
    )
    layer = torch.nn.Linear(X.shape[1], outputs, dtype=torch.float64)
    criterion = getattr(torch.nn, name)(reduction=reduction)
    rows = len(X) if reduction == "sum" else 1
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    groups = [
        {"params": [layer.weight], "weight_decay": decay},
        {"params": [layer.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.15 / rows, momentum=0.9)
    for _ in range(500):
        optimizer.zero_grad()
        criterion(layer(features), targets).backward()
        optimizer.step()
    same(layer.weight.detach().numpy(), layer.bias.detach().numpy(), model)
    loss = None if name == "HuberLoss" else name
    strength = from_torch(decay, reduction=reduction, loss=name, outputs=outputs)
    assert strength.alpha(len(X)) == pytest.approx(model.objective_record_["alpha"], rel=1e-12)
    # Left to the fit, the number of targets is that of the fit.
    strength = from_torch(decay, reduction=reduction, loss=name)
    alpha, _ = strength.resolve(len(X), 0.0, strength.loss, outputs)
    assert alpha == pytest.approx(model.objective_record_["alpha"], rel=1e-12)
    assert eval(repr(strength), {"Strength": ol.penalties.Strength}) == strength
    assert loss is None or strength.loss is not None


@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "MSELoss"])
def test_the_l1_part_in_torch(name):
    """At the fitted weights, none of which is zero, torch's own gradient of the whole is zero."""
    X, y = BINARY if name == "BCEWithLogitsLoss" else REAL
    model = kinked(log() if name == "BCEWithLogitsLoss" else linear(), 0.3).fit(X, y)
    report = model.penalty_report_
    weight = torch.tensor(np.ravel(model.coef_), requires_grad=True)
    scores = torch.as_tensor(X) @ weight + float(np.squeeze(model.intercept_))
    decay = report[f"{name} (mean)"]["weight_decay"]
    loss = getattr(torch.nn, name)()(scores, torch.as_tensor(y).double())
    (loss + decay / 2 * weight.square().sum() + report.torch_l1 * weight.abs().sum()).backward()
    assert weight.abs().min() > 0.01
    assert weight.grad.abs().max() < 1e-4


def test_torch_with_batches_of_summed_losses():
    """Each sum over n rows is n means: per row the decay is n times weaker."""
    assert from_torch(0.5, reduction="sum", n=10).alpha(1000) == 0.05
    assert from_torch(0.5, reduction="sum").alpha(1000) == 0.0005
    assert from_torch(0.5, reduction="mean", n=10).alpha(1000) == 0.5


# ---- glmnet and Spark, where they are -------------------------------------------------------------------------


def test_glmnet():
    glmnet = pytest.importorskip("glmnet")
    settings = {"standardize": False, "n_splits": 0, "tol": 1e-12}
    for model, (X, y), family in [(log(), BINARY, "binomial"), (softmax(), CLASSES, "multinomial")]:
        model.fit(X, y)
        found = model.penalty_report_[family]
        theirs = glmnet.LogitNet(alpha=found["alpha"], lambda_path=[found["lambda"]], **settings).fit(X, y)
        coef, intercept = np.squeeze(theirs.coef_path_), np.squeeze(theirs.intercept_path_)
        # Of several classes glmnet's intercepts are fixed up to one constant only.
        same(coef, intercept - intercept.mean() + model.intercept_.mean(), model, atol=1e-3)
    X, y = REAL
    y = (y - y.mean()) / y.std()
    model = linear().fit(X, y)
    found = model.penalty_report_["gaussian"]
    theirs = glmnet.ElasticNet(alpha=found["alpha"], lambda_path=[found["lambda"]], **settings).fit(X, y)
    same(np.squeeze(theirs.coef_path_), np.squeeze(theirs.intercept_path_), model, atol=1e-3)


def test_spark():
    pyspark = pytest.importorskip("pyspark")
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.linalg import Vectors

    session = pyspark.sql.SparkSession.builder.master("local[1]").getOrCreate()
    X, y = CLASSES
    rows = [(float(label), Vectors.dense(row)) for label, row in zip(y, X, strict=True)]
    frame = session.createDataFrame(rows, ["label", "features"])
    model = softmax().fit(X, y)
    theirs = LogisticRegression(
        **model.penalty_report_["Spark LogisticRegression"], standardization=False, tol=1e-12, maxIter=1000
    ).fit(frame)
    same(theirs.coefficientMatrix.toArray(), theirs.interceptVector.toArray(), model, atol=1e-3)


def test_glmnet_and_spark_divide_a_real_target_by_its_deviation():
    """Worked out on paper for y = sd · u: lambda for u is lambda / sd of it, and the L1 part comes out as it was."""
    for strength in (
        from_glmnet(0.6, 0.5, family="gaussian", y_std=2.0),
        from_spark(0.6, 0.5, family="gaussian", y_std=2.0),
    ):
        alpha, ratio = strength.resolve(100.0, 0.0, "squared", 1)
        assert (alpha * ratio, alpha * (1 - ratio)) == pytest.approx((0.3, 0.15))
    assert from_glmnet(0.6, 1.0, family="gaussian").alpha(100.0) == 0.6
    X, y = REAL
    sd = y.std()
    ours = kinked(linear(from_glmnet(0.6, 0.5, family="gaussian", y_std=sd)), 0.0).fit(X, y)
    scaled = kinked(linear(0.6 / sd), 0.5).fit(X, y / sd)
    np.testing.assert_allclose(ours.coef_, scaled.coef_ * sd, atol=1e-4)


# ---- there and back -------------------------------------------------------------------------------------------

BACK = {
    "sklearn C": (log(), BINARY, lambda r: from_sklearn(C=r["LogisticRegression"]["C"])),
    "sklearn C, two rows": (softmax(), BINARY, lambda r: from_sklearn(C=r["LogisticRegression"]["C"])),
    "sklearn SGDClassifier": (
        softmax(),
        BINARY,
        lambda r: from_sklearn(alpha=r["SGDClassifier"]["alpha"], model="SGDClassifier"),
    ),
    "sklearn Ridge": (linear(), REAL, lambda r: from_sklearn(**r["Ridge"])),
    "sklearn SGDRegressor": (
        linear(),
        REAL,
        lambda r: from_sklearn(**r["SGDRegressor"], model="SGDRegressor"),
    ),
    "glmnet binomial": (softmax(), BINARY, lambda r: from_glmnet(*r["binomial"].values())),
    "glmnet multinomial, one row": (
        log(),
        BINARY,
        lambda r: from_glmnet(2 * r["binomial"]["lambda"], 0.0, family="multinomial"),
    ),
    "glmnet multinomial": (
        softmax(),
        CLASSES,
        lambda r: from_glmnet(*r["multinomial"].values(), family="multinomial"),
    ),
    "statsmodels OLS": (linear(), REAL, lambda r: from_statsmodels(**r["OLS"])),
    "statsmodels GLM": (log(), BINARY, lambda r: from_statsmodels(**r["GLM"], model="GLM")),
    "spark": (softmax(), BINARY, lambda r: from_spark(**r["Spark LogisticRegression"])),
    "spark, multinomial": (
        softmax(),
        BINARY,
        lambda r: from_spark(**r["Spark LogisticRegression (multinomial)"], family="multinomial"),
    ),
    "none": (log(math.inf), BINARY, lambda r: from_sklearn(C=r.C)),
}


@pytest.mark.parametrize("case", BACK)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_there_and_back(case):
    model, (X, y), back = BACK[case]
    weight = np.resize(WEIGHT, len(y))
    model = clone(model).fit(X, y, weight)
    strength = back(model.penalty_report_)
    name = "alpha" if isinstance(model, ol.LinearRegression) else "C"
    again = clone(model).set_params(**{name: strength}).fit(X, y, weight)
    for fact in ("alpha", "l1_ratio", "total_weight"):
        assert again.objective_record_[fact] == pytest.approx(model.objective_record_[fact], rel=1e-12)


def test_a_strength_brings_its_l1_ratio():
    model = kinked(log(from_glmnet(0.1, 0.5)), 0.0).fit(*BINARY)
    assert model.objective_record_["l1_ratio"] == 0.5
    model = kinked(log(from_sklearn(C=0.3)), 0.25).fit(*BINARY)
    assert model.objective_record_["l1_ratio"] == 0.25


def test_standardised_features_are_the_standard_scaler_s():
    X, y = BINARY
    X = X * [1.0, 20.0, 0.3, 5.0] + 3
    model = log(standardize=True).fit(X, y)
    scaler = StandardScaler().fit(X)
    theirs = linear_model.LogisticRegression(**model.penalty_report_["LogisticRegression"], tol=1e-10)
    theirs.fit(scaler.transform(X), y)
    np.testing.assert_allclose(theirs.coef_ / scaler.scale_, model.coef_, atol=1e-4)
    assert "standardised" in str(model.penalty_report_)


# ---- a strength as a parameter --------------------------------------------------------------------------------


def test_clone_parameters_and_search():
    strengths = [from_sklearn(C=1.0), from_torch(0.1, loss="BCEWithLogitsLoss"), 3.0]
    model = clone(ol.LogisticRegression(C=strengths[0]))
    assert strengths[0] == model.C
    assert model.get_params()["C"] == strengths[0]
    assert "Strength" in repr(model)
    assert model._repr_html_()
    search = GridSearchCV(model, {"C": strengths}, cv=3).fit(*BINARY)
    assert search.best_params_["C"] in strengths
    assert len(set(strengths)) == 3


def test_save_and_load(tmp_path):
    strength = from_torch(np.float32(0.1), loss="BCEWithLogitsLoss")
    model = ol.LogisticRegression(C=strength).fit(*BINARY)
    model.save(tmp_path)
    again = ol.load(tmp_path)
    assert strength == again.C
    assert again.penalty_report_ == model.penalty_report_
    assert again.fit(*BINARY).objective_record_ == model.objective_record_


def test_a_certificate_knows_the_strength():
    model = ol.LogisticRegression(C=from_sklearn(C=2.0)).fit(*BINARY)
    assert ol.certify(model, *BINARY).relative_gap <= 1e-6


def test_class_weights_count_in_the_total():
    X, y = BINARY
    model = log(class_weight={0: 3.0, 1: 1.0}).fit(X, y)
    assert model.penalty_report_.total_weight == 3 * (y == 0).sum() + (y == 1).sum()


# ---- the table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", ["squared", "huber", "absolute", "quantile", "logistic", "cross-entropy", "own"]
)
@pytest.mark.parametrize("total", [None, 50.0])
def test_the_table_is_readable_for_every_loss(loss, total):
    for outputs in (1, 2, 3):
        for alpha, ratio in [(0.0, 0.0), (0.1, 0.0), (0.1, 0.5), (0.1, 1.0)]:
            report = PenaltyReport(alpha, ratio, total, loss, outputs, standardize=True)
            assert "nan" not in str(report)
            assert "None" not in str(report)
            assert report._repr_html_().count("<tr>") == len(report.rows) + 1
            assert len({name for _, name, _ in report.rows}) == len(report.rows)
            assert all(report[name] == arguments for _, name, arguments in report.rows)


def test_a_model_of_an_older_file_has_a_report_without_sums(tmp_path):
    import json

    model = ol.LinearRegression(alpha=0.1).fit(*REAL)
    model.save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["objective"].pop("total_weight")
    path.write_text(json.dumps(config))
    again = ol.load(tmp_path)
    assert np.array_equal(again.coef_, model.coef_)
    report = again.penalty_report_
    assert report.C is None
    assert report["OLS"] == {"alpha": 0.1, "L1_wt": 0.0}
    assert "sums are left out" in str(report)
    with pytest.raises(KeyError, match="Ridge"):
        report["Ridge"]
    again.save(tmp_path)
    assert ol.load(tmp_path).penalty_report_ == report


@pytest.mark.parametrize("total", [0, -1, "many", None, math.inf], ids=str)
def test_a_total_weight_that_is_none_is_refused(tmp_path, total):
    import json

    ol.LinearRegression(alpha=0.1).fit(*REAL).save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["objective"]["total_weight"] = {"$float": "inf"} if total == math.inf else total
    path.write_text(json.dumps(config))
    with pytest.raises(ol.errors.ModelFileError, match="total weight"):
        ol.load(tmp_path)


def test_a_strength_is_a_value():
    assert Strength(1.0) == Strength(1.0, "mean")
    assert {Strength(1.0), Strength(1.0, "mean")} == {Strength(1.0)}
    with pytest.raises(AttributeError):
        Strength(1.0).amount = 2.0
