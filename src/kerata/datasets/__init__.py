"""Small data sets to try a model on."""

from . import digits as digits
