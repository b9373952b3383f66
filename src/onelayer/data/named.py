"""The data sets that have a name: scikit-learn's bundled ones and two image sets."""

import numpy as np

from onelayer.data.dataset import Dataset
from onelayer.data.images import IMAGE_SETS, find_images, load_images

__all__ = ["NAMES", "available", "load_named"]

# name: (rows, features, classes), as facts: the table of sets should not have to load any of them
BUNDLED = {
    "digits": (1797, 64, 10),
    "breast-cancer": (569, 30, 2),
    "diabetes": (442, 10, None),
    "iris": (150, 4, 3),
}
NAMES = (*BUNDLED, *IMAGE_SETS)


def load_named(name: str, *, progress: bool = True) -> Dataset:
    """Load one of ``NAMES``; only the image sets may need the network."""
    return load_images(name, progress=progress) if name in IMAGE_SETS else _load_bundled(name)


def available() -> list[dict]:
    """List the named data sets, without loading or downloading any.

    Returns
    -------
    list of dict
        One per set, with ``name``, ``rows`` (of the training part), ``features``, ``classes`` (None for
        regression), ``task`` (``"classification"`` or ``"regression"``) and ``where`` the data lie.
    """
    bundled = [_row(name, *facts, "comes with scikit-learn") for name, facts in BUNDLED.items()]
    return bundled + [_row(name, 60000, 784, 10, _whereabouts(name)) for name in IMAGE_SETS]


def _load_bundled(name):
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name.replace('-', '_')}")()
    is_regression = BUNDLED[name][2] is None
    return Dataset(
        bunch.data,
        bunch.target.astype(np.float64 if is_regression else np.int64),
        feature_names=[str(feature) for feature in bunch.feature_names],
        class_names=None if is_regression else [str(label) for label in bunch.target_names],
        image_shape=bunch.images.shape[1:] if "images" in bunch else None,
        name=name,
        source="scikit-learn",
    )


def _whereabouts(name):
    found = find_images(name)
    return str(found[0]) if found else f"will be downloaded ({IMAGE_SETS[name].megabytes} MB)"


def _row(name, rows, features, classes, where):
    task = "classification" if classes else "regression"
    return {
        "name": name,
        "rows": rows,
        "features": features,
        "classes": classes,
        "task": task,
        "where": where,
    }
