"""A small image set in the four IDX files, and a change of the mirrors that serve it."""

import dataclasses
import gzip
import hashlib

import numpy as np

from onelayer.data import images


def idx(array):
    """Return the bytes of an IDX file."""
    array = np.asarray(array, np.uint8)
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


PIXELS = np.arange(4 * 6).reshape(4, 2, 3) * 10
CONTENT = {
    "train-images-idx3-ubyte": idx(PIXELS),
    "train-labels-idx1-ubyte": idx([3, 1, 4, 1]),
    "t10k-images-idx3-ubyte": idx(PIXELS[:1]),
    "t10k-labels-idx1-ubyte": idx([9]),
}
ZIPPED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENT.items()}


def write(folder, content=ZIPPED):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def mirrors(monkeypatch, *addresses):
    sha256 = tuple(hashlib.sha256(ZIPPED[f"{file}.gz"]).hexdigest() for file in images.FILES)
    for name, image_set in images.IMAGE_SETS.items():
        replaced = dataclasses.replace(image_set, mirrors=addresses, sha256=sha256)
        monkeypatch.setitem(images.IMAGE_SETS, name, replaced)
