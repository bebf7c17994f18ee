"""Writes HDF5 files of weights, as Keras lays them out, with a checksum beside each array."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerata.saving.hdf5.file import CHECKSUM, NAMED_DTYPES
from kerata.saving.hdf5.types import raw_bytes


class Hdf5Writer:
    """A new HDF5 file at `path`; a context manager that closes it.

    Arrays are stored plainly, one after another: what is read back is what was written, and a reader needs no filter.
    Keras finds what it expects; it does not look at the checksums.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "example.h5"
        >>> with Hdf5Writer(path) as file:
        ...     file.group("layers/dense/vars", name="dense")
        ...     file.array("layers/dense/vars/0", np.ones((2, 3), "float32"))
        >>> from kerata.saving.hdf5 import open_hdf5
        >>> with open_hdf5(path) as file:
        ...     file.datasets["layers/dense/vars/0"].shape
        (2, 3)
    """

    def __init__(self, path: Path) -> None:
        import h5py  # heavy: only for writing

        # The oldest form of the format is h5py's default, and the only one that our reader takes.
        self._file = h5py.File(path, "w", libver=("earliest", "v108"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def group(self, path: str, **attributes: Any) -> None:
        """Makes the group at `path`, its parents too, unless it is there, and sets its attributes."""
        group = self._file.require_group(path)
        for key, value in attributes.items():
            group.attrs[key] = value

    def array(self, path: str, value: np.ndarray) -> None:
        """Stores `value` at `path`. bfloat16 and float8 become raw bytes with their dtype's name beside them."""
        value = np.asarray(value, order="C")
        checksum = zlib.crc32(raw_bytes(value))
        if named := value.dtype.name in NAMED_DTYPES:
            dataset = self._file.create_dataset(path, data=value.view(f"V{value.dtype.itemsize}"))
        else:
            dataset = self._file.create_dataset(path, data=value)
        if named:
            dataset.attrs["dtype"] = value.dtype.name
        dataset.attrs[CHECKSUM] = np.uint32(checksum)
