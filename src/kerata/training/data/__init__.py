"""Data for `fit`, `evaluate` and `predict`: from whatever users hand in to batches of arrays."""

from .batches import as_batches as as_batches
from .packing import pack_x_y_sample_weight as pack_x_y_sample_weight
from .packing import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from .prefetch import prefetched as prefetched
from .py_dataset import PyDataset as PyDataset
from .source import BatchSource as BatchSource
from .split import split_validation as split_validation
