"""Families of elementwise ops: how dtypes are promoted, which samples and words they share.

The ops themselves are in arithmetic, exponential, trigonometry, rounding, comparison, logic and bits.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import direct, op
from kerata.core.dispatch import abstract, dtype_of, in_abstract_run
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, convert_to_tensor, create

TensorLike = Any
Tensor = Any
Declare = Callable[[Callable[..., Any]], Any]
inf, nan = float("inf"), float("nan")

# ---- promotion -----------------------------------------------------------------------------------

_SCALARS = (bool, int, float, complex)


def weak_dtype(x: Any) -> Any:
    """What promotion looks at: a dtype's name, or the type of a Python scalar."""
    return type(x) if type(x) in _SCALARS else dtype_of(x)


def promote(*xs: Any, at_least: Any = None) -> list[Any]:
    """All arguments in their common dtype. A Python scalar beside a tensor stays a scalar."""
    kinds = [weak_dtype(x) for x in xs]
    target = dtypes.result_type(*kinds) if at_least is None else dtypes.result_type(*kinds, at_least)
    return [_scalar_as(x, target) if type(x) in _SCALARS else cast(x, target) for x in xs]


def _scalar_as(x: Any, target: str) -> Any:
    if dtypes.is_complex(target):
        return complex(x)
    if dtypes.is_float(target):
        return float(x)
    if target == "bool":
        return bool(x)
    if not rules.known(abs(x)):  # stands for a size: its value does not matter
        return 1
    if not dtypes.holds(target, x):
        raise ArgumentError(
            "x2", expected=f"in the range of {target}, the dtype of the other argument", got=x
        )
    return int(x)


def to_float(x: Tensor) -> Tensor:
    """Integers and bool as the float that float-valued functions give for them."""
    return cast(x, dtypes.float_for(dtype_of(x)))


def to_real_float(x: Tensor, argument: str = "x") -> Tensor:
    """As `to_float`, where complex numbers have no meaning."""
    return to_float(real_only(x, argument))


def narrow(name: str) -> bool:
    """Whether a floating dtype has fewer than 32 bits."""
    return dtypes.is_float(name) and dtypes.itemsize(name) < 4


def in_float32(body: Callable[..., Any]) -> Callable[..., Any]:
    """Half precision computed in float32 and rounded once, at the end.

    Engines, and compilers even more, differ in what they round between the steps of a composition.
    """

    @functools.wraps(body)
    def run(x: Any, *args: Any, **kwargs: Any) -> Any:
        name = dtypes.float_for(dtype_of(x))
        return (
            cast(body(cast(x, "float32"), *args, **kwargs), name)
            if narrow(name)
            else body(x, *args, **kwargs)
        )

    return run


def widened(*xs: Any) -> tuple[list[Tensor], str]:
    """Tensors of one dtype, half precision as float32, and the name of that dtype."""
    name = dtype_of(xs[0])
    return [cast(x, "float32") for x in xs] if narrow(name) else list(xs), name


def parameter(value: Any, like: Tensor) -> Any:
    """A number as it is; a tensor of one in the dtype of another: its derivative is not lost."""
    if not hasattr(value, "dtype") or isinstance(value, np.generic):
        return float(value)
    return cast(convert_to_tensor(value), dtype_of(like))


def real_only(x: Any, argument: str = "x") -> Any:
    """Refuses complex numbers, which have no order."""
    if dtypes.is_complex(weak_dtype(x)):
        raise ArgumentError(
            argument, expected="real numbers", got=x, fix="Take ops.real(x) or ops.abs(x) first."
        )
    return x


def count_bools(x: Any) -> Any:
    """Bool as int32, where the result is a number; everything else as it is."""
    return cast(x, "int32") if weak_dtype(x) == "bool" else x


def counted(x1: Any, x2: Any, at_least: Any = None) -> list[Any]:
    """`promote`, where two bools count as int32: a bool beside another integer takes that one's dtype."""
    if weak_dtype(x1) in ("bool", bool) and weak_dtype(x2) in ("bool", bool):
        x1, x2 = count_bools(x1), count_bools(x2)
    return promote(x1, x2, at_least=at_least)


def constant(value: Any, dtype: str) -> Tensor:
    """A tensor of known values on the running engine; an abstract one in an abstract run."""
    array = np.asarray(value, dtypes.numpy_dtype(dtype))
    return create(array.shape, dtype, lambda engine: engine.convert(array, dtype))


