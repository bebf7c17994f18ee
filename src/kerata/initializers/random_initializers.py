"""Initializers that draw: normal and uniform values, scaled by the sizes of the layer, orthogonal bases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import checks, dtypes, rules
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.random import host

from .initializer import Initializer

Tensor = Any
# Standard deviation of a standard normal cut at two: what is drawn is divided by it.
_CUT_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """Draws with a seed: the same values at every call of the same object, as in Keras.

    Args:
        seed: an integer; drawn from the global stream if None.
    """

    def __init__(self, seed: Any = None) -> None:
        self._given_seed = seed
        self._seed = host.draw_seed() if seed is None else seed

    @property
    def seed(self) -> Any:
        """The seed, as it was given."""
        return self._given_seed

    def _move(self, values: np.ndarray, dtype: Any) -> Tensor:
        return ops.convert_to_tensor(values, dtypes.standardize(dtype))


@register_builtin("initializers", "random_normal", "normal")
class RandomNormal(RandomInitializer):
    """Normal values.

    Args:
        mean: mean.
        stddev: standard deviation.
        seed: an integer, or None.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.RandomNormal(1.0, 0.5, seed=1)((100, 100)))
        >>> round(float(w.mean()), 1), round(float(w.std()), 1)
        (1.0, 0.5)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = checks.number("mean", mean), checks.number("stddev", stddev, 0)
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return self._move(
            host.normal(rules.known_shape(shape), self.mean, self.stddev, seed=self._seed), dtype
        )


@register_builtin("initializers", "truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal values, those beyond two standard deviations drawn again.

    Args:
        mean: mean.
        stddev: standard deviation before the cut.
        seed: an integer, or None.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.TruncatedNormal(stddev=0.5, seed=1)((100, 100)))
        >>> bool((abs(w) <= 1.0).all())
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = checks.number("mean", mean), checks.number("stddev", stddev, 0)
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return self._move(
            host.truncated_normal(rules.known_shape(shape), self.mean, self.stddev, seed=self._seed), dtype
        )


@register_builtin("initializers", "random_uniform", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform values in [minval, maxval).

    Args:
        minval: lower bound.
        maxval: upper bound.
        seed: an integer, or None.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.RandomUniform(2.0, 3.0, seed=1)((100, 100)))
        >>> bool(((2.0 <= w) & (w < 3.0)).all())
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval = checks.number("minval", minval), checks.number("maxval", maxval)
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return self._move(
            host.uniform(rules.known_shape(shape), self.minval, self.maxval, seed=self._seed), dtype
        )


