"""The layers."""

from .dense import Dense as Dense
from .input_layer import Input as Input
from .input_layer import InputLayer as InputLayer
from .input_spec import InputSpec as InputSpec
from .layer import Layer as Layer