# ---- words ---------------------------------------------------------------------------------------

_NUMBERS = "numbers of any shape"
_WORDS = {
    "float": (f"{_NUMBERS}; integers and bool become floats.", "A tensor of the shape of `x`."),
    "same": (f"{_NUMBERS}.", "A tensor of the shape and dtype of `x`."),
    "real": ("real numbers of any shape; integers and bool become floats.", "A tensor of the shape of `x`."),
    "predicate": (f"{_NUMBERS}.", "A bool tensor of the shape of `x`."),
    "pair": (f"{_NUMBERS}.", "A tensor of the broadcast shape, in the common dtype."),
    "float pair": (f"{_NUMBERS}; integers and bool become floats.", "A tensor of the broadcast shape, in the common dtype."),
    "comparison": (f"{_NUMBERS}.", "A bool tensor of the broadcast shape."),
    "integers": ("integers of any shape.", "A tensor of the broadcast shape, in the common dtype."),
}  # fmt: skip


def as_tensors(*xs: Any) -> list[Tensor]:
    """Promoted arguments with the Python scalars among them made tensors."""
    name = next(dtype_of(x) for x in xs if type(x) not in _SCALARS)
    return [constant(x, name) if type(x) in _SCALARS else x for x in xs]


def here(x: Any) -> Tensor:
    """A tensor-like value for the running body: a tensor, or its shape and dtype in an abstract run."""
    return abstract(x) if in_abstract_run() else convert_to_tensor(x)


def describe_family(doc: Callable[..., Any], kind: str) -> str:
    """The docstring of a member of a family: its own words, with the arguments that all members share."""
    text = inspect.getdoc(doc) or ""
    if "Args:" in text:
        return text
    what, result = _WORDS[kind]
    names = list(inspect.signature(doc).parameters)
    lines = ["Args:", f"    {names[0]}: {what}"]
    if len(names) > 1:
        lines.append(f"    {names[1]}: numbers of a shape that broadcasts with that of `{names[0]}`.")
    lines += ["", "Returns:", f"    {result}", ""]
    if len(names) > 1:
        lines += ["Raises:", "    ArgumentError: the shapes do not broadcast.", ""]
    head, example, tail = text.partition("Example:")
    return "\n".join([head.rstrip(), "", *lines, *([example + tail] if example else [])]).rstrip() + "\n"


def _dress(body: Callable[..., Any], doc: Callable[..., Any], kind: str) -> None:
    body.__name__, body.__qualname__, body.__module__ = doc.__name__, doc.__qualname__, doc.__module__
    body.__doc__ = describe_family(doc, kind)


# ---- samples -------------------------------------------------------------------------------------


def unary_samples(low: float = -2.0, high: float = 2.0) -> tuple[Any, ...]:
    """What a function of one tensor is asked; random values lie in its domain [low, high]."""

    def t(shape: tuple[int, ...], dtype: str = "float32") -> T:
        return T(shape, dtype, low, high)

    return (
        sample(t((2, 3))), sample(t(())), sample(t((0, 2))), sample(values(0.0, -0.0, inf, -inf, nan), gradient=False),
        sample(T((3,), "int32", -2, 3), gradient=False), sample(T((3,), "bool"), gradient=False),
        sample(t((2, 3), "float64")), sample(t((4,), "float16"), gradient=False), sample(t((4,), "bfloat16"), gradient=False),
        sample(T((3,), "uint16"), gradient=False), sample(T((2, 2), "int8", -2, 3), gradient=False),
    )  # fmt: skip


def binary_samples(low: float = -2.0, high: float = 2.0) -> tuple[Any, ...]:
    """What a function of two tensors is asked: equal shapes, broadcasting, scalars, mixed dtypes, NaN and inf."""

    def t(shape: tuple[int, ...], dtype: str = "float32") -> T:
        return T(shape, dtype, low, high)

    return (
        sample(t((2, 3)), t((2, 3))), sample(t((2, 3)), t((3,))), sample(t((2, 1)), t((1, 3))), sample(t((0, 3)), t((3,))),
        sample(t((2, 3)), 2.0), sample(3, t((2,))), sample(t((3,), "int32"), t((3,), "int8"), gradient=False),
        sample(t((3,), "int32"), t((3,)), gradient=False), sample(T((3,), "bool"), T((3,), "bool"), gradient=False),
        sample(t((2, 3), "float64"), t((2, 3), "float64")), sample(t((3,), "float16"), t((3,)), gradient=False),
        sample(values(0.0, inf, -inf, nan, 1.0), values(0.0, inf, inf, 1.0, nan), gradient=False),
        sample(T((3,), "uint32", high=9), T((3,), "uint16", high=9), gradient=False),
        sample(T((2, 3), "bool"), T((3,), "int8", 1, 5), gradient=False),
        sample(t((3,), "bfloat16"), t((2, 1), "float16"), gradient=False),
    )  # fmt: skip


