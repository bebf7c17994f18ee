"""The layers, and how they are written down as plain data."""

from typing import Any

from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from .activation_layers import ELU as ELU
from .activation_layers import Activation as Activation
from .activation_layers import ActivityRegularization as ActivityRegularization
from .activation_layers import Identity as Identity
from .activation_layers import Lambda as Lambda
from .activation_layers import LeakyReLU as LeakyReLU
from .activation_layers import Masking as Masking
from .activation_layers import PReLU as PReLU
from .activation_layers import ReLU as ReLU
from .activation_layers import Softmax as Softmax
from .attention import AdditiveAttention as AdditiveAttention
from .attention import Attention as Attention
from .attention import GroupedQueryAttention as GroupedQueryAttention
from .attention import GroupQueryAttention as GroupQueryAttention
from .attention import MultiHeadAttention as MultiHeadAttention
from .conv import Conv1D as Conv1D
from .conv import Conv1DTranspose as Conv1DTranspose
from .conv import Conv2D as Conv2D
from .conv import Conv2DTranspose as Conv2DTranspose
from .conv import Conv3D as Conv3D
from .conv import Conv3DTranspose as Conv3DTranspose
from .conv import DepthwiseConv1D as DepthwiseConv1D
from .conv import DepthwiseConv2D as DepthwiseConv2D
from .conv import SeparableConv1D as SeparableConv1D
from .conv import SeparableConv2D as SeparableConv2D
from .dense import Dense as Dense
from .dropout import AlphaDropout as AlphaDropout
from .dropout import Dropout as Dropout
from .dropout import GaussianDropout as GaussianDropout
from .dropout import GaussianNoise as GaussianNoise
from .dropout import SpatialDropout1D as SpatialDropout1D
from .dropout import SpatialDropout2D as SpatialDropout2D
from .dropout import SpatialDropout3D as SpatialDropout3D
from .einsum_dense import EinsumDense as EinsumDense
from .embedding import Embedding as Embedding
from .input_layer import Input as Input
from .input_layer import InputLayer as InputLayer
from .input_spec import InputSpec as InputSpec
from .layer import Layer as Layer
from .merging import Add as Add
from .merging import Average as Average
from .merging import Concatenate as Concatenate
from .merging import Dot as Dot
from .merging import Maximum as Maximum
from .merging import Minimum as Minimum
from .merging import Multiply as Multiply
from .merging import Subtract as Subtract
from .merging import add as add
from .merging import average as average
from .merging import concatenate as concatenate
from .merging import dot as dot
from .merging import maximum as maximum
from .merging import minimum as minimum
from .merging import multiply as multiply
from .merging import subtract as subtract
from .normalization import BatchNormalization as BatchNormalization
from .normalization import GroupNormalization as GroupNormalization
from .normalization import LayerNormalization as LayerNormalization
from .normalization import RMSNormalization as RMSNormalization
from .normalization import UnitNormalization as UnitNormalization
from .pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
from .pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
from .pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
from .pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
from .pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
from .pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
from .pooling import AveragePooling1D as AveragePooling1D
from .pooling import AveragePooling2D as AveragePooling2D
from .pooling import AveragePooling3D as AveragePooling3D
from .pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from .pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from .pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from .pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from .pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from .pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from .pooling import MaxPooling1D as MaxPooling1D
from .pooling import MaxPooling2D as MaxPooling2D
from .pooling import MaxPooling3D as MaxPooling3D
from .recurrent import GRU as GRU
from .recurrent import LSTM as LSTM
from .recurrent import GRUCell as GRUCell
from .recurrent import LSTMCell as LSTMCell
from .recurrent import SimpleRNN as SimpleRNN
from .recurrent import SimpleRNNCell as SimpleRNNCell
from .reshaping import Cropping1D as Cropping1D
from .reshaping import Cropping2D as Cropping2D
from .reshaping import Cropping3D as Cropping3D
from .reshaping import Flatten as Flatten
from .reshaping import Permute as Permute
from .reshaping import RepeatVector as RepeatVector
from .reshaping import Reshape as Reshape
from .reshaping import UpSampling1D as UpSampling1D
from .reshaping import UpSampling2D as UpSampling2D
from .reshaping import UpSampling3D as UpSampling3D
from .reshaping import ZeroPadding1D as ZeroPadding1D
from .reshaping import ZeroPadding2D as ZeroPadding2D
from .reshaping import ZeroPadding3D as ZeroPadding3D
from .rnn import RNN as RNN
from .rnn import StackedRNNCells as StackedRNNCells
from .wrappers import Bidirectional as Bidirectional
from .wrappers import SpectralNormalization as SpectralNormalization
from .wrappers import TimeDistributed as TimeDistributed
from .wrappers import Wrapper as Wrapper

MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = ["deserialize", "serialize"]


def serialize(layer: Any) -> Any:
    """A layer as plain data.

    Args:
        layer: the object.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such an object again.

    Example:
        >>> import kerata
        >>> data = kerata.layers.serialize(kerata.layers.ReLU())
        >>> data["class_name"]
        'ReLU'
    """
    return _serialize(layer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A layer from its config.

    Args:
        config: what `serialize` gave.
        custom_objects: name -> class or function of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> data = kerata.layers.serialize(kerata.layers.ReLU())
        >>> type(kerata.layers.deserialize(data)).__name__
        'ReLU'
    """
    return _deserialize(config, custom_objects, kinds=("layers", "models"))
