"""Calls of ops as plain data, in the form in which Keras 3 writes them into a graph.

Keras makes a class of every op: what its constructor takes stands in the config, what its `call` takes (the tensors)
in the arguments of the node. `_CALLS` states the second for each op, and the class where its name is not the op's in
camel case; the rest follows from the signatures of Kerata's own ops. What is not in the table cannot be in a file:
above all ops that take functions (`cond`, `map`, `scan`, `while_loop` ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerata.core import dtypes
from kerata.core.declare import DECLARED
from kerata.core.errors import ArgumentError
from kerata.core.graph import OpCall
from kerata.core.tensor import KerasTensor

_PREFIX = "keras.src.ops."

# Module of Keras -> arguments of `call` -> ops.
_CALLS: dict[str, dict[str, str]] = {
    "numpy": {
        "x": """
            absolute all amax amin angle any arccos arccosh arcsin arcsinh arctan arctanh argmax argmin
            argpartition argsort array array_split bincount bitwise_invert bitwise_not broadcast_to cbrt
            ceil clip conjugate copy corrcoef cos cosh count_nonzero cumprod cumsum deg2rad diag
            diagflat diagonal dsplit empty_like exp exp2 expand_dims expm1 fabs flip fliplr flipud floor
            histogram hsplit i0 imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2
            logical_not max mean median min moveaxis nan_to_num nanargmax nanargmin nancumprod nancumsum
            nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar ndim negative nonzero ones_like
            prod ptp rad2deg ravel real reciprocal repeat reshape roll round sign signbit sin sinc sinh
            size slogdet sort split sqrt square squeeze stack std sum swapaxes tan tanh tile trace
            transpose tril triu trunc unique vander var view vsplit zeros_like
        """,
        "x1,x2": """
            add allclose=AllClose append arctan2 correlate cross divide divide_no_nan dot equal
            floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot inner isin=IsIn kron
            lcm ldexp less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor matmul
            maximum minimum mod multiply nextafter not_equal outer power subtract tensordot true_divide
            vdot
        """,
        "x,y": """
            bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift
            right_shift
        """,
        "xs": "concatenate dstack hstack vstack",
        "x,q": "nanpercentile nanquantile percentile quantile",
        "start,stop": "geomspace linspace logspace",
        "x,indices": "take take_along_axis",
        "x,weights": "average",
        "a": "diff",
        "x,bins": "digitize",
        "fill_value": "full",
        "x,fill_value": "full_like",
        "x,key": "get_item",
        "x1,x2,rtol,atol": "isclose",
        "*x": "meshgrid",
        "x,constant_values": "pad",
        "array": "rot90",
        "sorted_sequence,values": "searchsorted=SearchSorted",
        "condlist,choicelist,default": "select",
        "y": "trapezoid",
        "indices": "unravel_index",
        "condition,x1,x2": "where",
        "*operands": "einsum",
        "start,stop,step": "arange",
    },
    "nn": {
        "x": """
            celu depth_to_space elu fold gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh
            leaky_relu log_sigmoid log_softmax moments normalize one_hot relu relu6 selu sigmoid silu
            soft_shrink softmax softplus softsign space_to_depth sparse_plus sparse_sigmoid sparsemax
            squareplus tanh_shrink threshold unfold
        """,
        "inputs": "adaptive_average_pool adaptive_max_pool average_pool max_pool multi_hot",
        "target,output": "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy",
        "inputs,kernel": "conv conv_transpose depthwise_conv",
        "x,mean,variance,offset,scale": "batch_normalization=BatchNorm",
        "inputs,sequence_lengths": "ctc_decode=CTCDecode",
        "target,output,target_length,output_length": "ctc_loss=CTCLoss",
        "query,key,value,bias,mask,scale": "dot_product_attention",
        "x,gamma,beta": "layer_normalization=LayerNorm",
        "abs_,angle": "polar",
        "x1,x2": "psnr=PSNR",
        "x,scale": "rms_normalization=RMSNorm",
        "inputs,depthwise_kernel,pointwise_kernel": "separable_conv",
    },
    "core": {
        "x": "cast convert_to_tensor saturate_cast unstack",
        "indices,values": "scatter",
        "inputs,indices,updates": "scatter_update",
        "inputs,start_indices": "slice",
        "inputs,start_indices,updates": "slice_update",
        "variable": "stop_gradient",
    },
    "math": {
        "x": """
            erf erfc erfinv extract_sequences fft2=FFT2 fft=FFT ifft2=IFFT2 irfft=IRFFT istft=ISTFT
            logdet logsumexp rfft=RFFT rsqrt stft=STFT top_k view_as_complex view_as_real
        """,
        "data,segment_ids": "segment_max segment_min segment_prod segment_sum",
        "x,y": "cdist=CDist",
        "targets,predictions": "in_top_k",
    },
    "linalg": {
        "x": "cholesky cholesky_inverse det eig eigh inv lu_factor matrix_rank norm pinv qr svd=SVD",
        "a,b": "lstsq solve solve_triangular",
    },
    "einops": {
        "tensor,pattern,**axes_lengths": "rearrange",
    },
    "image": {
        "images": """
            crop_images elastic_transform extract_patches gaussian_blur hsv_to_rgb=HSVToRGB pad_images
            resize rgb_to_grayscale=RGBToGrayscale rgb_to_hsv=RGBToHSV sobel_edges
        """,
        "images,transform": "affine_transform",
        "image1,image2": "ssim=SSIM",
        "inputs,coordinates": "map_coordinates",
        "images,start_points,end_points": "perspective_transform",
        "images,output_shape,scale,translation": "scale_and_translate",
    },
}


class Form:
    """How the calls of one op are written."""

    __slots__ = ("class_name", "module", "op", "parameters")

    def __init__(self, op: str, class_name: str, module: str, parameters: tuple[str, ...]) -> None:
        self.op, self.class_name, self.module, self.parameters = op, class_name, module, parameters

    @property
    def key(self) -> str:
        """The name under which Kerata declares the op."""
        return self.op if self.op in DECLARED else _DECLARED_AS.get(self.op, self.op)

    @property
    def names(self) -> list[str]:
        """`parameters` by the names that Kerata's op gives them, which may differ from those in Keras."""
        signature, positional = DECLARED[self.key].signature, DECLARED[self.key].positional
        return [
            name if name.startswith("*") or name in signature.parameters else str(positional[i])
            for i, name in enumerate(self.parameters)
        ]


