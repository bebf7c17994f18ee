"""The base class of metrics: state that batches update, and a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from kerata import backends, dtype_policies, initializers, ops
from kerata.core import config
from kerata.core.errors import ArgumentError, StateError
from kerata.core.naming import auto_name, to_snake_case
from kerata.core.scope import StatelessScope, with_values
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.signature import init_parameters
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable, update_all
from kerata.layers.tracking import children

Tensor = Any


class Metric:
    """Measures something over many batches.

    Subclasses make variables with `add_variable` (or `add_weight`), change them in
    `update_state(y_true, y_pred, sample_weight=None)` and compute `result()`.

    Args:
        dtype: dtype of the computation, or a policy.
        name: name of the metric.

    Example:
        >>> import kerata
        >>> class Largest(kerata.Metric):
        ...     def __init__(self, **options):
        ...         super().__init__(**options)
        ...         self.value = self.add_variable((), "zeros")
        ...     def update_state(self, values, sample_weight=None):
        ...         self.value.assign(kerata.ops.maximum(self.value, kerata.ops.max(values)))
        ...     def result(self):
        ...         return self.value.value
        >>> float(Largest()([1.0, 3.0, 2.0]))
        3.0
    """

    _kerata_variables = True
    _kerata_state_kind = "metric"
    _direction: str | None = None  # "up" or "down": where better values lie, for callbacks that monitor it

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise ArgumentError("name", expected="a string", got=name)
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._policy = dtype_policies.get(dtype or config.floatx())
        self.engine = backends.current()
        self._own_variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._policy.compute_dtype

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of the metric's state."""
        scope = (*STATE.name_scope, self.name)
        with (
            setting(engine=self.engine, scope=None, abstract=0, name_scope=scope),
            self.engine.outside_trace(),
        ):
            variable = Variable(
                initializers.get(initializer),
                tuple(shape),
                dtype or self.dtype,
                False,
                aggregation=aggregation,
                name=name,
            )
        variable._first = initializers.get(initializer)  # type: ignore[attr-defined]
        self._own_variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`; zeros by default."""
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state, that of metrics inside included."""
        found: list[Variable] = []
        for child in children(self):
            found += [child] if isinstance(child, Variable) else child.variables
        return found

    @property
    def trainable_variables(self) -> list[Variable]:
        """None: training changes no metric."""
        return []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All of `variables`."""
        return self.variables

    def reset_state(self) -> None:
        """Puts the state back to its first value."""
        for child in children(self):
            if isinstance(child, Variable):
                first = getattr(child, "_first", None)
                child.assign(
                    ops.zeros(child.shape, child.dtype)
                    if first is None
                    else first(child.shape, dtype=child.dtype)
                )
            else:
                child.reset_state()

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes one batch in."""
        raise StateError(f"The metric class {type(self).__name__} must define `update_state`.")

    def result(self) -> Any:
        """The value over the batches so far."""
        raise StateError(f"The metric class {type(self).__name__} must define `result`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    # ---- stateless -------------------------------------------------------------------------------
    def stateless_update_state(
        self, metric_variables: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """`update_state` as a pure function of the values of `variables`."""
        with self._with_values(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Tensor]) -> Any:
        """`result` as a pure function of the values of `variables`."""
        with self._with_values(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """The first values of `variables`."""
        with StatelessScope() as scope:
            self.reset_state()
        return [scope.get_current_value(v) for v in self.variables]

    def _with_values(self, values: Sequence[Tensor]) -> StatelessScope:
        return with_values(("metric_variables", self.variables, values))

    def _move(self, engine: Any) -> None:
        self.engine = engine
        for v in self.variables:
            v.move(engine)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such a metric again, as plain data."""
        kept = {"name": self.name, "dtype": self._policy.name}
        for name in init_parameters(type(self)):
            if name not in kept:
                kept[name] = serialize_keras_object(getattr(self, name))
        return kept

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A metric from what `get_config` gave."""
        return cls(
            **{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()}
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def accumulate(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Adds values to what was gathered so far, in the dtype of each variable."""
    pairs = zip(variables, values, strict=True)
    update_all(variables, [ops.cast(ops.add(v.raw(), x), v.dtype) for v, x in pairs])
