"""One step of training, testing or prediction: what a user may override, and how it is compiled."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, cast

import numpy as np

from kerata import ops
from kerata.core import tree
from kerata.core.dispatch import abstract
from kerata.core.errors import ArgumentError, KerataError, StateError, UnknownValuesError
from kerata.core.function import function
from kerata.core.gradient import value_and_grad
from kerata.core.state import STATE, StateScope, setting
from kerata.core.variable import Variable

from .compilation import Compilation
from .data import unpack_x_y_sample_weight
from .data.structure import count_samples

Tensor = Any
Tree = Any
Data = Any  # what `_packed` makes
Batch = tuple[Any, Any, Any]  # x, y, sample_weight


class Steps(Compilation):
    """The part of `Model` that runs on one batch, or on several in one compiled call."""

    # ---- what a user may override ------------------------------------------------------------------
    def compute_loss(
        self,
        x: Tree = None,
        y: Tree = None,
        y_pred: Tree = None,
        sample_weight: Tree = None,
        training: bool = True,
    ) -> Tensor:
        """The scalar to minimise: the losses of `compile` and what layers added."""
        losses: list[Tensor] = []
        if self._compile_losses is not None:
            value = self._compile_losses(y, y_pred, sample_weight)
            if value is not None:
                losses.append(value)
        losses += [ops.sum(loss) if ops.shape(loss) else loss for loss in self.losses]
        if not losses and not training:
            return ops.zeros(())  # metrics alone
        if not losses:
            raise StateError(
                f"The model {self.name!r} has nothing to minimise. Pass a loss to `compile`, or call `add_loss` in a layer."
            )
        total = losses[0]
        for loss in losses[1:]:
            total = ops.add(total, loss)
        return total

    def _loss_of(self, x: Tree, y: Tree, y_pred: Tree, sample_weight: Tree, training: bool) -> Tensor:
        """`compute_loss`, which a user may have overridden without the argument `training`."""
        if _takes_training(type(self).compute_loss):
            return self.compute_loss(x, y, y_pred, sample_weight, training=training)
        return self.compute_loss(x, y, y_pred, sample_weight)

    def compute_metrics(self, x: Tree, y: Tree, y_pred: Tree, sample_weight: Tree = None) -> dict[str, Any]:
        """Updates the metrics of `compile` and gives all results."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Tree, y_pred: Tree, sample_weight: Tree) -> None:
        for group in self._compile_metrics:
            if group.given is not None:
                group.update_state(y, y_pred, sample_weight)

    def _metrics_unknown(self) -> bool:
        """Whether `compile` was given metrics that have not met the outputs yet."""
        return any(group.given is not None and group._plan is None for group in self._compile_metrics)

    def train_step(self, data: Data) -> dict[str, Any]:
        """One step on one batch. Override it, once for all engines; call `kerata.value_and_grad` for gradients.

        Args:
            data: `x` (`(x,)` for a list of inputs), `(x, y)` or `(x, y, sample_weight)`. `kerata.utils.
                unpack_x_y_sample_weight` gives three of each.

        Returns:
            Name -> value, for the logs.
        """
        logs = self._learn(*unpack_x_y_sample_weight(data))
        return self.get_metrics_result() if logs is None else logs

    def test_step(self, data: Data) -> dict[str, Any]:
        """Loss and metrics on one batch."""
        logs = self._measure(*unpack_x_y_sample_weight(data))
        return self.get_metrics_result() if logs is None else logs

    def predict_step(self, data: Data) -> Tree:
        """Outputs for one batch."""
        return self._forward(unpack_x_y_sample_weight(data)[0], False)

    # ---- steps -----------------------------------------------------------------------------------
    def _forward(self, x: Tree, training: bool) -> Tree:
        """A call in a training state, by the short way of layers."""
        from kerata.layers.layer import CallContext

        outer = STATE.call
        STATE.call = context = CallContext(self, training)
        try:
            return self(x)
        finally:
            STATE.call = outer
            self.__dict__["_collected"] = context.losses

    def _enter(self, batch: Any) -> Any:
        """The arrays of a batch as tensors of the model's engine."""
        kind = type(batch)
        if kind is np.ndarray:
            return self.engine.convert(batch)
        if kind is tuple or kind is list:
            return kind([self._enter(v) for v in batch])
        if kind is dict:
            return {k: self._enter(v) for k, v in batch.items()}
        return batch

    def _learn(self, x: Tree, y: Tree, sample_weight: Tree) -> dict[str, Any] | None:
        variables = self.trainable_variables
        if self.optimizer is None:
            raise StateError("A model without an optimizer cannot be trained. Give `compile` one.")

        def scaled_loss() -> tuple[Tensor, tuple[Tensor, Tree, Tree]]:
            y_pred = self._forward(x, True)
            loss = self._loss_of(x, y, y_pred, sample_weight, True)
            return self.optimizer.scale_loss(loss), (loss, y_pred, self._masks_of(y_pred))

        (_, (loss, y_pred, masks)), grads = value_and_grad(scaled_loss, variables, has_aux=True)()
        for output, mask in zip(tree.flatten(y_pred), masks, strict=False):
            self.engine.set_mask(output, mask)  # what comes out of the derivatives is another tensor
        with self.engine.inference_scope():
            self._loss_tracker.update_state(loss, sample_weight=_rows(x))
            if variables:
                self.optimizer.apply(grads, variables)
            return self._score(x, y, y_pred, sample_weight)

    def _masks_of(self, y_pred: Tree) -> list[Any]:
        """The masks of the outputs, or nothing where none has one."""
        masks = [self.engine.mask_of(output) for output in tree.flatten(y_pred)]
        return masks if any(mask is not None for mask in masks) else []

    def _measure(self, x: Tree, y: Tree, sample_weight: Tree) -> dict[str, Any] | None:
        y_pred = self._forward(x, False)
        loss = self._loss_of(x, y, y_pred, sample_weight, False)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self._score(x, y, y_pred, sample_weight)

    def _score(self, x: Tree, y: Tree, y_pred: Tree, sample_weight: Tree) -> dict[str, Any] | None:
        """Updates the metrics. Gives the logs of a `compute_metrics` of the user's; the usual ones are read later."""
        if self._overridden("compute_metrics"):
            return self.compute_metrics(x, y, y_pred, sample_weight)
        self._update_metrics(y, y_pred, sample_weight)
        return None

    def _steps_itself(self, kind: str) -> bool:
        """Whether training and evaluation are steps of the user's, which say themselves what a batch is."""
        return kind != "predict" and self._overridden("train_step", "test_step")

    def _overridden(self, *names: str) -> bool:
        return any(getattr(type(self), n) is not getattr(Steps, n) for n in names)

    def _train_one(self, x: Tree, y: Tree, w: Tree) -> Any:
        x, y, w = self._enter(x), self._enter(y), self._enter(w)
        if self._overridden("train_step", "compute_metrics"):
            optimizer = [] if self.optimizer is None else self.optimizer.variables
            logs = self._own_step(self.train_step, _packed(x, y, w), optimizer, self.metrics_variables)
            return _checked_logs("train_step", logs)
        return self._learn(x, y, w)

    def _test_one(self, x: Tree, y: Tree, w: Tree) -> Any:
        x, y, w = self._enter(x), self._enter(y), self._enter(w)
        with self.engine.inference_scope():
            if self._overridden("test_step", "compute_metrics"):
                logs = self._own_step(self.test_step, _packed(x, y, w), self.metrics_variables)
                return _checked_logs("test_step", logs)
            return self._measure(x, y, w)

    def _predict_one(self, x: Tree, y: Tree = None, w: Tree = None) -> Any:
        x = self._enter(x)
        with self.engine.inference_scope():
            if type(self).predict_step is Steps.predict_step:
                return self._forward(x, False)
            return self._own_step(self.predict_step, _packed(x))

    def _own_step(self, step: Callable[..., Any], data: Data, *more: list[Variable]) -> Any:
        """Calls a step of the user's. One that takes `(state, data)`, as JAX's habit is, gets values and gives new ones."""
        if not _takes_state(step, self.engine.steps_take_state):
            return step(data)
        groups = (self.trainable_variables, self.non_trainable_variables, *more)
        result, state = step(tuple([v.value for v in group] for group in groups), data)
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return result

    # ---- compiled steps --------------------------------------------------------------------------
    def _calls(self, kind: str, batches: Iterable[Batch]) -> Iterator[tuple[int, int, Any, Batch]]:
        """`(first step, last step, compiled function, its arguments)` of each call of a compiled step."""
        step, size = 0, self.steps_per_execution
        signature, run = None, cast(Any, None)
        for group in zip(batches) if size == 1 else _groups(batches, size):
            x, y, w = group[0]
            if kind == "predict":
                y = w = None
            found = (_signature(x), _signature(y), _signature(w), len(group))
            if found != signature:
                self._prepare(kind, x, y, w)
                signature, run = found, self._step(kind, several=len(group) > 1)
            last = step + len(group) - 1
            yield step, last, run, (x, y, w) if last == step else _stacked(group)
            step = last + 1

    def _step(self, kind: str, several: bool = False, logs: bool = False) -> Callable[..., Any]:
        """The compiled step of a kind; kept until something changes that it was made from.

        With `several`, over stacked batches; with `logs`, it gives them, which costs a little where nobody reads them.
        """
        key, made_from = (kind, several, logs), self._structure()
        steps = self.__dict__["_compiled_steps"]
        entry = steps.get(key)
        if entry is not None and entry[0] == made_from:
            return entry[1]
        one: Any = {"train": self._train_one, "test": self._test_one, "predict": self._predict_one}[kind]
        one = self._forgetting_losses(one)
        run = _repeated(one, kind) if several else one
        if logs:
            run = self._logging(run)
        if not self.run_eagerly:
            run = function(run, jit_compile=self.jit_compile, variables=self._step_variables(kind))
        steps[key] = made_from, run
        return run

    def _forgetting_losses(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """A step after which `losses` are the penalties alone: what calls added are tensors of a trace, if it is compiled."""

        def run(*batch: Any) -> Any:
            try:
                return step(*batch)
            finally:
                self.__dict__["_collected"] = []

        return run

    def _logging(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """A step that measures its own batch alone."""

        def run(*batch: Any) -> Any:
            self.reset_metrics()
            returned = step(*batch)
            return self.get_metrics_result() if returned is None else returned

        return run

    def _step_variables(self, kind: str) -> list[Variable]:
        found = self.variables
        if kind != "predict":
            found = found + self.metrics_variables
        if kind == "train" and self.optimizer is not None:
            found = found + self.optimizer.variables
        return found

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """The compiled training step."""
        return self._step("train")

    def make_test_function(self, force: bool = False) -> Callable[..., Any]:
        return self._step("test")

    def make_predict_function(self, force: bool = False) -> Callable[..., Any]:
        return self._step("predict")

    # ---- before the first step -------------------------------------------------------------------
    def _prepare(self, kind: str, x: Tree, y: Tree, w: Tree) -> None:
        """Builds what is not built, and finds what does not fit, before anything is changed.

        The step runs once on abstract values for each new signature of a batch; on the batch itself where a model asks
        for values, or for what only tensors of its engine have. What it assigns is forgotten.
        """
        signature = (kind, self._structure(), *(_signature(v) for v in (x, y, w)))
        if signature in self.__dict__["_prepared"]:
            return
        if not self._steps_itself(kind):  # such a step may take parts of several lengths
            count_samples(x, y, w)
        try:
            with setting(abstract=STATE.abstract + 1):
                with self.engine.inference_scope():
                    self._dry_run(kind, *map(_abstract, (x, y, w)))
            asks = False
        except Exception as error:
            asks = isinstance(error, UnknownValuesError) or not isinstance(error, KerataError)
            if not asks:
                raise
        if asks:  # in training, derivatives may be among what it asks for
            with nullcontext() if kind == "train" else self.engine.inference_scope():
                self._dry_run(kind, *map(self._enter, (x, y, w)))
        if kind == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        signature = (kind, self._structure(), *signature[2:])
        self.__dict__["_prepared"].add(signature)

    def _dry_run(self, kind: str, x: Tree, y: Tree, w: Tree) -> None:
        with StateScope():
            if kind == "predict" or self._steps_itself(kind):
                unknown = kind != "predict" and y is not None and self._metrics_unknown()
                if self._has_call() and (not self.built or kind == "predict" or unknown):
                    y_pred = self._forward(x, kind == "train")
                    if unknown:  # so that `metrics` has those of `compile` when the user's step asks
                        self._update_metrics(y, y_pred, w)
                return
            y_pred = self._forward(x, kind == "train")
            self._loss_of(x, y, y_pred, w, kind == "train")
            if not self._overridden("compute_metrics"):
                self._update_metrics(y, y_pred, w)


def _abstract(batch: Tree) -> Tree:
    """A batch without its values."""
    if batch is None:
        return None
    return tree.map_structure(lambda leaf: None if leaf is None else abstract(leaf), batch)


def _checked_logs(step: str, logs: Any) -> Any:
    """What a step of the user's gave: if they are logs, numbers by name."""
    for name, value in logs.items() if isinstance(logs, dict) else ():
        if not isinstance(value, (int, float, dict, np.generic, Variable)) and not ops.is_tensor(value):
            raise ArgumentError(step, expected="a function that gives a dict of numbers", got={name: value})
    return logs


@functools.cache
def _takes_training(compute_loss: Callable[..., Any]) -> bool:
    parameters = inspect.signature(compute_loss).parameters.values()
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)


def _takes_state(step: Callable[..., Any], habit: bool) -> bool:
    """Whether a step is `(state, data)`: one of any number of arguments is, where that is the engine's habit."""
    parameters = inspect.signature(step).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return habit
    return sum(p.kind in kinds and p.default is p.empty for p in parameters) == 2


def _rows(x: Tree) -> Any:
    leaf = x if hasattr(x, "shape") else next(iter(tree.flatten(x)), None)
    shape = ops.shape(leaf)
    return shape[0] if shape else 1


def _packed(x: Tree, y: Tree = None, w: Tree = None) -> Data:
    """A batch as steps get it: inputs alone come as they are, but a list of them would look like `(x, y)`."""
    if w is not None:
        return x, y, w
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def _signature(x: Any) -> Any:
    """What a compiled step depends on: shapes and dtypes."""
    if x is None:
        return None
    if isinstance(x, (list, tuple)):
        return tuple(_signature(v) for v in x)
    if isinstance(x, dict):
        return tuple((k, _signature(v)) for k, v in x.items())
    return getattr(x, "shape", None), getattr(x, "dtype", None)


def _groups(batches: Iterable[Batch], size: int) -> Iterator[Sequence[Batch]]:
    """`size` consecutive batches that look the same at a time; what is left over comes one by one."""
    waiting: list[Batch] = []
    for batch in batches:
        if waiting and _signature(batch) != _signature(waiting[0]):
            yield from zip(waiting)
            waiting = []
        waiting.append(batch)
        if len(waiting) == size:
            yield waiting
            waiting = []
    yield from zip(waiting)


def _stacked(batches: Sequence[Batch]) -> Batch:
    """Batches along a new first axis."""

    def stack(*leaves: Any) -> Any:
        if leaves[0] is None:
            return None
        return np.stack(leaves) if isinstance(leaves[0], np.ndarray) else ops.stack(leaves)

    return tree.map_structure(stack, *batches)


def _repeated(one: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """A step over stacked batches, as a loop of the engine where it is compiled. Gives the last logs, or all predictions."""

    def run(*batches: Any) -> Any:
        leaves = tree.flatten(batches)

        def step(rows: list[Tensor]) -> Any:
            given = iter(rows)
            return one(*tree.pack_sequence_as(batches, [None if v is None else next(given) for v in leaves]))

        stacked = [v for v in leaves if v is not None]
        if not STATE.compiling:
            return _joined([step([v[i] for v in stacked]) for i in range(len(stacked[0]))], kind)
        _, outputs = ops.scan(lambda carry, rows: (carry, step(rows)), (), stacked)
        if outputs is None:
            return None
        if kind == "predict":
            return tree.map_structure(lambda v: ops.reshape(v, (-1, *ops.shape(v)[2:])), outputs)
        return tree.map_structure(lambda v: v[-1], outputs)

    return run


def _joined(outputs: list[Any], kind: str) -> Any:
    """The last logs, or all predictions, of steps that ran one by one."""
    if kind != "predict" or outputs[-1] is None:
        return outputs[-1]
    return tree.map_structure(lambda *parts: ops.concatenate(parts, axis=0), *outputs)