def _forms() -> dict[str, Form]:
    forms = {}
    for module, calls in _CALLS.items():
        for parameters, ops in calls.items():
            for entry in ops.split():
                op, _, class_name = entry.partition("=")
                class_name = class_name or "".join(part.capitalize() for part in op.split("_"))
                forms[op] = Form(op, class_name, _PREFIX + module, tuple(parameters.split(",")))
    return forms


FORMS = _forms()
_BY_CLASS = {form.class_name: form for form in FORMS.values()}
# Ops that are others under a second name: Keras writes the first.
_ALIASES = {"abs": "absolute", "conj": "conjugate", "swish": "silu", "hard_swish": "hard_silu"}
# Ops that Kerata declares under another name than the public one.
_DECLARED_AS = {"get_item": "getitem", "size": "size_of", "stop_gradient": "stop_gradient_node"}
_ALIASES.update({declared: op for op, declared in _DECLARED_AS.items()})
# Not ops in Kerata: they give a symbolic tensor as it is, or cast.
_CONVERSIONS = ("convert_to_tensor", "array")
# Ops that give a tensor for each part, and how many parts a file may ask one for.
_CUTTING = frozenset(("array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"))
MOST_PARTS = 10_000
_AXES = frozenset(("axes", "axis", "destination", "newshape", "shape", "source"))
_MOST_AXES = 64  # NumPy's own limit
_MOST_STEPS = 100  # of an op that is made of as many steps as a number says
# Operators that are one op on bool and another on integers.
_BY_DTYPE = {
    "logical_or_bitwise_and": ("logical_and", "bitwise_and"),
    "logical_or_bitwise_or": ("logical_or", "bitwise_or"),
    "logical_or_bitwise_xor": ("logical_xor", "bitwise_xor"),
    "logical_or_bitwise_not": ("logical_not", "bitwise_not"),
}


