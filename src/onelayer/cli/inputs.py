"""Data as the commands need them."""

import sys

__all__ = ["load_for_model", "note", "open_for_model", "stream_for_model"]


def note(sentence):
    """Tell the person at the terminal something, beside the results."""
    print(f"onelayer: {sentence}", file=sys.stderr)  # noqa: T201


def open_for_model(model_dir, data, memory_limit=None):
    """Return (model, an iterable of X, which part of the data): blocks of a stream, or the whole of what is loaded."""
    import onelayer as ol
    from onelayer.estimators.blockwise import blocks_of

    model = ol.load(model_dir)
    stream = stream_for_model(model, model_dir, data, memory_limit)
    if stream is None:
        X, _, part = load_for_model(model, model_dir, data)
        return model, [X], part
    return model, (block.X for _, block in blocks_of(model, stream)), "all rows"


def stream_for_model(model, model_dir, data, memory_limit=None):
    """Return the Stream of data that are not to be loaded as a whole, or None."""
    from onelayer.cli.streams import open_if_large

    encoder = getattr(model, "columns_", None)
    if data.lower().endswith(".parquet"):
        encoder = _encoder_of(model, model_dir, data)
    return open_if_large(data, memory_limit, encoder=encoder, features=model.n_features_in_)


def _encoder_of(model, model_dir, data):
    """Return how the columns of a table become the features of a model."""
    from onelayer.data import ColumnEncoder
    from onelayer.data.encoder import Column
    from onelayer.errors import DataError

    encoder = getattr(model, "columns_", None)
    if encoder is not None:
        return encoder
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise DataError(
            f"the model in {model_dir} was fitted on arrays without column names, so the columns of {data} cannot "
            "be told apart: give a .npy or .npz file."
        )
    return ColumnEncoder(tuple(Column(str(name)) for name in names), "target")


def load_for_model(model, model_dir, data):
    """Return (X, y or None, which part of the data) for a saved model and a data source.

    A named set that brings a test part gives that one: the rest was probably trained on.
    """
    import onelayer as ol
    from onelayer.errors import DataError

    is_table = data.lower().endswith((".csv", ".parquet"))
    encoder = _encoder_of(model, model_dir, data) if is_table else None
    loaded = ol.data.load(data, encoder=encoder, features=model.n_features_in_)
    tested = loaded.X_test is not None
    X, y = (loaded.X_test, loaded.y_test) if tested else (loaded.X, loaded.y)
    if X.shape[1] != model.n_features_in_:
        raise DataError(
            f"{data} has {X.shape[1]} features and the model in {model_dir} was fitted with {model.n_features_in_}: "
            "give data with the same columns."
        )
    return X, y, "test part" if tested else "all rows"
