"""Draw docs/_static/first-light.png: one certified fit of Fashion-MNIST (digits where there is no copy of it).

Run by hand from the root of the checkout, about a minute on two cores: ``.venv/bin/python docs/make_picture.py``.
"""

import pathlib

import numpy as np
from matplotlib.figure import Figure

import onelayer as ol

PICTURE = pathlib.Path(__file__).parent / "_static" / "first-light.png"


def load():
    """Return a data set of images with a test part, without a download."""
    here = {row["name"] for row in ol.data.available() if "download" not in row["where"]}
    data = ol.data.load("fashion-mnist" if "fashion-mnist" in here else "digits")
    if data.X_test is None:
        order = np.random.default_rng(0).permutation(len(data.y))
        X, y = data.X[order], data.y[order]
        data.X, data.y, data.X_test, data.y_test = X[360:], y[360:], X[:360], y[:360]
    return data


def fit(data):
    model = ol.SoftmaxRegression(C=0.01)
    model.set_callbacks(
        ol.callbacks.Monitor(data.X, data.y, "train_accuracy", share=0),
        ol.callbacks.Monitor(data.X_test, data.y_test, "test_accuracy", share=0),
    )
    return model.fit(data.X, data.y)


def draw(model, data):
    figure = Figure(figsize=(11, 6.6), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.75), height_ratios=(1.25, 1))
    names = {"image_shape": data.image_shape, "class_names": data.class_names}
    curve = ol.plots.LearningCurveDisplay.from_estimator(model)
    curve.plot(figure.add_subplot(grid[0, 0]))
    # The start, far above, would flatten what follows.
    curve.axes_[0].set_ylim(top=2 * model.result_.objective)
    curve.axes_[1].set_ylim(bottom=0.7)
    weights = ol.plots.WeightsDisplay.from_estimator(model, **names)
    weights.plot(figure.add_subplot(grid[0, 1]))
    wrong = ol.plots.PredictionsDisplay.from_estimator(
        model, data.X_test, data.y_test, **names, which="first", n=20
    )
    wrong.plot(figure.add_subplot(grid[1, :]))
    accuracy = model.score(data.X_test, data.y_test)
    figure.suptitle(
        f"Softmax regression on {data.name}: certified within {model.certificate_.relative_gap:.0e} (relative) "
        f"of the best possible objective, test accuracy {accuracy:.1%}",
        fontsize=12,
    )
    return figure


def main():
    data = load()
    model = fit(data)
    print(model.certificate_, model.result_.seconds)
    figure = draw(model, data)
    figure.savefig(PICTURE, dpi=130, metadata={"Software": None})
    print(PICTURE, f"{PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
