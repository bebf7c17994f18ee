"""Dtype policies: in which dtype a layer computes and in which it keeps its variables."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kerata.core import config, dispatch, dtypes
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.tensor import OPS

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_NAMES = '"mixed_float16", "mixed_bfloat16" or the name of a dtype such as "float32"'


@register_builtin("policies")
class DTypePolicy:
    """In which dtype a layer computes and in which it keeps its variables.

    Args:
        name: a dtype for both, or "mixed_float16" or "mixed_bfloat16": variables in float32, computation in 16 bits,
            which is faster and smaller where the hardware has 16-bit units. None means the default policy.

    Raises:
        ArgumentError: if `name` is no policy.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        self._name = name
        self._compute_dtype, self._variable_dtype = _parse(name)

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Dtype that float inputs and variables are cast to for the computation."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the weights are quantized, or None."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x` as a layer's input: arrays become tensors, floats are cast to `dtype` if `autocast`, the rest is left."""
        if isinstance(x, np.ndarray):
            x = OPS["convert_to_tensor"](x)
        elif not dispatch.is_tensor(x):
            return x
        dtype, found = dtypes.standardize(dtype), dispatch.dtype_of(x)
        if autocast and found != dtype and dtypes.is_float(found):
            return OPS["cast"](x, dtype)
        return x

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, ready for JSON."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A policy from what `get_config` gave."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


def _parse(name: Any) -> tuple[str, str]:
    """Compute and variable dtype of the policy called `name`."""
    if not isinstance(name, str):
        raise ArgumentError("name", expected=f"a string: {_NAMES}", got=name)
    if name in _MIXED:
        return _MIXED[name], "float32"
    if name in dtypes.ALLOWED:
        return name, name
    raise ArgumentError("name", expected=_NAMES, got=name)


@register_builtin("policies")
class FloatDTypePolicy(DTypePolicy):
    """The former name of `DTypePolicy`, kept for old code and old files.

    Example:
        >>> import kerata
        >>> isinstance(kerata.dtype_policies.FloatDTypePolicy("mixed_bfloat16"), kerata.dtype_policies.DTypePolicy)
        True
    """


# --- Quantized weights ------------------------------------------------------------------------------------

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


@register_builtin("policies")
class QuantizedDTypePolicy(DTypePolicy):
    """Weights in few bits, and beside them the dtypes of another policy.

    Args:
        mode: "int8", "int4", "float8", "gptq" or "awq".
        source_name: policy before quantization, such as "float32" or "mixed_bfloat16". None means the default one.

    Example:
        >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
        >>> policy.name, policy.compute_dtype, policy.variable_dtype
        ('int8_from_mixed_bfloat16', 'bfloat16', 'float32')
    """

    _keras_module = "keras.dtype_policies"

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        if source_name is None:
            source_name = getattr(default := dtype_policy(), "_source_name", default.name)
        self._compute_dtype, self._variable_dtype = _parse(source_name)
        self._source_name, self._mode_text = source_name, mode
        self._name = f"{mode}_from_{source_name}"
        self._parse_mode(mode)

    def _parse_mode(self, mode: str) -> None:
        if mode not in QUANTIZATION_MODES:
            raise ArgumentError("mode", expected="one of " + ", ".join(QUANTIZATION_MODES), got=mode)
        self._quantization_mode = mode

    @property
    def quantization_mode(self) -> str:
        """How the weights are quantized."""
        return self._quantization_mode

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._mode_text, "source_name": self._source_name}


@register_builtin("policies")
class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Weights and activations in 8-bit floats, scaled by the largest values seen of late.

    Args:
        mode: "float8".
        source_name: policy before quantization.
        amax_history_length: steps over which the largest absolute value is kept.

    Example:
        >>> import kerata
        >>> kerata.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32").name
        'float8_from_float32'
    """

    _keras_module = "keras.dtype_policies"

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        if isinstance(amax_history_length, bool) or not isinstance(amax_history_length, int):
            raise ArgumentError("amax_history_length", expected="an integer", got=amax_history_length)
        super().__init__(mode, source_name)
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """Steps over which the largest absolute value is kept."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class _GroupedPolicy(QuantizedDTypePolicy):
    """Weights of a few bits, in groups that share a scale."""

    _kind: str
    _bits: tuple[int, ...]

    def _parse_mode(self, mode: str) -> None:
        self.weight_bits, self.group_size = _numbers(mode, self._kind, ("weight_bits", "group_size"))
        if self.weight_bits not in self._bits:
            raise ArgumentError("mode", expected=f"{self._kind} with weight_bits in {self._bits}", got=mode)
        self.mode = self._quantization_mode = self._kind


@register_builtin("policies")
class GPTQDTypePolicy(_GroupedPolicy):
    """Weights of 2, 3, 4 or 8 bits, rounded one after the other by GPTQ (Frantar et al., arXiv:2210.17323).

    Args:
        mode: "gptq/<weight_bits>/<group_size>", such as "gptq/4/128"; a group size of -1 is the whole tensor.
        source_name: policy before quantization.

    Example:
        >>> import kerata
        >>> kerata.dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
        4
    """

    _keras_module = "keras.dtype_policies"

    _kind, _bits = "gptq", (2, 3, 4, 8)


@register_builtin("policies")
class AWQDTypePolicy(_GroupedPolicy):
    """Weights of 4 bits, scaled by what the activations show of their weight by AWQ (Lin et al., arXiv:2306.00978).

    Args:
        mode: "awq/4/<group_size>", such as "awq/4/128"; a group size of -1 is a whole channel.
        source_name: policy before quantization.

    Example:
        >>> import kerata
        >>> kerata.dtype_policies.AWQDTypePolicy("awq/4/128", "float32").group_size
        128
    """

    _keras_module = "keras.dtype_policies"

    _kind, _bits = "awq", (4,)


@register_builtin("policies")
class Int4DTypePolicy(QuantizedDTypePolicy):
    """Weights of 4 bits, in blocks that share a scale.

    Args:
        mode: "int4/<block_size>", such as "int4/128"; a block size of -1 is a whole channel.
        source_name: policy before quantization.

    Example:
        >>> import kerata
        >>> kerata.dtype_policies.Int4DTypePolicy("int4/64", "float32").name
        'int4/64_from_float32'
    """

    _keras_module = "keras.dtype_policies"

    def _parse_mode(self, mode: str) -> None:
        (self.block_size,) = _numbers(mode, "int4", ("block_size",))
        self.mode = self._quantization_mode = "int4"


def _numbers(mode: Any, kind: str, names: tuple[str, ...]) -> list[int]:
    """The numbers of a mode such as "gptq/4/128"; the last one is -1 or positive."""
    expected = "/".join((kind, *(f"<{name}>" for name in names)))
    parts = mode.split("/") if isinstance(mode, str) and len(mode) < 100 else []
    if len(parts) == len(names) + 1 and parts[0] == kind:
        try:
            numbers = [int(part) for part in parts[1:]]
        except ValueError:
            numbers = [0]
        if numbers[-1] == -1 or numbers[-1] > 0:
            return numbers
    raise ArgumentError(
        "mode", expected=f'"{expected}" with integers, the last of them -1 or positive', got=mode
    )


# --- The default policy -----------------------------------------------------------------------------------

_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: the one set, else that of `floatx()`.

    Example:
        >>> import kerata
        >>> kerata.config.dtype_policy().name
        'float32'
    """
    return _global if _global is not None else DTypePolicy(config.floatx())


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the policy of layers made from now on that are given none.

    Example:
        >>> set_dtype_policy("mixed_bfloat16")
        >>> dtype_policy()
        <DTypePolicy "mixed_bfloat16">
        >>> set_dtype_policy("float32")
    """
    global _global
    if isinstance(policy, str):
        policy = from_name(policy)
    if not isinstance(policy, DTypePolicy):
        raise ArgumentError("policy", expected=f"a DTypePolicy, {_NAMES}", got=policy)
    _global = policy


_BY_PREFIX: tuple[tuple[str, type[QuantizedDTypePolicy]], ...] = (
    ("gptq", GPTQDTypePolicy),
    ("awq", AWQDTypePolicy),
    ("int4/", Int4DTypePolicy),
    ("float8", QuantizedFloat8DTypePolicy),
    ("", QuantizedDTypePolicy),
)


def from_name(name: str) -> DTypePolicy:
    """The policy called `name`, such as "mixed_float16" or "int8_from_float32"."""
    mode, found, source = name.partition("_from_")
    if found and mode.startswith(QUANTIZATION_MODES):
        kind = next(kind for prefix, kind in _BY_PREFIX if mode.startswith(prefix))
        return kind(mode, source)
    if name in QUANTIZATION_MODES:
        raise ArgumentError(
            "dtype",
            expected=_NAMES,
            got=name,
            fix=f'For quantized weights write "{name}_from_float32" or call `quantize("{name}")`.',
        )
    return DTypePolicy(name)
