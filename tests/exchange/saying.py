"""What an error has to be: one sentence of ours, with these words."""

import pytest

from onelayer.errors import OnelayerError


def said(action, *words, kind):
    with pytest.raises(kind) as caught:
        action()
    message = str(caught.value)
    assert isinstance(caught.value, OnelayerError)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in message, message
    assert message.endswith("."), message
    for word in words:
        assert word in message, message
