"""The property: a fit refuses in a sentence, or fits, honestly; and its arguments stay as they were."""

import time
import warnings

import numpy as np
import torch
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning

import onelayer as ol
from hostile.fingerprints import fingerprint
from hostile.plain import labels_of

__all__ = ["fitted"]

# Seconds; a fit of a dozen rows takes thousandths.
_TOO_LONG = 5.0
_ALLOWED = (ConvergenceWarning, DataConversionWarning, LinAlgWarning, FutureWarning, ol.errors.RankWarning)
# Torch says so once in each process, whoever makes the first one.
_OF_TORCH = "Sparse CSR tensor support is in beta"
_STARTS_OF_OTHERS = (
    "l1_ratio parameter is only used",
    "Setting penalty=None",
    "Inconsistent values",
    "Singular matrix",
)
_STARTS_OF_OTHERS += ('"sag" solver requires many iterations',)
# R² of one row that is held out, as scikit-learn has it.
_STARTS_OF_OTHERS += ("R^2 score is not well-defined",)


def fitted(model, case, *, own):
    """Return the model, fitted and found honest, or None where the fit was refused as it should be.

    Parameters
    ----------
    model : estimator
    case : Case
    own : bool
        Whether it is one of our own three, whose refusals are our errors in one sentence. Drop-ins refuse in
        scikit-learn's words, most of which its validation chooses: some have several lines, some no full stop.
    """
    arguments = case.X, case.y, case.sample_weight, case.offset
    before = [fingerprint(part) for part in arguments]
    refusal, predicted, began = None, None, time.perf_counter()
    offset = {"offset": case.offset} if own else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(case.X, case.y, sample_weight=case.sample_weight, **offset)
        except Exception as error:  # noqa: BLE001
            refusal = error
        else:
            predicted = _predicted(model, case.X, offset, own)
    seconds = time.perf_counter() - began
    assert seconds < _TOO_LONG, f"{seconds:.1f} s"
    for part, was in zip(arguments, before, strict=True):
        assert fingerprint(part) == was, "an argument was changed"
    for warning in caught:
        _assert_allowed(warning, own)
    if refusal is not None:
        _assert_refusal(refusal, own)
        return None
    _assert_honest(model, case, predicted, caught, own)
    return model


def _predicted(model, X, offset, own):
    try:
        return model.predict(X, **offset)
    except ValueError as error:
        # Numbers as text: scikit-learn's fit turns them into floats where it has a list of dtypes, its predict refuses.
        if own or "not compatible with arrays of bytes/strings" not in str(error):
            raise
        return None


def _assert_allowed(warning, own):
    text = str(warning.message)
    if text.startswith(_OF_TORCH):
        return
    if not own and issubclass(warning.category, UserWarning) and text.startswith(_STARTS_OF_OTHERS):
        return
    assert issubclass(warning.category, _ALLOWED), f"{warning.category.__name__}: {text}"


def _assert_refusal(error, own):
    text = str(error)
    if own and not isinstance(error, ol.errors.OnelayerError):
        # scikit-learn's own words on names of columns, which our users see as they are.
        if not (isinstance(error, (TypeError, ValueError)) and "feature names" in text.lower()):
            raise error
        return
    if not isinstance(error, (TypeError, ValueError)):
        raise error
    assert text
    if own:
        assert "\n" not in text, text
        assert text.endswith((".", ".)")), text


def _assert_honest(model, case, predicted, caught, own):
    weight, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    assert np.isfinite(weight).all(), weight
    assert np.isfinite(bias).all(), bias
    rows = case.X.shape[0] if hasattr(case.X, "shape") else len(np.asarray(case.X))
    assert predicted is None or len(predicted) == rows
    if own and isinstance(case.X, torch.Tensor) and not _has_no_tensor(model):
        assert isinstance(predicted, torch.Tensor)
    if hasattr(model, "classes_"):
        _assert_classes(model, case.y, predicted, own)
    result = getattr(model, "result_", None)
    if result is None:
        return
    assert "\n" not in result.message
    warned = any(
        issubclass(warning.category, (ConvergenceWarning, ol.errors.RankWarning)) for warning in caught
    )
    proof = model.certificate_
    near = proof is not None and proof.relative_gap <= 1e-6
    assert result.status.is_success or warned or near, result.status
    if proof is not None:
        assert proof.gap >= 0
    if result.status == "converged":
        # Huber's regression whose scale is best at 0 is as near as float64 can tell, and says so.
        at_zero = "least at scale 0" in result.message
        tol = float(model.tol) if own else 0.0
        assert proof.relative_gap <= max(tol, 1e-6) or at_zero, proof


def _has_no_tensor(model):
    dtype = np.asarray(getattr(model, "classes_", 0)).dtype
    return dtype.kind not in "iufb" or dtype.itemsize > 8


def _assert_classes(model, y, predicted, own):
    labels, classes = labels_of(y), np.asarray(model.classes_)
    if labels is not None:
        known = set(classes.tolist())
        if not own and isinstance(y, list) and classes.dtype.kind == "U":
            # A list of text and numbers becomes text, as scikit-learn has it; ours refuse it.
            labels = list(map(str, labels))
        assert known >= set(labels), (known, labels)
    assert predicted is None or np.isin(np.asarray(predicted), classes).all()
