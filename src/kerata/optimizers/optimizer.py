"""The base class of optimizers: learning rate, clipping, decay, averages; subclasses say one update."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from kerata import backends, initializers, ops
from kerata.core import checks
from kerata.core.dispatch import ENGINE_OF, engine_of_type
from kerata.core.errors import ArgumentError, StateError
from kerata.core.naming import auto_name
from kerata.core.registry import custom_object_scope
from kerata.core.scope import with_values
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.signature import init_parameters
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable, update_all

from . import updates
from .schedules.learning_rate_schedule import LearningRateSchedule

Tensor = Any


class Optimizer:
    """Changes variables by their gradients.

    A subclass names its slots, tensors kept for each variable, in `slot_groups`, and defines
    `update_list`, which treats all variables at once. Or, as in Keras, it makes them in `build` with
    `add_variable_from_reference` and defines `update_step(gradient, variable, learning_rate)`.

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

    Raises:
        ArgumentError: an argument is out of range, or two kinds of clipping are asked for.

    Example:
        >>> import kerata, numpy as np
        >>> class Plain(kerata.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, kerata.ops.multiply(learning_rate, gradient))
        >>> w = kerata.Variable(np.float32(1.0))
        >>> Plain(0.5).apply([np.float32(1.0)], [w])
        >>> float(w)
        0.5
    """

    _kerata_variables = True
    _kerata_state_kind = "optimizer"
    # Variables of a group stand together in files: those of the first variable, then of the second …
    slot_groups: tuple[tuple[str, ...], ...] = ()

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
            raise ArgumentError(
                next(iter(kwargs)),
                expected=f"an argument of {type(self).__name__}",
                got=next(iter(kwargs.values())),
            )
        if name is not None and not isinstance(name, str):
            raise ArgumentError("name", expected="text", got=name)
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = _optional("weight_decay", weight_decay)
        self.clipnorm, self.clipvalue = _optional("clipnorm", clipnorm), _optional("clipvalue", clipvalue)
        self.global_clipnorm = _optional("global_clipnorm", global_clipnorm)
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                "clipnorm", expected="given alone, without the other two ways of clipping", got=clipnorm
            )
        self.use_ema = use_ema
        self.ema_momentum = checks.number("ema_momentum", ema_momentum, 0, 1)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if ema_overwrite_frequency is not None:
            checks.positive_int("ema_overwrite_frequency", ema_overwrite_frequency)
        self.loss_scale_factor = _optional("loss_scale_factor", loss_scale_factor)
        if (
            gradient_accumulation_steps is not None
            and checks.positive_int("gradient_accumulation_steps", gradient_accumulation_steps) < 2
        ):
            raise ArgumentError(
                "gradient_accumulation_steps", expected="2 or more", got=gradient_accumulation_steps
            )
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.engine = backends.current()
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._all_places: list[int] = []
        # All variables but the iterations and the learning rate, as in files.
        self._tracked: list[Variable] = []
        self._slots: list[list[Variable]] = []  # [slot][variable]
        self._averages: list[Variable] = []
        self._accumulated: list[Variable] = []
        self._no_decay: set[int] = set()
        self._no_decay_names: list[str] = []
        with setting(scope=None, abstract=0, name_scope=(self.name,)):
            self._iterations = Variable(
                0, dtype="int32", trainable=False, aggregation="only_first_replica", name="iteration"
            )
            self._set_rate(learning_rate)

    # ---- learning rate and iterations ------------------------------------------------------------
    @property
    def iterations(self) -> Any:
        """The number of updates: a variable, or with accumulated gradients a tensor."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations.raw(), self.gradient_accumulation_steps)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        if self.built:
            raise StateError("The iterations can be replaced only before the optimizer is built.")
        if not isinstance(variable, Variable):
            raise ArgumentError("iterations", expected="a kerata.Variable", got=variable)
        self._iterations = variable

    def _set_rate(self, rate: Any) -> None:
        self._schedule: Any = None
        self._rate: Variable | None = None
        if isinstance(rate, dict):
            rate = deserialize_keras_object(rate, kinds=("schedules",))
        if isinstance(rate, LearningRateSchedule) or (callable(rate) and not isinstance(rate, Variable)):
            self._schedule = rate
            return
        try:
            rate = float(rate)
        except (TypeError, ValueError):
            raise ArgumentError(
                "learning_rate", expected="a number, a schedule or a callable", got=rate
            ) from None
        self._rate = Variable(
            checks.number("learning_rate", rate),
            dtype="float32",
            trainable=False,
            aggregation="only_first_replica",
            name="learning_rate",
        )

    @property
    def learning_rate(self) -> Any:
        """The current learning rate: a variable, or what the schedule gives at this iteration."""
        return self._current_rate() if self._rate is None else self._rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        given = callable(value) and not isinstance(value, Variable)
        if self._rate is not None and not given:
            self._rate.assign(value)
            return
        if not given:
            raise StateError(
                "The optimizer follows a schedule, so its learning rate cannot be set. Make a new optimizer."
            )
        self._set_rate(value)

    def _current_rate(self) -> Tensor:
        if self._rate is not None:
            return self._rate.raw()
        if isinstance(self._schedule, LearningRateSchedule):
            return ops.cast(self._schedule(self._iterations.raw()), "float32")
        return ops.convert_to_tensor(self._schedule(), "float32")

    # ---- variables -------------------------------------------------------------------------------
    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate, averages, accumulated gradients, slots: the order of files."""
        own = [self._iterations] if self._rate is None else [self._iterations, self._rate]
        return own + self._tracked

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the slots for variables."""
        if self.built:
            return
        variables = list(variables)
        for v in variables:
            if not isinstance(v, Variable):
                raise ArgumentError("variables", expected="a list of kerata.Variable", got=v)
        if len(set(map(id, variables))) < len(variables):
            fix = "Give each once, with the sum of its gradients."
            raise ArgumentError("variables", expected="variables that differ", got=variables, fix=fix)
        self._trainable_variables = variables
        self._places = {id(v): i for i, v in enumerate(variables)}
        self._all_places = list(range(len(variables)))
        if variables:
            self._move(variables[0].engine)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(variables, "gradient_accumulator")
        for group in self.slot_groups:
            rows = [[self.make_slot(v, name) for name in group] for v in variables]
            self._slots += [list(column) for column in zip(*rows, strict=True)] or [[] for _ in group]
        self._no_decay |= {id(v) for v in variables if any(n in v.path for n in self._no_decay_names)}
        self.built = True

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, in which variables are other objects: they are told by places, not by identity."""
        places = [i for i, v in enumerate(self._trainable_variables) if id(v) in self._no_decay]
        return {**self.__dict__, "_places": None, "_no_decay": places}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        variables = self._trainable_variables
        self._places = {id(v): i for i, v in enumerate(variables)}
        self._no_decay = {id(variables[i]) for i in state["_no_decay"]}

    def make_slot(self, variable: Variable, name: str) -> Variable:
        """The slot of a variable, zeros by default."""
        return self.add_variable_from_reference(variable, name)

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none",
        layout: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A new variable of the optimizer."""
        with (
            setting(engine=self.engine, scope=None, abstract=0, name_scope=(self.name,)),
            self.engine.outside_trace(),
        ):
            first = initializers.get(initializer) if isinstance(initializer, (str, dict)) else initializer
            variable = Variable(
                first, tuple(shape), dtype, trainable=False, aggregation=aggregation, name=name
            )
        self._tracked.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the shape and dtype of another."""
        full = f"{reference_variable.path.replace('/', '_')}_{name or 'slot'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=full)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Such a variable for each of several; with a list of names, a tuple of lists."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        firsts = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        rows = [
            [self.add_variable_from_reference(v, n, i) for n, i in zip(name, firsts, strict=True)]
            for v in trainable_variables
        ]
        return tuple(list(column) for column in zip(*rows, strict=True))

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a variable among those that the optimizer was built for."""
        return self._places_of([variable])[0]

    def _move(self, engine: Any) -> None:
        self.engine = engine
        for v in self.variables:
            v.move(engine)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Variables that do not decay: by object, or by a part of their path."""
        if self.built:
            raise StateError("Exclude variables from weight decay before the optimizer is built.")
        self._no_decay |= {id(v) for v in var_list or ()}
        self._no_decay_names += list(var_names or ())

    def assign(self, variable: Variable, value: Tensor) -> None:
        """Gives a variable a value, for `update_step`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Tensor) -> None:
        """Adds to a variable, for `update_step`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Tensor) -> None:
        """Subtracts from a variable, for `update_step`."""
        variable.assign_sub(value)

    # ---- applying --------------------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor, Variable]]) -> Variable:
        """`apply` on pairs of a gradient and a variable."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Tensor], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Changes the variables by their gradients, one step.

        Args:
            grads: a gradient, or None, for each variable.
            trainable_variables: the variables; those of `build` if None.
        """
        grads, variables = self._paired(grads, trainable_variables)
        if not variables:
            return
        if STATE.engine is self.engine:
            self._apply(grads, variables)
            return
        with setting(engine=self.engine):
            self._apply(grads, variables)

    def _paired(
        self, grads: Sequence[Tensor], variables: Sequence[Variable] | None
    ) -> tuple[list[Tensor], list[Variable]]:
        """Gradients as tensors of their variables' shapes, and the variables that have one."""
        if variables is None:
            if not self.built:
                raise StateError(
                    f"The optimizer {self.name!r} does not know the variables yet. Pass `trainable_variables`."
                )
            variables = self._trainable_variables
        variables, grads = list(variables), list(grads)
        if len(grads) != len(variables):
            raise ArgumentError(
                "grads",
                expected=f"{len(variables)} gradients, one for each variable",
                got=f"{len(grads)} of them",
            )
        if not self.built:
            self.build(variables)
        engine, absent = self.engine, False
        for i, (g, v) in enumerate(zip(grads, variables, strict=True)):
            if g is None:
                absent = True
                continue
            if ENGINE_OF.get(type(g)) is not engine:
                with setting(engine=engine):
                    grads[i] = g = ops.convert_to_tensor(g)
            if g.shape != v.shape and ops.shape(g) != v.shape:
                raise ArgumentError(
                    "grads", expected=f"of shape {v.shape}, that of the variable {v.path}", got=g
                )
        if absent:
            kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
            grads, variables = [g for g, _ in kept], [v for _, v in kept]
            if not variables:
                raise ArgumentError("grads", expected="a gradient for at least one variable", got="only None")
        return grads, variables

    def _places_of(self, variables: list[Variable]) -> list[int]:
        if variables == self._trainable_variables:
            return self._all_places
        places = [self._places.get(id(v), -1) for v in variables]
        if -1 in places:
            unknown = variables[places.index(-1)]
            raise ArgumentError(
                "trainable_variables",
                expected="variables that the optimizer was built for",
                got=unknown.path,
                fix="Make a new optimizer for other variables.",
            )
        return places

    def _apply(self, grads: list[Tensor], variables: list[Variable]) -> None:
        places = self._places_of(variables)
        if self.loss_scale_factor is not None:
            grads = [ops.divide(g, self.loss_scale_factor) for g in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables, places)
        else:
            self._update(grads, variables, places)
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(v.raw()))
        update_all([self._iterations], [updates.next_step(self._iterations.raw())])

    def _accumulate(self, grads: list[Tensor], variables: list[Variable], places: list[int]) -> None:
        """Adds gradients up; at every n-th step their mean is applied, elsewhere nothing changes."""
        n = self.gradient_accumulation_steps or 1
        sums = [self._accumulated[i] for i in places]
        total = [ops.add(s.raw(), ops.cast(g, s.dtype)) for s, g in zip(sums, grads, strict=True)]
        due = ops.equal(ops.mod(ops.add(self._iterations.raw(), 1), n), 0)
        self._where(
            due,
            [*variables, *self._tracked],
            lambda: self._update([ops.divide(t, n) for t in total], variables, places),
        )
        update_all(sums, [ops.where(due, ops.zeros_like(t), t) for t in total])

    def _where(self, condition: Tensor, touched: Sequence[Variable], act: Callable[[], None]) -> None:
        """Acts where a condition holds: by a branch if it is known, else by a choice between old and new values."""
        if (
            engine_of_type(type(condition)) is self.engine
            and self.engine.is_concrete(condition)
            and not STATE.tracing
        ):
            if bool(condition):
                act()
            return
        before = [v.raw() for v in touched]
        act()
        update_all(touched, [ops.where(condition, v.raw(), b) for v, b in zip(touched, before, strict=True)])

    def _update(self, grads: list[Tensor], variables: list[Variable], places: list[int]) -> None:
        grads = self._clipped(grads)
        rate = self._current_rate()
        if self.weight_decay:
            self._decay(variables, rate)
        if any(v.overwrite_with_gradient for v in variables):
            grads, variables, places = _overwrite(grads, variables, places)
        if variables:
            every = places is self._all_places
            slots = self._slots if every else [[slot[i] for i in places] for slot in self._slots]
            self._begin_update()
            if _own_step(type(self)):
                Optimizer.update_list(self, grads, variables, rate, slots)
            else:
                self.update_list(grads, variables, rate, slots)
        if self.use_ema:
            self._average(variables, places)

    def _begin_update(self) -> None:
        """What is done once at each update, whatever the number of variables."""

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        """One update of all variables. By default `update_step` for each.

        Args:
            gradients: a gradient for each variable.
            variables: the variables.
            learning_rate: a float32 scalar.
            slots: for each name in `slot_groups`, the slots of these variables.
        """
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, ops.cast(learning_rate, variable.dtype))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update of one variable; subclasses define it, or `update_list`."""
        if type(self).update_list is Optimizer.update_list:
            raise StateError(f"The optimizer class {type(self).__name__} must define `update_step`.")
        place = self._get_variable_index(variable)
        self.update_list([gradient], [variable], learning_rate, [[slot[place]] for slot in self._slots])

    def _step(self) -> Tensor:
        """The number of the update being made, from 1, as float32."""
        done = self.iterations
        return updates.count(done.raw() if isinstance(done, Variable) else done)

    def _run(
        self,
        update: Callable[..., Any],
        variables: list[Variable],
        slots: list[list[Variable]],
        gradients: list[Tensor],
        *rest: Any,
    ) -> None:
        """Gives the values of variables and slots to an op of updates.py, and assigns what it gives."""
        columns = [variables, *slots]
        name = update.op.name  # type: ignore[attr-defined]
        if STATE.scope is None and self.engine.update_in_place(name, columns, gradients, rest):
            return
        values = [_raw(column, self.engine) for column in columns]
        new = update(values[0], gradients, *values[1:], *rest)
        for column, old, updated in zip(columns, values, new, strict=True):
            if updated is not old:  # an engine may have written in place and given the same list back
                update_all(column, updated)

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        shrink = [v for v in variables if id(v) not in self._no_decay]
        if not shrink:
            return
        values = _raw(shrink, self.engine)
        new = updates.decay(values, rate, self.weight_decay)
        if new is not values:
            update_all(shrink, new)

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.clipnorm is not None:
            return updates.limit_norms(grads, self.clipnorm)
        if self.global_clipnorm is not None:
            return updates.limit_global_norm(grads, self.global_clipnorm)
        return grads

    def _average(self, variables: list[Variable], places: list[int]) -> None:
        averages = [self._averages[i] for i in places]
        done = self.iterations
        done = done.raw() if isinstance(done, Variable) else done
        # The first average is the value.
        keep = ops.multiply(ops.cast(ops.not_equal(done, 0), "float32"), self.ema_momentum)
        old, values = _raw(averages, self.engine), _raw(variables, self.engine)
        new = updates.average(old, values, keep)
        if new is not old:
            update_all(averages, new)
        if self.ema_overwrite_frequency:
            due = ops.equal(ops.mod(ops.add(done, 1), self.ema_overwrite_frequency), 0)
            self._where(due, variables, lambda: _copy(averages, variables))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: the averages replace the variables, if they were kept."""
        if self.use_ema and self.built:
            var_list = list(var_list)
            _copy([self._averages[i] for i in self._places_of(var_list)], var_list)

    # ---- stateless -------------------------------------------------------------------------------
    def stateless_apply(
        self,
        optimizer_variables: Sequence[Tensor],
        grads: Sequence[Tensor],
        trainable_variables: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """`apply` as a pure function: new values of the variables and of the optimizer's own."""
        if not self.built:
            raise StateError(
                "Build the optimizer before `stateless_apply`: call `build(trainable_variables)`."
            )
        own, trained = self.variables, self._trainable_variables
        with with_values(
            ("optimizer_variables", own, optimizer_variables),
            ("trainable_variables", trained, trainable_variables),
        ) as scope:
            self.apply(grads)
        new = [scope.get_current_value(v) for v in trained]
        return new, [scope.get_current_value(v) for v in own]

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    # ---- saving ----------------------------------------------------------------------------------
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assigns values to `variables`, in their order."""
        own = self.variables
        if len(weights) != len(own):
            raise ArgumentError("weights", expected=f"{len(own)} arrays", got=f"{len(weights)} of them")
        for v, w in zip(own, weights, strict=True):
            v.assign(w)

    def save_own_variables(self, store: Any) -> None:
        """Puts the values of `variables` into a mapping by their numbers, for files."""
        for i, v in enumerate(self.variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Takes the values of `variables` from such a mapping."""
        own = self.variables
        if len(store.keys()) != len(own):
            raise ArgumentError(
                "store", expected=f"{len(own)} arrays for the optimizer", got=f"{len(store.keys())} arrays"
            )
        for i, v in enumerate(own):
            v.assign(store[str(i)])

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such an optimizer again, as plain data."""
        names = dict.fromkeys(
            ("name", "learning_rate", *init_parameters(Optimizer), *init_parameters(type(self)))
        )
        config = {
            name: serialize_keras_object(getattr(self, name, None))
            for name in names
            if name != "learning_rate"
        }
        rate = serialize_keras_object(self._schedule) if self._rate is None else float(self._rate)
        return {"name": config.pop("name"), "learning_rate": rate, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """An optimizer from what `get_config` gave."""
        with custom_object_scope(custom_objects or {}):
            rate = config.get("learning_rate")
            if isinstance(rate, dict):
                config = {**config, "learning_rate": deserialize_keras_object(rate, kinds=("schedules",))}
            return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _has_own_step(cls: Any) -> bool:
    """Whether a class has an `update_step` that knows more than the `update_list` that it inherits."""
    owners = [next(c for c in cls.__mro__ if name in c.__dict__) for name in ("update_step", "update_list")]
    step, whole = (cls.__mro__.index(owner) for owner in owners)
    return step < whole


_own_step: Callable[[Any], bool] = functools.cache(_has_own_step)


def _optional(argument: str, value: Any) -> Any:
    return None if value is None else checks.number(argument, value, 0)


def _raw(variables: list[Variable], engine: Any) -> list[Tensor]:
    """The values in the variables' own dtypes; without a scope, straight from the engine."""
    if STATE.scope is not None:
        return [v.raw() for v in variables]
    read = engine.read
    return [v.raw() if v._container is None else read(v._container) for v in variables]


def _copy(sources: list[Variable], targets: list[Variable]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.assign(source.raw())


def _overwrite(
    grads: list[Tensor], variables: list[Variable], places: list[int]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Variables whose "gradient" is their new value get it; the others are left to the update."""
    for g, v in zip(grads, variables, strict=True):
        if v.overwrite_with_gradient:
            v.assign(g)
    rest = [i for i, v in enumerate(variables) if not v.overwrite_with_gradient]
    return [grads[i] for i in rest], [variables[i] for i in rest], [places[i] for i in rest]
