"""Data as the commands need them."""

import sys

__all__ = ["load_for_model", "note"]


def note(sentence):
    """Tell the person at the terminal something, beside the results."""
    print(f"onelayer: {sentence}", file=sys.stderr)  # noqa: T201


def load_for_model(model_dir, data):
    """Return (model, X, y or None, which part of the data) for a saved model and a data source.

    A named set that brings a test part gives that one: the rest was probably trained on.
    """
    import onelayer as ol
    from onelayer.data import ColumnEncoder
    from onelayer.data.encoder import Column
    from onelayer.errors import DataError

    model = ol.load(model_dir)
    encoder = getattr(model, "columns_", None)
    is_table = data.lower().endswith((".csv", ".parquet"))
    if is_table and encoder is None:
        names = getattr(model, "feature_names_in_", None)
        if names is None:
            raise DataError(
                f"the model in {model_dir} was fitted on arrays without column names, so the columns of {data} cannot "
                "be told apart: give a .npy or .npz file."
            )
        encoder = ColumnEncoder(tuple(Column(str(name)) for name in names), "target")
    loaded = ol.data.load(data, encoder=encoder if is_table else None, features=model.n_features_in_)
    tested = loaded.X_test is not None
    X, y = (loaded.X_test, loaded.y_test) if tested else (loaded.X, loaded.y)
    if X.shape[1] != model.n_features_in_:
        raise DataError(
            f"{data} has {X.shape[1]} features and the model in {model_dir} was fitted with {model.n_features_in_}: "
            "give data with the same columns."
        )
    return model, X, y, "test part" if tested else "all rows"
