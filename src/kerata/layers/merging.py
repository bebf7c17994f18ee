"""Layers that merge several inputs into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.inference import known_sizes
from kerata.core.registry import register_builtin
from kerata.core.rules import axis_index

from .input_spec import agrees_with
from .layer import Layer, LayerOptions

Tensor = Any


class Merge(Layer):
    """Merges a list of tensors of shapes that broadcast, elementwise."""

    def __init__(self, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        _check_list(inputs)
        _check_shapes(inputs)
        return self.merge(_same_rank(list(inputs)))

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The merged tensor of inputs of one rank."""
        return _fold(self.merge_two, inputs)

    @staticmethod
    def merge_two(a: Tensor, b: Tensor) -> Tensor:
        """What two of the inputs are merged to."""
        return ops.add(a, b)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A place counts where it counts in one of the inputs; an input without a mask counts everywhere."""
        masks = [m for m in previous_mask or () if m is not None]
        if not masks or len(masks) < len(inputs):
            return None
        return _fold(ops.logical_or, masks)


def _check_list(inputs: Any) -> None:
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ArgumentError("inputs", expected="a list of tensors", got=inputs)


def _check_shapes(inputs: Any) -> None:
    """One batch size for all, since rows of different samples do not belong together; sizes that broadcast."""
    shapes = [known_sizes(tuple(ops.shape(x))) for x in inputs]
    rank = max(map(len, shapes))
    filled = [(*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in shapes if s]
    for axis, sizes in enumerate(zip(*filled, strict=True)):
        known = {d for d in sizes if isinstance(d, int) and (d != 1 or axis == 0)}
        if len(known) > 1:
            what = "of one batch size" if axis == 0 else "of shapes that broadcast behind the batch axis"
            raise ArgumentError("inputs", expected=f"tensors {what}", got=f"shapes {shapes}")


def _fold(fn: Callable[[Tensor, Tensor], Tensor], items: list[Tensor]) -> Tensor:
    total = items[0]
    for item in items[1:]:
        total = fn(total, item)
    return total


def _same_rank(inputs: list[Tensor]) -> list[Tensor]:
    """Lower ranks get axes of size 1 behind the batch axis."""
    rank = max(len(ops.shape(x)) for x in inputs)
    out = []
    for x in inputs:
        while len(ops.shape(x)) < rank:
            x = ops.expand_dims(x, 1)
        out.append(x)
    return out


@register_builtin("layers")
class Add(Merge):
    """The sum.

    Example:
        >>> import kerata
        >>> a, b = kerata.Input((2,)), kerata.Input((2,))
        >>> kerata.layers.Add()([a, b]).shape
        (None, 2)
    """


@register_builtin("layers")
class Subtract(Merge):
    """The first minus the second of two tensors.

    Shapes:
        a list of shapes that broadcast -> their common shape

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Subtract()([a, b])).tolist()
        [[-2.0, 2.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        if len(inputs) != 2:
            raise ArgumentError("inputs", expected="a list of 2 tensors", got=f"{len(inputs)} of them")
        return ops.subtract(*inputs)


@register_builtin("layers")
class Multiply(Merge):
    """The product.

    Shapes:
        a list of shapes that broadcast -> their common shape

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Multiply()([a, b])).tolist()
        [[3.0, 8.0]]
    """

    merge_two = staticmethod(ops.multiply)


@register_builtin("layers")
class Average(Merge):
    """The mean.

    Shapes:
        a list of shapes that broadcast -> their common shape

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Average()([a, b])).tolist()
        [[2.0, 3.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        return ops.divide(_fold(ops.add, inputs), len(inputs))


@register_builtin("layers")
class Maximum(Merge):
    """The elementwise maximum.

    Shapes:
        a list of shapes that broadcast -> their common shape

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Maximum()([a, b])).tolist()
        [[3.0, 4.0]]
    """

    merge_two = staticmethod(ops.maximum)


@register_builtin("layers")
class Minimum(Merge):
    """The elementwise minimum.

    Shapes:
        a list of shapes that broadcast -> their common shape

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Minimum()([a, b])).tolist()
        [[1.0, 2.0]]
    """

    merge_two = staticmethod(ops.minimum)


@register_builtin("layers")
class Concatenate(Merge):
    """The tensors one after the other along an axis.

    Args:
        axis: the axis.

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Concatenate()([a, b])).tolist()
        [[1.0, 4.0, 3.0, 2.0]]
    """

    def __init__(self, axis: int = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = checks.integer("axis", axis)

    def call(self, inputs: Any) -> Tensor:
        _check_list(inputs)
        shapes = [known_sizes(tuple(ops.shape(x))) for x in inputs]
        place = axis_index(self.axis, len(shapes[0]), "axis")
        others = [(*s[:place], *s[place + 1 :]) for s in shapes]
        if not all(agrees_with(o, others[0]) for o in others) or len(set(map(len, shapes))) > 1:
            raise ArgumentError(
                "inputs",
                expected=f"tensors of equal sizes, except along axis {place}",
                got=f"shapes {shapes}",
            )
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks one after the other; along the last axis, a place counts where it counts in one of the inputs."""
        if mask is None or all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            shape = ops.shape(x)
            if m is None:
                masks.append(ops.ones(shape, "bool"))
                continue
            while len(ops.shape(m)) < len(shape):
                m = ops.expand_dims(m, -1)
            masks.append(ops.broadcast_to(m, shape))
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)


