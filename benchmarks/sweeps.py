"""What many fits cost, in single fits: a path, a cross-validation, many targets, a stack of heads, leave-one-out.

``python benchmarks/sweeps.py`` measures everything in one process, each sweep in turn with the single fit that it is compared with,
and prints a table of medians; ``--only path,many`` some of it; ``--peers`` also loops of scikit-learn's fits, a sample of each loop, at
tolerances at which their objectives are about within 1e-4 of the optimum (they are then further from it than every fit here).
Results go to ``benchmarks/results/sweeps.json``.
"""

import argparse
import json
import pathlib
import statistics
import time
import warnings

import machine
import numpy as np
import synthetic

RESULT = pathlib.Path(__file__).parent / "results" / "sweeps.json"
PATH_CS, FOLD_CS = np.logspace(-4, 2, 20), np.logspace(-4, 2, 10)
CONCEPTS, HEADS = 256, (1024, 2000, 128)
SAMPLE = 8


def embeddings(options):
    """Return the rows of a file, or synthetic ones of the same shape."""
    if options.embeddings:
        with np.load(options.embeddings) as arrays:
            return arrays["X"].astype(np.float32), arrays["y"]
    return synthetic.embeddings(20_000, 384, 51, 0)


def images(options):
    """Return 20,000 images of Fashion-MNIST."""
    import onelayer as ol

    data = ol.data.load("fashion-mnist")
    return np.ascontiguousarray(data.X[:20_000]), data.y[:20_000]


def concepts(options):
    """Return embeddings with 256 targets, rare and common ones."""
    X, _ = embeddings(options)
    rng = np.random.default_rng(0)
    scores = X @ rng.normal(size=(X.shape[1], CONCEPTS)).astype(np.float32)
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    noise = 0.5 * rng.normal(size=scores.shape)
    return X, scores + noise > rng.uniform(-2, 2, size=CONCEPTS)


def heads(options):
    """Return a stack of correlated activations, and a target for each."""
    count, rows, width = HEADS
    rng = np.random.default_rng(0)
    X, Y = np.empty((count, rows, width), np.float32), np.empty((count, rows), bool)
    for head in range(count):
        mix = rng.normal(size=(width, width)) / width**0.5 * np.linspace(0.1, 2, width)
        X[head] = rng.normal(size=(rows, width)) @ mix + rng.normal(size=width)
        direction = rng.normal(size=width)
        Y[head] = X[head] @ direction / np.linalg.norm(direction) / 3 + rng.normal(size=rows) > 0
    return X, Y


def timed(work):
    """Return what work() returns, and its seconds."""
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def in_turn(options, sweep, single):
    """Return the sweep's last result and the medians of both, measured in turn."""
    sweeps, singles, found = [], [], None
    for _ in range(options.repeats):
        singles.append(timed(single)[1])
        found, seconds = timed(sweep)
        sweeps.append(seconds)
    return found, statistics.median(sweeps), statistics.median(singles)


def path(options):
    """Measure 20 values of C on embeddings."""
    import onelayer as ol

    X, y = embeddings(options)
    est = ol.LogisticRegression()
    found, seconds, one = in_turn(
        options, lambda: ol.path(est, X, y, Cs=PATH_CS), lambda: ol.LogisticRegression(C=1.0).fit(X, y)
    )
    record = {"seconds": seconds, "single": one, "gap": float(np.max(found.relative_gap)), "fits": len(found)}
    if options.peers:
        alone = sum(timed(lambda C=C: ol.LogisticRegression(C=C).fit(X, y))[1] for C in PATH_CS)
        record["own fits from nothing"] = alone
        record["scikit-learn"] = min(
            (their_path(X, y, *how) for how in (("lbfgs", 1e-5), ("newton-cg", 1e-4))),
            key=lambda one: one["seconds"],
        )
    return record


def their_path(X, y, solver, tol):
    """Return what fits at all C take with a solver of scikit-learn's, from every fifth of them, and the largest gap."""
    from sklearn.linear_model import LogisticRegression

    import onelayer as ol

    some = PATH_CS[::5]
    found = [
        timed(lambda C=C: LogisticRegression(C=C, solver=solver, tol=tol, max_iter=10_000).fit(X, y))
        for C in some
    ]
    gaps = [ol.certify(model, X, y).relative_gap for model, _ in found]
    seconds = sum(taken for _, taken in found) * len(PATH_CS) / len(some)
    return {"solver": solver, "tol": tol, "seconds": seconds, "gap": float(max(gaps))}


def cross_validation(options, data):
    """Measure 10 values of C on 5 folds."""
    import onelayer as ol

    X, y = data(options)
    found, seconds, one = in_turn(
        options,
        lambda: ol.LogisticRegressionCV(FOLD_CS, cv=5).fit(X, y),
        lambda: ol.LogisticRegression(C=FOLD_CS[-1]).fit(X, y),
    )
    record = {
        "seconds": seconds,
        "single": one,
        "gap": float(found.gaps_.max()),
        "fits": found.gaps_.size + len(FOLD_CS),
    }
    record["chosen"] = found.C_
    if options.peers:
        record["scikit-learn"] = [
            their_cross_validation(X, y, found, *how) for how in (("lbfgs", 1e-5), ("newton-cg", 1e-4))
        ]
    return record


