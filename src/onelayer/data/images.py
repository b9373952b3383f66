"""MNIST and Fashion-MNIST: four IDX files each, found on this machine or downloaded."""

import dataclasses
import os
import pathlib

import numpy as np
import platformdirs

from onelayer.data.dataset import Dataset
from onelayer.data.download import download
from onelayer.data.idx import read_idx
from onelayer.errors import DataError

__all__ = ["IMAGE_SETS", "ImageSet", "find_images", "load_images"]

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
DEBIAN = pathlib.Path("/usr/share/datasets")


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """What is known of a set before its files are here; ``sha256`` is of the ``.gz`` of each of ``FILES``."""

    class_names: tuple[str, ...]
    mirrors: tuple[str, ...]
    sha256: tuple[str, ...]
    megabytes: int
    debian_package: str | None = None


IMAGE_SETS = {
    "fashion-mnist": ImageSet(
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        sha256=(
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        megabytes=30,
        debian_package="dataset-fashion-mnist",
    ),
    "mnist": ImageSet(
        class_names=tuple("0123456789"),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        sha256=(
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        megabytes=12,
    ),
}


def find_images(name: str) -> tuple[pathlib.Path, str] | None:
    """Look for the four files of an image set on this machine; nothing is downloaded.

    Parameters
    ----------
    name : str
        ``"fashion-mnist"`` or ``"mnist"``.

    Returns
    -------
    (folder, phrase) or None
        The phrase says in a few words where the files came from. The folder of the environment variable
        ``ONELAYER_DATA`` comes before the cache of earlier downloads, and that before a Debian package.
    """
    return next((place for place in _places(name) if all(_stored(place[0], file) for file in FILES)), None)


def load_images(name: str, *, progress: bool = True) -> Dataset:
    """Load an image set, downloading it where this machine has no copy.

    Returns
    -------
    Dataset
        ``X`` float32 of shape (n, height * width), the pixels divided by 255; ``y`` int64; with a test part.

    Raises
    ------
    DataError
        If a file is damaged, or there is no copy and no network.
    """
    folder, source = find_images(name) or _downloaded(name, progress)
    images, y = _part(folder, "train")
    test_images, y_test = _part(folder, "t10k")
    return Dataset(
        _pixels(images),
        y,
        _pixels(test_images),
        y_test,
        class_names=list(IMAGE_SETS[name].class_names),
        image_shape=images.shape[1:],
        name=name,
        source=source,
    )


def _places(name):
    if given := os.environ.get("ONELAYER_DATA"):
        root = pathlib.Path(given).expanduser()
        yield root / name, f"{root / name} (ONELAYER_DATA)"
        # Both sets have the same file names: files in or beside a folder named for one are not the other's.
        is_unnamed = root.name not in IMAGE_SETS and not any((root / other).is_dir() for other in IMAGE_SETS)
        if root.name == name or is_unnamed:
            yield root, f"{root} (ONELAYER_DATA)"
    yield _cache(name), "downloaded"
    if package := IMAGE_SETS[name].debian_package:
        yield DEBIAN / name, f"Debian's package {package}"


def _cache(name):
    return pathlib.Path(platformdirs.user_cache_dir("onelayer")) / name


def _stored(folder, file):
    """Return the path of a file, compressed or not, or None."""
    return next((path for path in (folder / f"{file}.gz", folder / file) if path.is_file()), None)


def _downloaded(name, progress):
    image_set, folder = IMAGE_SETS[name], _cache(name)
    files = {f"{file}.gz": sha256 for file, sha256 in zip(FILES, image_set.sha256, strict=True)}
    offline = f"put them into {folder}"
    if image_set.debian_package:
        offline = f"on Debian run apt-get install {image_set.debian_package}"
    way_out = (
        f"set ONELAYER_DATA to a folder with the four IDX files of {name}, {offline}, "
        "or connect to the network (the set 'digits' needs none)"
    )
    download(files, image_set.mirrors, folder, way_out=way_out, progress=progress)
    return folder, "downloaded"


def _part(folder, part):
    images_file, labels_file = (_stored(folder, file) for file in FILES if file.startswith(part))
    images, labels = read_idx(images_file, 3), read_idx(labels_file, 1)
    if len(images) != len(labels):
        raise DataError(
            f"{labels_file} holds {len(labels)} labels for the {len(images)} images of {images_file.name}: "
            "delete both and download them again."
        )
    return images, labels.astype(np.int64)


def _pixels(images):
    return np.divide(images.reshape(len(images), -1), np.float32(255), dtype=np.float32)
