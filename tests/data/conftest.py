"""Files to read, and places to look for them that are not this machine's."""

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from data.imagefiles import mirrors
from onelayer.data import images


@pytest.fixture
def table(tmp_path):
    """Write a CSV file from text or bytes, a Parquet file from a dict of columns."""

    def write(content, name="file"):
        if isinstance(content, dict | pa.Table):
            path = tmp_path / f"{name}.parquet"
            parquet.write_table(pa.table(content), path)
            return path
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Keep the tests away from this machine's own copies, and from the network."""
    monkeypatch.delenv("ONELAYER_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(images, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    mirrors(monkeypatch)
    return tmp_path