def their_cross_validation(X, y, found, solver, tol):
    """Return what scikit-learn's takes, from the first of the five folds, and how its scores and its choice compare there."""
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold

    import onelayer as ol

    train, test = next(StratifiedKFold(5).split(X, y))
    model = LogisticRegressionCV(
        Cs=FOLD_CS,
        cv=[(train, test)],
        solver=solver,
        tol=tol,
        max_iter=10_000,
        scoring="neg_log_loss",
        l1_ratios=(0,),
        refit=False,
        use_legacy_attributes=False,
    )
    _, seconds = timed(lambda: model.fit(X, y))
    theirs, ours = np.asarray(model.scores_).reshape(-1), found.scores_[0]
    # The fit of the weakest penalty, which is the furthest from its optimum.
    weakest, paths = LogisticRegression(C=FOLD_CS[-1]), model.coefs_paths_[0, 0, -1]
    fitted = {"coef_": paths[:, :-1], "intercept_": paths[:, -1], "classes_": model.classes_}
    vars(weakest).update(fitted, n_features_in_=X.shape[1])
    return {
        "solver": solver,
        "tol": tol,
        "seconds": 5 * seconds,
        "largest gap": ol.certify(weakest, X[train], y[train]).relative_gap,
        "chosen in this fold": float(FOLD_CS[theirs.argmax()]),
        "chosen here in this fold": float(FOLD_CS[ours.argmax()]),
        "scores apart": float(np.abs(theirs - ours).max()),
        "at the best C": float(np.abs(theirs - ours)[ours.argmax()]),
    }


def many(options):
    """Measure 256 targets on one X."""
    import onelayer as ol

    X, Y = concepts(options)
    found, seconds, one = in_turn(
        options,
        lambda: ol.fit_many(X, Y),
        lambda: [ol.LogisticRegression().fit(X, Y[:, place]) for place in range(SAMPLE)],
    )
    record = {
        "seconds": seconds,
        "single": one / SAMPLE,
        "gap": float(np.max(found.relative_gap)),
        "fits": len(found),
    }
    # Two products of rows × features × targets for each pass of all targets, at the rate of one such product.
    record["passes"] = found[0].result_.passes
    if options.peers:
        record["scikit-learn"] = their_loop([(X, Y[:, place]) for place in range(SAMPLE)], CONCEPTS)
    return record


def stacked(options):
    """Measure 1,024 problems with an X each."""
    import onelayer as ol

    X, Y = heads(options)
    found, seconds, one = in_turn(
        options,
        lambda: ol.fit_many(X, Y),
        lambda: [ol.LogisticRegression().fit(X[place], Y[place]) for place in range(SAMPLE)],
    )
    record = {
        "seconds": seconds,
        "single": one / SAMPLE,
        "gap": float(np.max(found.relative_gap)),
        "fits": len(found),
    }
    if options.peers:
        record["scikit-learn"] = their_loop([(X[place], Y[place]) for place in range(SAMPLE)], len(X))
    return record


def their_loop(problems, count):
    """Return the seconds that a loop of scikit-learn's fits would take, from some of them, and the largest gap of these."""
    from sklearn.linear_model import LogisticRegression

    import onelayer as ol

    found = [
        timed(lambda X=X, y=y: LogisticRegression(tol=1e-4, max_iter=10_000).fit(X, y)) for X, y in problems
    ]
    gaps = [
        ol.certify(model, *problem).relative_gap for (model, _), problem in zip(found, problems, strict=True)
    ]
    return {"seconds": statistics.mean(seconds for _, seconds in found) * count, "gap": float(max(gaps))}


def left_out(options):
    """Measure leave-one-out from one fit against all fits, on the digits' first rows."""
    import onelayer as ol

    data = ol.data.load("digits")
    X, y = data.X[:300] / 16, data.y[:300]
    model = ol.LogisticRegression(tol=1e-9).fit(X, y)
    score, seconds = timed(lambda: model.loo_score(X, y))
    began, losses = time.perf_counter(), []
    for row in range(len(y)):
        rest = np.arange(len(y)) != row
        alone = ol.LogisticRegression(init=(model.coef_, model.intercept_)).fit(X[rest], y[rest])
        losses.append(-alone.predict_log_proba(X[[row]])[0, y[row]])
    whole = time.perf_counter() - began
    return {
        "seconds": seconds,
        "single": whole / len(y),
        "fits": len(y),
        "gap": abs(-score / np.mean(losses) - 1),
    }


SWEEPS = {
    "path": path,
    "cv embeddings": lambda options: cross_validation(options, embeddings),
    "cv images": lambda options: cross_validation(options, images),
    "many": many,
    "heads": stacked,
    "left out": left_out,
}


def main():
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(SWEEPS), help=f"some of {', '.join(SWEEPS)}")
    parser.add_argument("--embeddings", default=None, help=".npz with X and y; default: synthetic ones")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="also scikit-learn, which takes long")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    found["machine"] = machine.describe([], torch.get_num_threads(), "cpu")
    for name in options.only.split(","):
        found[name] = record = SWEEPS[name](options)
        times = record["seconds"] / record["single"]
        print(
            f"{name:<16}{record['fits']:>6} fits{record['seconds']:>9.2f} s{times:>9.2f} × one{record['gap']:>10.1e}  "
            + json.dumps(
                {
                    key: value
                    for key, value in record.items()
                    if key not in ("seconds", "single", "gap", "fits")
                }
            ),
            flush=True,
        )
    RESULT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