INTEGER_SAMPLES = (
    sample(T((2, 3), "int32", 0, 9), T((2, 3), "int32", 0, 9)), sample(T((2, 1), "int64", -9, 9), T((3,), "int32", 0, 9)),
    sample(T((3,), "uint8"), T((3,), "uint8")), sample(T((3,), "int8", -9, 9), 3), sample(T((0,), "int32"), T((), "int32")),
    sample(values(0, 1, 65535, 40000, dtype="uint16"), values(65535, 3, 40000, 7, dtype="uint16")),
    sample(T((3,), "bool"), T((3,), "int8", 0, 9)),
)  # fmt: skip
_COMPLEX = (sample(T((3,), "complex64", 0.5, 2.0), gradient=False),)
_COMPLEX_PAIR = (sample(T((3,), "complex64", 0.5, 2.0), T((3,), "complex64", 0.5, 2.0), gradient=False),)

# ---- families ------------------------------------------------------------------------------------


def _unary(
    kind: str, prepare: Callable[[Any], Any] | None, primitive: Callable[..., Tensor], options: dict[str, Any]
) -> Declare:
    domain = options.pop("domain", (-2.0, 2.0))
    extra, way = tuple(options.pop("samples", ())), options.pop("direct_way", None)

    def declare(doc: Callable[..., Any]) -> Any:
        def body(x: TensorLike) -> Tensor:
            return primitive(x if prepare is None else prepare(x))

        _dress(body, doc, kind)
        call = direct(way or primitive.__name__, 1)
        return op(body, samples=(*unary_samples(*domain), *extra), call=call, **options)

    return declare


def unary_float(primitive: Callable[..., Tensor], complex: bool = True, **options: Any) -> Declare:
    """A family: float-valued, elementwise; integers and bool become floats first."""
    if not complex:
        options["rejects"] = (rejects(T((2,), "complex64"), argument="x"),)
        return _unary("real", to_real_float, primitive, options)
    options["samples"] = (*_COMPLEX, *options.get("samples", ()))
    return _unary("float", to_float, primitive, options)


def unary_same(
    primitive: Callable[..., Tensor], prepare: Callable[[Any], Any] | None = None, **options: Any
) -> Declare:
    """A family: elementwise, in the dtype of the argument."""
    return _unary("same", prepare, primitive, options)


def binary(
    primitive: Callable[..., Tensor],
    at_least: Any = None,
    complex: bool = True,
    count: bool = False,
    direct_way: str | None = None,
    **options: Any,
) -> Declare:
    """A family: elementwise with broadcasting, in the common dtype (of at least kind `at_least`).

    `count`: two bools count as int32. `direct_way` names the primitive that floats go to, where `primitive` is a
    composition; empty, there is none.
    """
    domain = options.pop("domain", (-2.0, 2.0))
    extra = (*options.pop("samples", ()), *(_COMPLEX_PAIR if complex else ()))
    refused = [rejects(T((2, 3)), T((2, 4)), argument="x2")]
    if not complex:
        refused.append(rejects(T((2,)), T((2,), "complex64"), argument="x2"))

    def declare(doc: Callable[..., Any]) -> Any:
        def body(x1: TensorLike, x2: TensorLike) -> Tensor:
            if not complex:
                real_only(x1, "x1"), real_only(x2, "x2")
            return primitive(*(counted if count else promote)(x1, x2, at_least=at_least))

        _dress(body, doc, "float pair" if at_least is float else "pair")
        way = primitive.__name__ if direct_way is None else direct_way
        call = direct(way, 2) if way else None
        samples = (*binary_samples(*domain), *extra)
        return op(body, samples=samples, rejects=refused, weak=True, call=call, **options)

    return declare


