"""HDF5 files of weights: a strict reader of our own, and a writer over h5py."""

from .file import Attributes as Attributes
from .file import Dataset as Dataset
from .file import Hdf5File as Hdf5File
from .file import open_hdf5 as open_hdf5
from .writer import Hdf5Writer as Hdf5Writer