@register_builtin("layers")
class Dot(Merge):
    """The product of two tensors, summed along an axis of each.

    Args:
        axes: axis, or one for each tensor.
        normalize: whether both are divided by their norm along that axis first: the cosine.

    Example:
        >>> import kerata, numpy as np
        >>> a, b = np.array([[1.0, 4.0]], "float32"), np.array([[3.0, 2.0]], "float32")
        >>> kerata.ops.convert_to_numpy(kerata.layers.Dot(axes=1)([a, b])).tolist()
        [[11.0]]
    """

    def __init__(self, axes: Any, normalize: bool = False, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        if isinstance(axes, (list, tuple)):
            if len(axes) != 2 or not all(isinstance(a, int) for a in axes):
                raise ArgumentError("axes", expected="an integer or two integers", got=axes)
            axes = tuple(axes)
        elif not isinstance(axes, int):
            raise ArgumentError("axes", expected="an integer or two integers", got=axes)
        self.axes, self.normalize = axes, bool(normalize)
        self.supports_masking = True

    def call(self, inputs: Any) -> Tensor:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ArgumentError("inputs", expected="a list of 2 tensors", got=inputs)
        a, b = inputs
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        places = [axis_index(axis, len(ops.shape(x)), "axes") for axis, x in zip(axes, inputs, strict=True)]
        sizes = known_sizes(tuple(ops.shape(x)[i] for x, i in zip(inputs, places, strict=True)))
        if not agrees_with(sizes[:1], sizes[1:]):
            got = f"sizes {list(sizes)}"
            raise ArgumentError("inputs", expected="of one size along the axes of the product", got=got)
        if self.normalize:
            a, b = (ops.normalize(x, axis=i) for x, i in zip((a, b), places, strict=True))
        return batch_dot(a, b, *places)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None


def batch_dot(a: Tensor, b: Tensor, i: int, j: int) -> Tensor:
    """For each sample, the product summed along axis i of `a` and j of `b`; at least one axis remains."""
    letters = "cdefghijklmnopqrstuvwxyz"
    m, n = len(ops.shape(a)), len(ops.shape(b))
    left = ["a", *letters[: m - 1]]
    right = ["a", *letters[m - 1 : m + n - 2]]
    right[j] = left[i]
    result = (
        "a"
        + "".join(c for k, c in enumerate(left) if k not in (0, i))
        + "".join(c for k, c in enumerate(right) if k not in (0, j))
    )
    product = ops.einsum(f"{''.join(left)},{''.join(right)}->{result}", a, b)
    return ops.expand_dims(product, -1) if result == "a" else product


def _function(layer: type[Merge], name: str) -> Callable[..., Tensor]:
    def call(inputs: Any, **kwargs: Any) -> Tensor:
        return layer(**kwargs)(inputs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""`{layer.__name__}` as a function: a new layer called on `inputs`.

    Args:
        inputs: a list of tensors.
        **kwargs: options of the layer.

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.{name}([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape == (2, 3)
        True
    """
    return call


add = _function(Add, "add")
subtract = _function(Subtract, "subtract")
multiply = _function(Multiply, "multiply")
average = _function(Average, "average")
maximum = _function(Maximum, "maximum")
minimum = _function(Minimum, "minimum")


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Tensor:
    """`Concatenate` as a function: a new layer called on `inputs`.

    Args:
        inputs: a list of tensors.
        axis: the axis along which they are joined.
        **kwargs: options of the layer.

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.concatenate([np.ones((2, 3), "float32"), np.ones((2, 1), "float32")]).shape == (2, 4)
        True
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Tensor:
    """`Dot` as a function: a new layer called on `inputs`.

    Args:
        inputs: two tensors.
        axes: the axis that is summed over, or one for each tensor.
        **kwargs: options of the layer.

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.dot([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")], axes=1).shape == (2, 1)
        True
    """
    return Dot(axes=axes, **kwargs)(inputs)
