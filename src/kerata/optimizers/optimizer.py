"""The base class of optimizers: learning rate, clipping, decay, averages; subclasses say one update."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from kerata import backends, ops
from kerata.core import checks
from kerata.core.errors import ArgumentError, StateError
from kerata.core.naming import auto_name
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.signature import init_parameters
from kerata.core.state import setting
from kerata.core.variable import Variable, update_all

Tensor = Any


class Optimizer:
    """Changes variables by their gradients.

    A subclass declares its slots, one tensor per variable each, and `update_step`, or the faster
    `update_list`, which treats all variables at once.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        weight_decay: fraction of the learning rate by which variables shrink at each step.
        clipnorm: largest norm of each gradient.
        clipvalue: largest absolute value in each gradient.
        global_clipnorm: largest norm of all gradients together.
        use_ema: whether an exponential moving average of the variables is kept.
        ema_momentum: how much of the average is kept at each step.
        ema_overwrite_frequency: after how many steps the average replaces the variables.
        loss_scale_factor: factor that the loss was multiplied by; gradients are divided by it.
        gradient_accumulation_steps: number of steps whose gradients are averaged into one update.
        name: name of the optimizer.
    """

    _kerata_variables = True
    _kerata_state_kind = "optimizer"
    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentError(next(iter(kwargs)), expected=f"an argument of {type(self).__name__}", got=next(iter(kwargs.values())))
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = _optional("weight_decay", weight_decay)
        self.clipnorm, self.clipvalue = _optional("clipnorm", clipnorm), _optional("clipvalue", clipvalue)
        self.global_clipnorm = _optional("global_clipnorm", global_clipnorm)
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError("clipnorm", expected="given alone, without the other two ways of clipping", got=clipnorm)
        self.use_ema = use_ema
        self.ema_momentum = checks.number("ema_momentum", ema_momentum, 0, 1)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if ema_overwrite_frequency is not None:
            checks.positive_int("ema_overwrite_frequency", ema_overwrite_frequency)
        self.loss_scale_factor = loss_scale_factor
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ArgumentError("gradient_accumulation_steps", expected="2 or more", got=gradient_accumulation_steps)
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.engine = backends.current()
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._slot_variables: list[list[Variable]] = []  # [slot][variable]
        self._averages: list[Variable] = []
        self._accumulated: list[Variable] = []
        self._no_decay: set[int] = set()
        self._no_decay_names: list[str] = []
        with setting(scope=None, abstract=0):
            self.iterations = Variable(0, dtype="int32", trainable=False, name="iteration")
            self._set_rate(learning_rate)

    # ---- learning rate ---------------------------------------------------------------------------
    def _set_rate(self, rate: Any) -> None:
        from .schedules.learning_rate_schedule import LearningRateSchedule

        self._schedule: Any = None
        self._rate: Variable | None = None
        if isinstance(rate, dict):
            rate = deserialize_keras_object(rate, kinds=("schedules",))
        if isinstance(rate, LearningRateSchedule) or callable(rate):
            self._schedule = rate
            return
        if not isinstance(rate, (int, float)) or isinstance(rate, bool) or rate != rate:
            raise ArgumentError("learning_rate", expected="a number, a schedule or a callable", got=rate)
        self._rate = Variable(float(rate), dtype="float32", trainable=False, name="learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The current learning rate: a variable, or what the schedule gives at this iteration."""
        return self._current_rate() if self._rate is None else self._rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._rate is not None and not callable(value):
            self._rate.assign(value)
            return
        if self._rate is None and not callable(value):
            raise StateError("The optimizer follows a schedule, so its learning rate cannot be set. Make a new optimizer.")
        self._set_rate(value)

    def _current_rate(self) -> Tensor:
        from .schedules.learning_rate_schedule import LearningRateSchedule

        if self._rate is not None:
            return self._rate.value
        if isinstance(self._schedule, LearningRateSchedule):
            return ops.cast(self._schedule(self.iterations.value), "float32")
        return ops.convert_to_tensor(self._schedule(), "float32")

    # ---- variables -------------------------------------------------------------------------------
    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate, then the slots of each variable in turn."""
        own = [self.iterations, *([self._rate] if self._rate is not None else [])]
        own += [v for group in zip(*self._slot_variables, strict=True) for v in group]
        return [*own, *self._averages, *self._accumulated]

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slots for variables."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(variables)}
        if variables:
            self._move(variables[0].engine)
        with setting(engine=self.engine, scope=None, abstract=0), self.engine.outside_trace():
            groups = [[self.add_slot(v, name) for name in self.slots] for v in variables]
            self._slot_variables = [list(column) for column in zip(*groups, strict=True)] if self.slots else []
            if self.use_ema:
                self._averages = [self.add_slot(v, "average", v.numpy()) for v in variables]
            if self.gradient_accumulation_steps:
                self._accumulated = [self.add_slot(v, "gradient_accumulator") for v in variables]
        self._no_decay = {id(v) for v in variables if any(n in v.path for n in self._no_decay_names)} | self._no_decay
        self.built = True

    def add_slot(self, reference: Variable, name: str, value: Any = None) -> Variable:
        """A variable of the shape and dtype of another, zeros unless a value is given."""
        import numpy as np

        from kerata.core.dtypes import numpy_dtype

        first = np.zeros(reference.shape, numpy_dtype(reference.dtype)) if value is None else value
        return Variable(first, dtype=reference.dtype, trainable=False, name=f"{reference.path.replace('/', '_')}_{name}")

    def _move(self, engine: Any) -> None:
        self.engine = engine
        for v in self.variables:
            v.move(engine)

    def exclude_from_weight_decay(self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None) -> None:
        """Variables that do not decay: by object, or by a part of their path."""
        self._no_decay |= {id(v) for v in var_list or ()}
        self._no_decay_names += list(var_names or ())

    def assign(self, variable: Variable, value: Tensor) -> None:
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Tensor) -> None:
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Tensor) -> None:
        variable.assign_sub(value)

    # ---- applying --------------------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor, Variable]]) -> Variable:
        """`apply` on pairs of a gradient and a variable."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Tensor], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Changes the variables by their gradients, one step.

        Args:
            grads: a gradient, or None, for each variable.
            trainable_variables: the variables; those of the last call or of `build` if None.
        """
        if trainable_variables is None:
            if not self.built:
                raise StateError(f"The optimizer {self.name!r} does not know the variables yet. Pass `trainable_variables`.")
            trainable_variables = self._trainable_variables
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ArgumentError("grads", expected=f"{len(variables)} gradients, one for each variable", got=f"{len(grads)} of them")
        if not self.built:
            self.build(variables)
        if any(g is None for g in grads):
            kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
            grads, variables = [g for g, _ in kept], [v for _, v in kept]
        if variables:
            self._apply(list(grads), variables)

    def _apply(self, grads: list[Tensor], variables: list[Variable]) -> None:
        places = [self._places.get(id(v), -1) for v in variables]
        if -1 in places:
            unknown = variables[places.index(-1)]
            raise ArgumentError(
                "trainable_variables",
                expected="variables that the optimizer was built for",
                got=unknown.path,
                fix="Make a new optimizer for other variables.",
            )
        if self.loss_scale_factor is not None:
            grads = [ops.divide(g, self.loss_scale_factor) for g in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables, places)
            return
        self._update(grads, variables, places)

    def _accumulate(self, grads: list[Tensor], variables: list[Variable], places: list[int]) -> None:
        """Adds gradients up; at every n-th step their mean is applied, elsewhere nothing changes."""
        n = self.gradient_accumulation_steps
        sums = [self._accumulated[i] for i in places]
        total = [ops.add(s.value, g) for s, g in zip(sums, grads, strict=True)]
        due = ops.equal(ops.mod(ops.add(self.iterations.value, 1), n), 0)
        touched = [*variables, *(slot[i] for i in places for slot in self._slot_variables), *(self._averages[i] for i in places if self._averages)]
        before = [v.value for v in touched]
        self._update([ops.divide(t, n) for t in total], variables, places)
        update_all(touched, [ops.where(due, v.value, b) for v, b in zip(touched, before, strict=True)])
        update_all(sums, [ops.where(due, ops.zeros_like(t), t) for t in total])

    def _update(self, grads: list[Tensor], variables: list[Variable], places: list[int]) -> None:
        grads = self._clipped(grads)
        rate = self._current_rate()
        self._decay(variables, rate)
        overwritten = [v.overwrite_with_gradient for v in variables]
        if any(overwritten):
            for g, v in zip(grads, variables, strict=True):
                if v.overwrite_with_gradient:
                    v.assign(g)
            keep = [i for i, o in enumerate(overwritten) if not o]
            grads, variables, places = ([seq[i] for i in keep] for seq in (grads, variables, places))
        slots = [[slot[i] for i in places] for slot in self._slot_variables]
        self.update_list(grads, variables, rate, slots)
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(v.value))
        if self.use_ema:
            self._average(variables, places)
        update_all([self.iterations], [ops.add(self.iterations.value, 1)])

    def update_list(
        self, gradients: list[Tensor], variables: list[Variable], learning_rate: Tensor, slots: list[list[Variable]]
    ) -> None:
        """One update of all variables. By default `update_step` for each."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, ops.cast(learning_rate, variable.dtype))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update of one variable; subclasses define it, or `update_list`."""
        raise StateError(f"The optimizer class {type(self).__name__} must define `update_step`.")

    def slot(self, name: str, variable: Variable) -> Variable:
        """The slot of a variable."""
        return self._slot_variables[self.slots.index(name)][self._places[id(variable)]]

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        if self.weight_decay is None:
            return
        shrink = [v for v in variables if id(v) not in self._no_decay]
        factor = ops.subtract(1.0, ops.multiply(rate, self.weight_decay))
        update_all(shrink, [ops.multiply(v.value, ops.cast(factor, v.dtype)) for v in shrink])

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.clipnorm is not None:
            return [_limit_norm(g, _norm([g]), self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            norm = _norm(grads)
            return [_limit_norm(g, norm, self.global_clipnorm) for g in grads]
        return grads

    def _average(self, variables: list[Variable], places: list[int]) -> None:
        averages = [self._averages[i] for i in places]
        m = self.ema_momentum
        new = [
            ops.add(ops.multiply(a.value, m), ops.multiply(v.value, 1 - m)) for a, v in zip(averages, variables, strict=True)
        ]
        update_all(averages, new)
        if self.ema_overwrite_frequency:
            due = ops.equal(ops.mod(ops.add(self.iterations.value, 1), self.ema_overwrite_frequency), 0)
            update_all(variables, [ops.where(due, a, v.value) for a, v in zip(new, variables, strict=True)])

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: the averages replace the variables, if they were kept."""
        if self.use_ema and self.built:
            update_all(var_list, [self._averages[self._places[id(v)]].value for v in var_list])

    # ---- stateless -------------------------------------------------------------------------------
    def stateless_apply(
        self, optimizer_variables: Sequence[Tensor], grads: Sequence[Tensor], trainable_variables: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """`apply` as a pure function: new values of the variables and of the optimizer's own."""
        from kerata.core.scope import StatelessScope

        if not self.built:
            raise StateError("Build the optimizer before `stateless_apply`: call `build(trainable_variables)`.")
        pairs = [*zip(self._trainable_variables, trainable_variables, strict=True), *zip(self.variables, optimizer_variables, strict=True)]
        with StatelessScope(pairs) as scope:
            self.apply(grads)
        new = [scope.get_current_value(v) for v in self._trainable_variables]
        return new, [scope.get_current_value(v) for v in self.variables]

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    # ---- saving ----------------------------------------------------------------------------------
    def save_own_variables(self, store: Any) -> None:
        for i, v in enumerate(self.variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        own = self.variables
        if len(store.keys()) != len(own):
            raise ArgumentError("store", expected=f"{len(own)} arrays for the optimizer", got=f"{len(store.keys())} arrays")
        for i, v in enumerate(own):
            v.assign(store[str(i)])

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such an optimizer again, as plain data."""
        config = {name: serialize_keras_object(getattr(self, name, None)) for name in init_parameters(type(self)) if name != "learning_rate"}
        rate = serialize_keras_object(self._schedule) if self._rate is None else float(self._rate)
        return {"name": config.pop("name"), "learning_rate": rate, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from kerata.core.registry import custom_object_scope

        with custom_object_scope(custom_objects or {}):
            rate = config.get("learning_rate")
            if isinstance(rate, dict):
                config = {**config, "learning_rate": deserialize_keras_object(rate, kinds=("schedules",))}
            return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _optional(argument: str, value: Any) -> Any:
    return None if value is None else checks.number(argument, value, 0)


def _norm(grads: Sequence[Tensor]) -> Tensor:
    total = ops.sum(ops.square(ops.cast(grads[0], "float32")))
    for g in grads[1:]:
        total = ops.add(total, ops.sum(ops.square(ops.cast(g, "float32"))))
    return ops.sqrt(total)


def _limit_norm(g: Tensor, norm: Tensor, limit: float) -> Tensor:
    factor = ops.divide(limit, ops.maximum(norm, limit))
    return ops.multiply(g, ops.cast(factor, ops.dtype(g)))