@register_builtin("initializers", "variance_scaling")
class VarianceScaling(RandomInitializer):
    """Values whose variance is `scale / n`, with n the number of inputs or outputs of a unit.

    Args:
        scale: factor of the variance.
        mode: "fan_in", "fan_out" or "fan_avg": what n is.
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: an integer, or None.
        input_axes: axes of the weight that count as inputs; the second to last by default.
        output_axes: axes that count as outputs; the last by default.

    Source:
        He et al. 2015, "Delving Deep into Rectifiers", equation 10; Glorot and Bengio 2010, equation 16.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1)((100, 200)))
        >>> round(float(w.std()), 2)  # the root of 2 / 200
        0.1
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        self.scale = checks.number("scale", scale, 0)
        if scale == 0:
            raise ArgumentError("scale", expected="a number above 0", got=scale)
        self.mode = checks.option("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        if distribution == "normal":
            distribution = "truncated_normal"
        self.distribution = checks.option(
            "distribution", distribution, ("truncated_normal", "untruncated_normal", "uniform")
        )
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        shape = rules.known_shape(shape)
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self._move(host.uniform(shape, -limit, limit, seed=self._seed), dtype)
        if self.distribution == "untruncated_normal":
            return self._move(host.normal(shape, 0.0, math.sqrt(variance), seed=self._seed), dtype)
        return self._move(
            host.truncated_normal(shape, 0.0, math.sqrt(variance) / _CUT_STDDEV, seed=self._seed), dtype
        )


def fans(shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None) -> tuple[float, float]:
    """Numbers of inputs and outputs of a unit: kernels are (spatial …, in, out)."""
    if input_axes is not None or output_axes is not None:
        ins, outs = (tuple(a % len(shape) for a in axes or ()) for axes in (input_axes, output_axes))
        rest = math.prod(d for i, d in enumerate(shape) if i not in (*ins, *outs))
        return rest * math.prod(shape[i] for i in ins), rest * math.prod(shape[i] for i in outs)
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    spatial = math.prod(shape[:-2])
    return spatial * shape[-2], spatial * shape[-1]


class _Preset(VarianceScaling):
    """A VarianceScaling with fixed scale, mode and distribution."""

    _scale, _mode, _distribution = 1.0, "fan_avg", "uniform"

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(self._scale, self._mode, self._distribution, seed, input_axes, output_axes)


@register_builtin("initializers", "glorot_uniform")
class GlorotUniform(_Preset):
    """Uniform in ±sqrt(6 / (inputs + outputs)). Source: Glorot and Bengio 2010, equation 16.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.GlorotUniform(seed=1)((100, 200)))
        >>> bool((abs(w) <= (6 / 300) ** 0.5).all())
        True
    """


@register_builtin("initializers", "glorot_normal")
class GlorotNormal(_Preset):
    """Truncated normal of variance 2 / (inputs + outputs). Source: Glorot and Bengio 2010.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.GlorotNormal(seed=1)((100, 200)))
        >>> round(float(w.std()), 2)  # the root of 2 / 300
        0.08
    """

    _distribution = "truncated_normal"


@register_builtin("initializers", "he_uniform")
class HeUniform(_Preset):
    """Uniform in ±sqrt(6 / inputs). Source: He et al. 2015.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.HeUniform(seed=1)((100, 200)))
        >>> bool((abs(w) <= (6 / 100) ** 0.5).all())
        True
    """

    _scale, _mode = 2.0, "fan_in"


@register_builtin("initializers", "he_normal")
class HeNormal(_Preset):
    """Truncated normal of variance 2 / inputs. Source: He et al. 2015, equation 10.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.HeNormal(seed=1)((100, 200)))
        >>> round(float(w.std()), 2)  # the root of 2 / 100
        0.14
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "truncated_normal"


@register_builtin("initializers", "lecun_uniform")
class LecunUniform(_Preset):
    """Uniform in ±sqrt(3 / inputs). Source: LeCun et al. 1998, "Efficient BackProp".

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.LecunUniform(seed=1)((100, 200)))
        >>> bool((abs(w) <= (3 / 100) ** 0.5).all())
        True
    """

    _mode = "fan_in"


@register_builtin("initializers", "lecun_normal")
class LecunNormal(_Preset):
    """Truncated normal of variance 1 / inputs. Source: LeCun et al. 1998.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.LecunNormal(seed=1)((100, 200)))
        >>> round(float(w.std()), 2)  # the root of 1 / 100
        0.1
    """

    _mode, _distribution = "fan_in", "truncated_normal"


@register_builtin("initializers", "orthogonal", "Orthogonal", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """An orthogonal matrix from the QR decomposition of a normal one; more axes are flattened onto the rows.

    Args:
        gain: factor.
        seed: an integer, or None.

    Source:
        Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.Orthogonal(seed=1)((3, 3)))
        >>> (abs(w @ w.T - kerata.ops.convert_to_numpy(kerata.ops.eye(3))) < 1e-5).all().item()
        True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = checks.number("gain", gain)
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        shape = rules.known_shape(shape)
        if len(shape) < 2:
            raise ArgumentError("shape", expected="of two or more axes", got=shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        flat = (max(rows, columns), min(rows, columns))
        normal = np.asarray(host.normal(flat, seed=self._seed), np.float64)
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diagonal(r))  # makes the draw uniform over all orthogonal matrices
        q = q.T if rows < columns else q
        return self._move((self.gain * q).reshape(shape).astype(np.float32), dtype)


OrthogonalInitializer = Orthogonal
