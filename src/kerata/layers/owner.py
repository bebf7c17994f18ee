"""What a layer owns: variables, sublayers, seeds and metrics; how they are made, listed, moved and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from kerata import backends, constraints, initializers, regularizers
from kerata.core import dtypes
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError, StateError
from kerata.core.graph import Operation
from kerata.core.state import STATE, setting
from kerata.core.variable import STRUCTURE, Variable, structure_changed

from .call_spec import call_spec
from .tracking import children, growing, held

_CACHES = ("_plans", "_lists", "_compiled_steps")


class Owner(Operation):
    """The part of `Layer` that knows its variables."""

    engine: Any
    dtype_policy: Any
    built: bool
    _own_variables: list[Variable]
    _plans: dict[Any, Any]
    _path: str | None

    # ---- attributes ----------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            own = self.__dict__.get("_own_variables")
            if own is None:
                raise StateError(
                    f"In the layer class {type(self).__name__}, call `super().__init__()` before setting attributes."
                )
            if not any(v is value for v in own):
                own.append(value)
            structure_changed()
        elif hasattr(type(value), "_kerata_variables") or isinstance(value, (list, dict, tuple)):
            structure_changed()
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        value = self.__dict__.get(name)
        if isinstance(value, Variable):
            self._own_variables[:] = [v for v in self._own_variables if v is not value]
        object.__delattr__(self, name)
        structure_changed()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and "engine" in self.__dict__:
            try:
                return self.engine.layer_attribute(self, name)
            except AttributeError:
                pass
        if "_inbound_nodes" not in self.__dict__ and name in ("engine", "name"):
            raise StateError(
                f"The class {type(self).__name__} has not initialised its base class. Begin its `__init__` with "
                "super().__init__()."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def path(self) -> str:
        """Names of the layers that it is in and its own, joined by '/'."""
        return self._path or self.name

    @property
    def dtype(self) -> str:
        """Dtype of the variables; another name of `variable_dtype`."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the variables."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that floating inputs are cast to."""
        return self.dtype_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The mode of a quantised dtype policy, or None."""
        return self.dtype_policy.quantization_mode

    @property
    def trainable(self) -> bool:
        """Whether the variables change in training; setting it sets it for everything inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for v in self._own_variables:
            v.trainable = value and getattr(v, "_made_trainable", True)
        for layer in self._layers:
            layer.trainable = value

    # ---- what belongs to it ----------------------------------------------------------------------
    @property
    def _layers(self) -> list[Any]:
        return [c for c in children(self) if isinstance(c, Owner)]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        found: dict[int, Any] = {id(self): self} if include_self else {}
        stack = list(reversed(self._layers))
        while stack:
            layer = stack.pop()
            if id(layer) in found or layer is self:
                continue
            found[id(layer)] = layer
            if recursive:
                stack.extend(reversed(layer._layers))
        return list(found.values())

    def _walk(self) -> Iterator[tuple[Variable, str]]:
        """Every variable below the layer, each once, with what it is: weight, seed or metric."""
        seen: set[int] = set()
        stack: list[tuple[Any, str]] = [(self, "weight")]
        while stack:
            item, kind = stack.pop()
            if id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, Variable):
                yield item, kind
                continue
            kind = getattr(type(item), "_kerata_state_kind", None) or kind
            stack.extend((child, kind) for child in reversed(children(item)))

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: without what is remembered, such as compiled steps."""
        return {**self.__dict__, **{name: {} for name in _CACHES if name in self.__dict__}}

    def _remembered(self, what: str, find: Callable[[], list[Any]]) -> list[Any]:
        """What `find` gives, remembered until some structure changes."""
        structure = self._structure()
        cache = self.__dict__["_lists"]
        entry = cache.get(what)
        if entry is None or entry[0] != structure:
            entry = cache[what] = structure, find()
        return list(entry[1])

    def _structure(self) -> int:
        """The number of the present structure, after a look at lists and dicts that users may have added to."""
        cache = self.__dict__.setdefault("_lists", {})
        entry = cache.get("growing")
        if entry is None or entry[0] != STRUCTURE[0] or any(len(kept) != size for kept, size, _ in entry[1]):
            found = [(kept, len(kept), [id(v) for v in held(kept)]) for kept in growing(self)]
            known = entry is not None and entry[0] == STRUCTURE[0]
            if known and [ids for *_, ids in found] != [ids for *_, ids in entry[1]]:
                structure_changed()
            entry = cache["growing"] = STRUCTURE[0], found
        return entry[0]

    def _listed(self, what: str, choose: Callable[[Variable, str], bool]) -> list[Variable]:
        """The variables that `choose` wants."""
        return self._remembered(what, lambda: [v for v, kind in self._walk() if choose(v, kind)])

    @property
    def variables(self) -> list[Variable]:
        """All variables: weights and the states of seeds; not the states of metrics."""
        return self._listed("variables", lambda v, kind: kind in ("weight", "seed"))

    @property
    def weights(self) -> list[Variable]:
        """The variables that training changes or keeps, without seeds."""
        return self._listed("weights", lambda v, kind: kind == "weight")

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes; none of an object that is not trainable itself."""
        if not self._trainable:
            return []
        return self._listed("trainable", lambda v, kind: kind in ("weight", "seed") and v.trainable)

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Weights that training does not change, and the states of seeds."""
        if not self._trainable:
            return self.variables
        return self._listed("frozen", lambda v, kind: kind in ("weight", "seed") and not v.trainable)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        if not self._trainable:
            return []
        return self._listed("trainable_weights", lambda v, kind: kind == "weight" and v.trainable)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change."""
        if not self._trainable:
            return self.weights
        return self._listed("frozen_weights", lambda v, kind: kind == "weight" and not v.trainable)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of this object and of what is in it."""
        return self._remembered("metrics", self._find_metrics)

    def _find_metrics(self) -> list[Any]:
        found = [c for layer in self._flatten_layers() for c in children(layer)]
        return [c for c in found if getattr(type(c), "_kerata_state_kind", None) == "metric"]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [v for v, kind in self._walk() if kind == "metric"]

    def add_weight(
        self,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the layer.

        Args:
            shape: its shape; () for a scalar.
            initializer: name, config or object of the first value; Glorot uniform for floats, zeros else.
            dtype: dtype; the policy's variable dtype if None.
            trainable: whether optimizers change it.
            autocast: whether it is read in the compute dtype.
            regularizer: a penalty on its value.
            constraint: a projection after each update.
            aggregation: how replicas are combined.
            overwrite_with_gradient: whether its "gradient" is its next value.
            name: the last part of its path.
        """
        if "_own_variables" not in self.__dict__:
            raise StateError(f"In {type(self).__name__}, call `super().__init__()` before `add_weight`.")
        if self.built and STATE.call is not None and "_building" not in self.__dict__:
            raise StateError(
                f"The layer {self.path!r} (of type {type(self).__name__}) makes a weight in its `call`, which would make "
                "another one each time. Make weights in `__init__` or in `build`."
            )
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(d is None for d in shape):
            names = call_spec(type(self)).names
            raise ArgumentError(
                names[0] if names else "shape",
                expected="of known sizes where weights depend on them",
                got=f"an unknown size, for a weight of shape {shape}",
                fix="Give that size in the Input.",
            ).at(self.path)
        name_of_dtype = dtypes.standardize(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(name_of_dtype) else "zeros"
        scope = STATE.name_scope
        if "_building" not in self.__dict__ and scope[-1:] != (self.name,):  # in `__init__`
            scope = (*scope, self.name)
        with setting(engine=self.engine, name_scope=scope):
            variable = Variable(
                initializers.get(initializer),
                shape,
                name_of_dtype,
                trainable and self._trainable,
                autocast,
                aggregation,
                name=name,
            )
        variable._made_trainable = trainable  # type: ignore[attr-defined]
        variable.regularizer, variable.constraint = regularizers.get(regularizer), constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._own_variables.append(variable)
        structure_changed()
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(
            shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name
        )

    def keep_options(
        self, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None
    ) -> None:
        """Remembers `<name>_initializer`, `<name>_regularizer` and `<name>_constraint` for `add_named`."""
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def add_named(self, name: str, shape: Sequence[int], **options: Any) -> Variable:
        """A new weight with the options that were kept for its name."""
        return self.add_weight(
            shape,
            getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            name=name,
            **options,
        )

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replaces all weights; nothing is changed if one of them does not fit."""
        own = self.weights
        count = len(weights) if hasattr(weights, "__len__") else None
        if count != len(own):
            got = weights if count is None else f"{count} arrays"
            raise ArgumentError("weights", expected=f"a list of {len(own)} arrays", got=got).at(self.path)
        for v, w in zip(own, weights, strict=True):
            if tuple(shape_of(w)) != v.shape:
                raise ArgumentError("weights", expected=f"of shape {v.shape} for {v.path}", got=w).at(
                    self.path
                )
        for v, w in zip(own, weights, strict=True):
            v.assign(w)

    def count_params(self) -> int:
        """The number of numbers in its weights."""
        if not self.built:
            raise StateError(
                f"The layer {self.path!r} has no weights yet. Call it on data, or `build` it, first."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def to_backend(self, name: str) -> Self:
        """Moves the layer and everything in it to another engine; gives the layer back.

        Example:
            >>> import kerata
            >>> kerata.layers.Dense(2).to_backend("numpy").engine.name
            'numpy'
        """
        engine = backends.get(name)
        for layer in self._flatten_layers():
            layer.__dict__["engine"] = engine
            layer._plans.clear()
        for v, _ in self._walk():
            v.move(engine)
        self._moved(engine)
        return self

    def _moved(self, engine: Any) -> None:
        """Called after a move; a model moves its optimizer and forgets its compiled steps."""

    # ---- saving ----------------------------------------------------------------------------------
    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own variables into a mapping."""
        for i, v in enumerate(self._own_variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the layer's own variables from a mapping."""
        own = self._own_variables
        if len(store.keys()) != len(own):
            raise ArgumentError("store", expected=f"{len(own)} arrays", got=f"{len(store.keys())} arrays").at(
                self.path
            )
        for i, v in enumerate(own):
            v.assign(store[str(i)])