def comparison(primitive: Callable[..., Tensor], order: bool = True, **options: Any) -> Declare:
    """A family: two tensors compared in their common dtype; complex numbers only for equality."""
    refused = [rejects(T((2, 3)), T((2, 4)), argument="x2")]
    if order:
        refused.append(rejects(T((2,), "complex64"), T((2,)), argument="x1"))
    extra = () if order else _COMPLEX_PAIR

    def declare(doc: Callable[..., Any]) -> Any:
        def body(x1: TensorLike, x2: TensorLike) -> Tensor:
            if order:
                real_only(x1, "x1"), real_only(x2, "x2")
            if _beyond(x1, x2) or _beyond(x2, x1):  # float64 tells them apart
                x1, x2 = (float(x) if type(x) is int else cast(x, "float64") for x in (x1, x2))
            a, b = promote(x1, x2)
            if order and weak_dtype(a) in ("bool", bool):  # engines have no order of bools
                a, b = _as_int(a), _as_int(b)
            return primitive(a, b)

        _dress(body, doc, "comparison")
        call = direct(primitive.__name__, 2)
        samples = (*binary_samples(), *extra)
        return op(
            body, samples=samples, rejects=refused, weak=True, call=call, differentiable=False, **options
        )

    return declare


def _as_int(x: Any) -> Any:
    return int(x) if type(x) in _SCALARS else cast(x, "int32")


def predicate(primitive: Callable[..., Tensor], otherwise: bool, **options: Any) -> Declare:
    """A family: a question about floats, whose answer for integers and bool is always `otherwise`."""

    def declare(doc: Callable[..., Any]) -> Any:
        def body(x: TensorLike) -> Tensor:
            name = dtype_of(x)
            if dtypes.is_complex(name):
                a, b = primitive(p.real(x)), primitive(p.imag(x))
                return p.logical_and(a, b) if otherwise else p.logical_or(a, b)
            if dtypes.is_float(name):
                return primitive(x)
            return p.eq(x, x) if otherwise else p.ne(x, x)

        _dress(body, doc, "predicate")
        samples = (*unary_samples(), *_COMPLEX)
        return op(body, samples=samples, call=direct(primitive.__name__, 1), differentiable=False, **options)

    return declare


def integers_only(*xs: Any, names: Sequence[str], bools: bool = True) -> None:
    """Refuses everything but integers (and bool)."""
    for x, name in zip(xs, names, strict=True):
        kind = weak_dtype(x)
        if kind is int or dtypes.is_int(kind) or (bools and dtypes.is_bool(kind)):
            continue
        raise ArgumentError(name, expected="integers", got=x, fix='Cast it with ops.cast(x, "int32").')


def whole(a: Any, b: Any, argument: str) -> tuple[Any, Any]:
    """A promoted pair of integers; there is no integer dtype for uint64 beside a signed one."""
    if dtypes.is_float(weak_dtype(b if type(a) in _SCALARS else a)):
        raise ArgumentError(
            argument, expected="of a dtype that has an integer dtype in common with the other argument", got=b
        )
    return a, b


def _beyond(x: Any, c: Any) -> bool:
    """Whether a Python integer is out of the range of an integer tensor's dtype."""
    if type(c) is not int or not dtypes.is_int(weak_dtype(x)):
        return False
    limits = dtypes.iinfo(weak_dtype(x))
    return not limits.min <= c <= limits.max


def bitwise(primitive: Callable[..., Tensor], bools: bool = True, **options: Any) -> Declare:
    """A family: two integer tensors, in their common dtype."""

    def declare(doc: Callable[..., Any]) -> Any:
        def body(x: TensorLike, y: TensorLike) -> Tensor:
            integers_only(x, y, names=("x", "y"))
            try:
                a, b = (promote if bools else counted)(x, y)
                return primitive(*whole(a, b, "y"))
            except ArgumentError as error:
                if error.argument == "x2":  # the shape rule's name for the second one
                    error.argument = "y"
                raise

        _dress(body, doc, "integers")
        refused = [
            rejects(T((2,), "int32"), T((3,), "int32"), argument="y"),
            rejects(T((2,)), T((2,)), argument="x"),
        ]
        samples = options.pop("samples", INTEGER_SAMPLES)
        return op(body, samples=samples, rejects=refused, weak=True, differentiable=False, **options)

    return declare