def is_op(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a graph is the call of an op, not a layer."""
    module = entry.get("module")
    if module is not None:
        return isinstance(module, str) and module.startswith(_PREFIX)
    # Older files name no modules, and some layers are called as ops are; only layers can be trained.
    config = entry.get("config")
    return entry.get("class_name") in _BY_CLASS and isinstance(config, Mapping) and "trainable" not in config


def form_of(entry: Mapping[str, Any]) -> Form | None:
    """The form of the op that an entry of a graph names, or None if no file may name it."""
    class_name = entry.get("class_name")
    form = _BY_CLASS.get(class_name) if isinstance(class_name, str) else None
    return form if form is not None and (form.key in DECLARED or form.op in _CONVERSIONS) else None


def describe_call(
    op: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], name: str
) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """The entry of a call in a graph, and the arguments and keyword arguments of its node.

    Raises:
        ArgumentError: if such a call cannot stand in a file.
    """
    if op in _BY_DTYPE:
        op = _BY_DTYPE[op][all(dtypes.is_int(x.dtype) for x in args if isinstance(x, KerasTensor))]
    op = _ALIASES.get(op, op)
    if op == "extract_patches_3d":
        op, args, kwargs = "extract_patches", _three_sizes(args, kwargs), {}
    form = FORMS.get(op)
    if form is None or form.key not in DECLARED:
        raise ArgumentError(
            "model",
            expected="made of operations that a file can name",
            got=f"a call of ops.{op}",
            fix="Put the call into a layer of your own and register it.",
        )
    signature = DECLARED[form.key].signature
    bound, parameters = signature.bind(*args, **kwargs), signature.parameters
    bound.apply_defaults()
    values = dict(bound.arguments)
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in form.names:
        value = values.pop(parameter.lstrip("*"), None)
        if parameter.startswith("**"):
            keywords.update(value or {})
        elif parameter.startswith("*"):
            positional.extend(value or ())
        else:
            positional.append(value)
    _drop_defaults(positional, form, parameters)
    config = {"name": name}
    for key, value in values.items():
        if parameters[key].kind is parameters[key].VAR_KEYWORD:
            config.update(value)
        else:
            config[key] = value
    entry = {
        "module": form.module,
        "class_name": form.class_name,
        "config": config,
        "registered_name": form.class_name,
    }
    return entry, positional, keywords


def _three_sizes(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments of `extract_patches_3d` as those of `extract_patches`, which tells volumes by their three sizes."""
    bound = DECLARED["extract_patches_3d"].signature.bind(*args, **kwargs)
    bound.apply_defaults()
    volumes, size, *rest = bound.args
    return volumes, size if isinstance(size, (tuple, list)) else (size,) * 3, *rest


def _drop_defaults(positional: list[Any], form: Form, parameters: Mapping[str, Any]) -> None:
    """Takes arguments off the end that are what they would be anyway."""
    names = form.names
    while positional and len(positional) == len(names) and not names[-1].startswith("*"):
        default = parameters[names[-1]].default
        if positional[-1] is not default:
            return
        positional.pop()
        names = names[:-1]


def parse_call(
    form: Form, config: Mapping[str, Any], args: list[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict]:
    """Arguments and keyword arguments with which Kerata's op is called, from an entry's config and its node.

    Raises:
        ArgumentError: if the op takes no such arguments.
    """
    parameters = DECLARED[form.key].signature.parameters
    values: dict[str, Any] = {}
    rest: list[Any] = []
    names = form.names
    kwargs = {names[form.parameters.index(k)] if k in form.parameters else k: v for k, v in kwargs.items()}
    for value in args:
        if names and not names[0].startswith("*"):
            values[names.pop(0)] = value
        else:
            rest.append(value)
    if rest and not (names and not names[0].startswith("**")):
        raise ArgumentError(
            "args", expected=f"at most {len(form.parameters)} values for {form.class_name}", got=len(args)
        )
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key, value in [*kwargs.items(), *((k, as_tuples(v)) for k, v in config.items() if k != "name")]:
        if key in values:
            raise ArgumentError(key, expected=f"given once to {form.class_name}", got=value)
        if key not in parameters and not takes_any:
            if value is None or value is False:  # an option that Kerata's op does not have, and that is off
                continue
            raise ArgumentError(key, expected=f"an argument of {form.class_name}", got=value)
        values[key] = value
    if form.op == "get_item" and isinstance(values.get("key"), list):
        values["key"] = tuple(values["key"])  # JSON has no tuples; a list as an index is none of Keras's
    return _ordered(parameters, values, rest)


def make_call(
    form: Form, name: str, config: Mapping[str, Any], args: list[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Makes the call that an entry and its node describe, on symbolic tensors; gives its outputs.

    Raises:
        ArgumentError: if the op takes no such arguments.
    """
    if form.key not in DECLARED:
        if len(args) != 1 or not isinstance(args[0], KerasTensor):
            raise ArgumentError("args", expected=f"one tensor for {form.class_name}", got=args)
        dtype = config.get("dtype")
        return args[0] if dtype in (None, args[0].dtype) else OpCall("cast", name)(args[0], dtype)
    given, options = parse_call(form, config, args, kwargs)
    _check_sizes(form, given, options)
    return OpCall(form.key, name)(*given, **options)


def _check_sizes(form: Form, given: list[Any], options: dict[str, Any]) -> None:
    """Refuses calls whose numbers cost more than the tensors that they describe: symbolic ones are free of charge,
    but each axis of a shape, each tensor and each step takes memory and time."""
    values = dict(zip(DECLARED[form.key].signature.parameters, given)) | options
    for name in _AXES.intersection(values):
        if isinstance(values[name], (list, tuple)) and len(values[name]) > _MOST_AXES:
            raise ArgumentError(
                name, expected=f"of at most {_MOST_AXES} axes", got=f"{len(values[name])} of them"
            )
    steps = values.get("n") if form.op == "diff" else None
    if isinstance(steps, int) and steps > _MOST_STEPS:
        raise ArgumentError("n", expected=f"at most {_MOST_STEPS}", got=steps)
    if form.op not in _CUTTING:
        return
    parts = values.get("indices_or_sections", values.get("num"))
    if parts is None and form.op == "unstack":
        shape, axis = getattr(values.get("x"), "shape", ()), values.get("axis", 0)
        parts = shape[axis] if isinstance(axis, int) and -len(shape) <= axis < len(shape) else None
    if isinstance(parts, int) and parts > MOST_PARTS:
        raise ArgumentError("args", expected=f"at most {MOST_PARTS} parts for {form.class_name}", got=parts)


def _ordered(
    parameters: Mapping[str, Any], values: dict[str, Any], rest: list[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The values in the order of the parameters as far as that goes, the others by name."""
    positional: list[Any] = []
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(rest)
            break
        if name not in values or parameter.kind is parameter.KEYWORD_ONLY:
            break
        positional.append(values.pop(name))
    return positional, values


def as_tuples(value: Any) -> Any:
    """Lists as tuples, which shapes and axes are in code."""
    return tuple(as_tuples(v) for v in value) if isinstance(value, list) else value
