"""The problems by name: data, objective, and why one may be missing."""

import dataclasses
import math
import pathlib
from collections.abc import Callable

import numpy as np
import scipy.sparse
import synthetic
from tasks import Task, load_matrix

__all__ = ["PROBLEMS", "Missing", "Prepared", "Problem", "select"]


class Missing(Exception):
    """The data of a problem are not here; the message says what would bring them."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One row of the list.

    Attributes
    ----------
    name, group : str
        `--problems` takes both.
    make : callable
        Returns X (n, d) in float32 and y.
    loss : str
        "log" becomes logistic or softmax by the number of classes.
    C, alpha, delta : float
        Either C, scikit-learn's, or alpha on the mean loss.
    recipe : dict, optional
        Instead of `make`, for data that are made on the device.
    """

    name: str
    group: str
    make: Callable | None
    loss: str = "log"
    C: float = 1.0
    alpha: float | None = None
    delta: float = 0.0
    recipe: dict | None = None

    def prepare(self, folder, options):
        """Write the data into a folder, once for all runs, and return a Prepared; raise Missing."""
        if self.recipe is not None:
            if options.device == "cpu":
                raise Missing("made only on a CUDA device (--device cuda)")
            rows = min(self.recipe["rows"], options.max_rows or self.recipe["rows"])
            recipe = {**self.recipe, "rows": rows}
            task = Task("softmax", self.alpha or 0.0, rows, recipe["classes"])
            return Prepared(task, (rows, recipe["features"]), recipe=recipe)
        assert self.make is not None
        X, y = self.make(options)
        if options.max_rows is not None and options.max_rows < X.shape[0]:
            # Drawn, not the first: some sets are sorted by class.
            kept = np.sort(np.random.default_rng(0).permutation(X.shape[0])[: options.max_rows])
            X, y = X[kept], y[kept]
        if self.loss == "log":
            labels, y = np.unique(y, return_inverse=True)
            y, classes = y.astype(np.int64), len(labels)
            loss = "logistic" if classes == 2 else "softmax"
        else:
            y, classes, loss = y.astype(np.float32), 0, self.loss
        alpha = 1 / (self.C * X.shape[0]) if self.alpha is None else self.alpha
        sparse = hasattr(X, "nnz")
        task = Task(loss, alpha, X.shape[0], classes, self.delta, sparse)
        if sparse:
            X = X.astype(np.float32)
            size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
            prepared = Prepared(task, X.shape, folder, stored=size)
            scipy.sparse.save_npz(prepared.X_file, X, compressed=False)
        else:
            prepared = Prepared(task, X.shape, folder)
            np.save(prepared.X_file, np.ascontiguousarray(X, dtype=np.float32))
        np.save(prepared.y_file, y)
        return prepared


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Where the data of a problem are, and what to minimise."""

    task: Task
    shape: tuple
    folder: str = ""
    recipe: dict | None = None
    stored: int | None = None

    @property
    def X_file(self):
        """The file of X."""
        return pathlib.Path(self.folder, "X.npz" if self.task.sparse else "X.npy")

    @property
    def y_file(self):
        """The file of y."""
        return pathlib.Path(self.folder, "y.npy")

    @property
    def data_bytes(self):
        """Size of X in float32; of a CSR matrix that of its three arrays."""
        return 4 * self.shape[0] * self.shape[1] if self.stored is None else self.stored

    def load(self):
        """Return X and y."""
        return load_matrix(self.X_file), np.load(self.y_file)


def select(names):
    """Return the problems with these names or groups ("all" for every one), in the order of the list."""
    wanted = set(names)
    known = {problem.name for problem in PROBLEMS} | {problem.group for problem in PROBLEMS} | {"all"}
    if wanted - known:
        raise SystemExit(
            f"no problem {', '.join(sorted(wanted - known))}; there are {', '.join(sorted(known))}"
        )
    if "all" in wanted:
        return list(PROBLEMS)
    names = {problem.name for problem in PROBLEMS} & wanted
    # A name that is also a group means the one problem.
    groups = wanted - names
    return [problem for problem in PROBLEMS if problem.name in names or problem.group in groups]


def _bundled(name, standardize=False):
    def make(options):
        del options
        from sklearn import datasets, preprocessing

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return (preprocessing.StandardScaler().fit_transform(X) if standardize else X), y

    return make


def _fashion(options):
    del options
    import onelayer as ol

    try:
        data = ol.data.load("fashion-mnist", progress=False)
    except (ol.errors.DataError, OSError) as error:
        raise Missing("Fashion-MNIST is not on this machine and could not be downloaded") from error
    return data.X, data.y


def _given_embeddings(options):
    if not options.embeddings:
        raise Missing("no file given by --embeddings or ONELAYER_EMBEDDINGS; synthetic-embeddings stands in")
    try:
        with np.load(options.embeddings) as arrays:
            return arrays["X"].astype(np.float32), arrays["y"]
    except OSError as error:
        # Without the path, which would end in the results.
        raise Missing(f"the file of embeddings cannot be read ({type(error).__name__})") from error


def _given_text(options):
    if not options.text:
        raise Missing("no file given by --text or ONELAYER_TEXT; synthetic-text stands in")
    try:
        with np.load(options.text) as arrays:
            parts = (arrays["data"].astype(np.float32), arrays["indices"], arrays["indptr"])
            return scipy.sparse.csr_matrix(parts, shape=tuple(arrays["shape"])), arrays["y"]
    except OSError as error:
        raise Missing(f"the file of a text matrix cannot be read ({type(error).__name__})") from error


def _drawn(function, *arguments, **more):
    return lambda options: function(*arguments, **more)


_IMAGENET = {"rows": 1_281_167, "features": 2_048, "classes": 1_000, "seed": 0}

PROBLEMS = (
    Problem("iris", "small", _bundled("iris")),
    Problem("digits", "small", _bundled("digits")),
    Problem("breast-cancer", "small", _bundled("breast_cancer")),
    Problem("breast-cancer-standardised", "small", _bundled("breast_cancer", standardize=True)),
    Problem("diabetes", "small", _bundled("diabetes"), "squared", alpha=1e-4),
    *(Problem(f"fashion-mnist-C{C:g}", "fashion-mnist", _fashion, C=C) for C in (0.01, 1, 100)),
    *(Problem(f"embeddings-C{C:g}", "embeddings", _given_embeddings, C=C) for C in (1, 100)),
    *(
        Problem(
            f"synthetic-embeddings-C{C:g}",
            "synthetic-embeddings",
            _drawn(synthetic.embeddings, 20_000, 384, 51, seed=1),
            C=C,
        )
        for C in (1, 100)
    ),
    *(Problem(f"text-C{C:g}", "text", _given_text, C=C) for C in (1, 10)),
    *(
        Problem(
            f"synthetic-text-C{C:g}",
            "synthetic-text",
            _drawn(synthetic.text, 100_000, 50_000, 75, seed=7),
            C=C,
        )
        for C in (1, 10)
    ),
    Problem("binary-50", "binary", _drawn(synthetic.binary, 500_000, 50, seed=2)),
    Problem("binary-1000", "binary", _drawn(synthetic.binary, 50_000, 1_000, seed=3)),
    Problem("unpenalised", "binary", _drawn(synthetic.binary, 200_000, 50, seed=4), C=math.inf),
    Problem("ridge", "regression", _drawn(synthetic.real, 200_000, 200, seed=5), "squared", alpha=1e-4),
    Problem(
        "least-squares", "regression", _drawn(synthetic.real, 200_000, 200, seed=5), "squared", alpha=0.0
    ),
    Problem(
        "huber",
        "regression",
        _drawn(synthetic.real, 200_000, 200, seed=6, outliers=0.1),
        "huber",
        alpha=1e-4,
        delta=1.345,
    ),
    *(
        Problem(f"imagenet-alpha{alpha:.0e}", "imagenet", None, alpha=alpha, recipe=_IMAGENET)
        for alpha in (1e-6, 1e-5)
    ),
)
