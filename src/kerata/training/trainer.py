"""`compile`, `fit`, `evaluate`, `predict`: one training loop for all engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kerata import metrics as metrics_
from kerata import ops, optimizers
from kerata.callbacks.callback_list import CallbackList
from kerata.core import tree
from kerata.core.errors import ArgumentError, StateError
from kerata.core.function import function
from kerata.core.gradient import value_and_grad
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.state import STATE, StateScope, setting
from kerata.core.variable import STRUCTURE, Variable

from .compile_losses import CompileLosses
from .compile_metrics import CompileMetrics
from .data import as_batches, split_validation, unpack_x_y_sample_weight
from .data.structure import arrays_of, count_samples
from .labels import check_labels

if TYPE_CHECKING:  # it is mixed into a layer
    from kerata.layers.layer import Layer as _Host
else:
    _Host = object

Tensor = Any
Tree = Any
Data = tuple[Any, ...]


class Trainer(_Host):
    """The training half of `Model`."""

    optimizer: Any
    loss: Any
    history: Any
    stop_training: bool
    compiled: bool
    run_eagerly: bool
    jit_compile: bool | str
    steps_per_execution: int
    _compile_losses: CompileLosses | None
    _compile_metrics: tuple[CompileMetrics, ...]
    _loss_tracker: Any
    _compile_args: Any
    _initial_epoch: int

    def __init__(self) -> None:
        self.__dict__.update(
            optimizer=None, stop_training=False, compiled=False, history=None, run_eagerly=False, jit_compile="auto",
            steps_per_execution=1, loss=None, _compile_losses=None, _compile_metrics=(), _loss_tracker=None,
            _compile_args=None, _compiled_steps={}, _prepared=set(),
        )  # fmt: skip

    # ---- compile ---------------------------------------------------------------------------------
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: name or object.
            loss: name, function or object; a list or dict of them for several outputs.
            loss_weights: a factor for the loss of each output.
            metrics: names, functions or objects; a list or dict of lists for several outputs.
            weighted_metrics: metrics that use the sample weights.
            run_eagerly: whether steps run uncompiled, for print and the debugger.
            steps_per_execution: batches in one compiled call.
            jit_compile: how hard the engine compiles: True, False or "auto".
            auto_scale_loss: whether float16 policies scale the loss.

        Raises:
            ArgumentError: an unknown optimizer, loss or metric.
        """
        optimizer = optimizers.get(optimizer)
        if self.dtype_policy.name == "mixed_float16" and auto_scale_loss:
            optimizer = optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        names = self._output_names()
        losses = CompileLosses(loss, loss_weights, names) if loss is not None else None
        plain = CompileMetrics(metrics, weighted=False, output_names=names)
        weighted = CompileMetrics(weighted_metrics, weighted=True, output_names=names, beside=plain)
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError("steps_per_execution", expected="a positive integer", got=steps_per_execution)
        if jit_compile not in (True, False, "auto", None):
            raise ArgumentError("jit_compile", expected='True, False or "auto"', got=jit_compile)
        with setting(engine=self.engine):
            tracker = metrics_.Mean(name="loss")
        self.__dict__.update(
            optimizer=optimizer, loss=loss, run_eagerly=bool(run_eagerly), steps_per_execution=steps_per_execution,
            jit_compile="auto" if jit_compile is None else jit_compile, _compile_losses=losses,
            _compile_metrics=(plain, weighted), _loss_tracker=tracker, compiled=True, stop_training=False,
            _compile_args=dict(
                optimizer=optimizer, loss=loss, loss_weights=loss_weights, metrics=metrics,
                weighted_metrics=weighted_metrics, run_eagerly=run_eagerly, steps_per_execution=steps_per_execution,
                jit_compile=jit_compile,
            ),
        )  # fmt: skip
        self._forget_compiled()

    def _output_names(self) -> list[str]:
        """Names that losses and metrics may use for the outputs of a graph."""
        graph = self.__dict__.get("_graph")
        if graph is None:
            return []
        if isinstance(graph.output, dict):
            return list(graph.output)
        return [t.node.operation.name for t in graph.outputs]

    def _forget_compiled(self) -> None:
        self.__dict__["_compiled_steps"] = {}
        self.__dict__["_prepared"] = set()

    def _moved(self, engine: Any) -> None:
        self._forget_compiled()
        if self.compiled:
            self.optimizer._move(engine)
            for metric in self._own_metrics():
                metric._move(engine)

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` as plain data; None if the model is not compiled."""
        if not self.compiled:
            return None
        return {k: serialize_keras_object(v) for k, v in self._compile_args.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` gave."""
        self.compile(**{k: deserialize_keras_object(v) for k, v in config.items()})
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    # ---- metrics ---------------------------------------------------------------------------------
    def _own_metrics(self) -> list[Any]:
        if not self.compiled:
            return []
        found = [self._loss_tracker]
        if self._compile_losses is not None:
            found += self._compile_losses.trackers
        return found + [m for group in self._compile_metrics for m in group.metrics]

    @property
    def metrics(self) -> list[Any]:
        """The tracker of the loss, the metrics of `compile`, and those in the layers."""
        own = self._own_metrics()
        known = {id(m) for m in own}
        return own + [m for m in super().metrics if id(m) not in known]

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    def reset_metrics(self) -> None:
        """Puts all metrics back to their first state."""
        with setting(engine=self.engine):
            for metric in self.metrics:
                metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> current value of each metric."""
        found: dict[str, Any] = {}
        if self.compiled:
            found["loss"] = self._loss_tracker.result()
            if self._compile_losses is not None:
                found.update((t.name, t.result()) for t in self._compile_losses.trackers)
            for group in self._compile_metrics:
                found.update(group.results())
        known = {id(m) for m in self._own_metrics()}
        for metric in self.metrics:
            if id(metric) not in known:
                value = metric.result()
                found.update(value if isinstance(value, dict) else {metric.name: value})
        return found

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
        if not losses:
            raise StateError(
                f"The model {self.name!r} has nothing to minimise. Pass a loss to `compile`, or call `add_loss` in a layer."
            )
        total = losses[0]
        for loss in losses[1:]:
            total = ops.add(total, loss)
        return total

    def compute_metrics(self, x: Tree, y: Tree, y_pred: Tree, sample_weight: Tree = None) -> dict[str, Any]:
        """Updates the metrics of `compile` and gives all results."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Tree, y_pred: Tree, sample_weight: Tree) -> None:
        for group in self._compile_metrics:
            if group.given is not None:
                group.update_state(y, y_pred, sample_weight)

    def train_step(self, data: Data) -> dict[str, Any]:
        """One step on one batch. Override it, once for all engines; call `kerata.value_and_grad` for gradients.

        Args:
            data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Name -> value, for the logs.
        """
        self._learn(*unpack_x_y_sample_weight(data))
        return self.get_metrics_result()

    def test_step(self, data: Data) -> dict[str, Any]:
        """Loss and metrics on one batch."""
        self._measure(*unpack_x_y_sample_weight(data))
        return self.get_metrics_result()

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

    def _learn(self, x: Tree, y: Tree, sample_weight: Tree) -> None:
        variables = self.trainable_variables

        def scaled_loss() -> tuple[Tensor, tuple[Tensor, Tree]]:
            y_pred = self._forward(x, True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        (_, (loss, y_pred)), grads = value_and_grad(scaled_loss, variables, has_aux=True)()
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        if variables:
            self.optimizer.apply(grads, variables)
        self._update_metrics(y, y_pred, sample_weight)

    def _measure(self, x: Tree, y: Tree, sample_weight: Tree) -> None:
        y_pred = self._forward(x, False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        self._update_metrics(y, y_pred, sample_weight)

    def _overridden(self, *names: str) -> bool:
        return any(getattr(type(self), n) is not getattr(Trainer, n) for n in names)

    def _train_one(self, x: Tree, y: Tree, w: Tree) -> Any:
        x, y, w = self._enter(x), self._enter(y), self._enter(w)
        if self._overridden("train_step", "compute_metrics"):
            return self.train_step(_packed(x, y, w))
        return self._learn(x, y, w)

    def _test_one(self, x: Tree, y: Tree, w: Tree) -> Any:
        x, y, w = self._enter(x), self._enter(y), self._enter(w)
        with self.engine.inference_scope():
            if self._overridden("test_step", "compute_metrics"):
                return self.test_step(_packed(x, y, w))
            return self._measure(x, y, w)

    def _predict_one(self, x: Tree) -> Any:
        x = self._enter(x)
        with self.engine.inference_scope():
            return (
                self._forward(x, False) if not self._overridden("predict_step") else self.predict_step((x,))
            )

    def _step(self, kind: str) -> Callable[..., Any]:
        """The compiled step of a kind; kept until something changes that it was made from."""
        key = (kind, STRUCTURE[0])
        steps = self.__dict__["_compiled_steps"]
        entry = steps.get(kind)
        if entry is not None and entry[0] == key:
            return entry[1]
        one: Any = {"train": self._train_one, "test": self._test_one, "predict": self._predict_one}[kind]
        if not self.run_eagerly:
            one = function(one, jit_compile=self.jit_compile, variables=self._step_variables(kind))
        steps[kind] = key, one
        return one

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

        The step runs once on abstract values for each new signature of a batch.
        """
        signature = (kind, STRUCTURE[0], *(_signature(v) for v in (x, y, w)))
        if signature in self.__dict__["_prepared"]:
            return
        with StateScope(), self.engine.inference_scope():
            self._dry_run(kind, x, y, w)
        if kind == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        signature = (kind, STRUCTURE[0], *signature[2:])
        self.__dict__["_prepared"].add(signature)

    def _dry_run(self, kind: str, x: Tree, y: Tree, w: Tree) -> None:
        from kerata.core.dispatch import abstract

        def as_abstract(v: Any) -> Any:
            return (
                None
                if v is None
                else tree.map_structure(lambda leaf: None if leaf is None else abstract(leaf), v)
            )

        x, y, w = as_abstract(x), as_abstract(y), as_abstract(w)
        with setting(abstract=STATE.abstract + 1):
            if kind == "predict" or self._overridden("train_step", "test_step"):
                if not self.built or kind == "predict":
                    self._forward(x, kind == "train")
                return
            y_pred = self._forward(x, kind == "train")
            self.compute_loss(x, y, y_pred, w, training=kind == "train")
            if not self._overridden("compute_metrics"):
                self._update_metrics(y, y_pred, w)

    def _assert_compiled(self, call: str) -> None:
        if not self.compiled:
            raise StateError(
                f"Compile the model {self.name!r} before `{call}`: model.compile(optimizer=..., loss=...)."
            )

    # ---- fit -------------------------------------------------------------------------------------
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> Any:
        """Trains the model.

        Args:
            x: inputs: arrays in any structure, a generator, a PyDataset, a DataLoader, a tf.data.Dataset …
            y: targets, where `x` does not bring them.
            batch_size: rows in a batch; 32 by default.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line for each epoch, "auto".
            callbacks: callbacks.
            validation_split: fraction of the data, from its end, to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or anything that `x` may be.
            shuffle: whether arrays are shuffled anew for each epoch; "batch" for whole batches.
            class_weight: class -> weight of its samples.
            sample_weight: a weight for each sample.
            initial_epoch: number of epochs done before.
            steps_per_epoch: batches in an epoch.
            validation_steps: batches of a validation.
            validation_batch_size: rows in a batch of a validation.
            validation_freq: after how many epochs, or after which, to validate.

        Returns:
            A `History`: `history.history["loss"]` and so on.
        """
        self._assert_compiled("fit")
        if not isinstance(epochs, (int, np.integer)) or epochs < 0:
            raise ArgumentError("epochs", expected="an integer, 0 or more", got=epochs)
        if validation_split:
            (x, y, sample_weight), validation_data = split_validation(x, y, sample_weight, validation_split)
        with setting(engine=self.engine):
            source = as_batches(
                x,
                y,
                sample_weight,
                batch_size=batch_size,
                steps=steps_per_epoch,
                shuffle=shuffle,
                class_weight=class_weight,
            )
            check_labels(self, y)
            logger = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=_verbosity(verbose),
                epochs=epochs, steps=source.steps_per_epoch,
            )  # fmt: skip
            validation = self._validation(
                validation_data, validation_batch_size or batch_size, validation_steps
            )
            self.stop_training = False
            try:
                self._fit(source, logger, initial_epoch, epochs, validation, validation_freq)
            finally:
                source.close()
                if validation is not None:
                    validation.close()
                logger.close()
        return self.history

    def _fit(
        self, source: Any, logger: Any, first: int, epochs: int, validation: Any, frequency: Any
    ) -> None:
        self._initial_epoch = first
        logger.on_train_begin()
        first = self._initial_epoch  # `BackupAndRestore` may have found a later one
        logs: Any = {}
        for epoch in range(first, epochs):
            self.reset_metrics()
            logger.on_epoch_begin(epoch)
            source.on_epoch_begin()
            logs = dict(self._train_epoch(source, epoch, logger))
            source.on_epoch_end()
            if not logs:  # a generator ended together with the last epoch
                break
            if validation is not None and _due(epoch, frequency):
                logs.update({f"val_{k}": v for k, v in self._evaluate(validation, logger).items()})
            logger.on_epoch_end(epoch, logs)
            if source.exhausted and source.steps_per_epoch is None and epoch + 1 < epochs:
                source.warn_dry()
            if self.stop_training or source.exhausted:
                break
        if self.optimizer is not None and epochs > first:
            self.optimizer.finalize_variable_values(self.trainable_variables)
        logger.on_train_end(logs)

    def _train_epoch(self, source: Any, epoch: int, logger: Any) -> dict[str, Any]:
        """One pass; nothing is called for each batch that nobody asked for."""
        begin, end = logger.wants_train_batch_begin, logger.wants_train_batch_end
        listens = begin or end
        returned: Any = None
        step, run = -1, cast(Any, None)
        signature: Any = None
        for step, (x, y, w) in enumerate(source.epoch(epoch)):
            kind = (_signature(x), _signature(y), _signature(w))
            if kind != signature:
                self._prepare("train", x, y, w)
                signature, run = kind, self._step("train")
            if begin:
                logger.on_train_batch_begin(step)
            returned = run(x, y, w)
            if end:
                logger.on_train_batch_end(step, self._logs_reader(returned))
            if listens and self.stop_training:
                break
        if step < 0 and source.exhausted:
            return {}
        if step < 0:
            raise ArgumentError("x", expected="data with at least one batch", got="no batches")
        return self._read_logs(returned)

    def _logs_reader(self, returned: Any) -> Callable[[], dict[str, Any]]:
        return lambda: self._read_logs(returned)

    def _read_logs(self, returned: Any) -> dict[str, Any]:
        """The logs of a step as numbers: what it gave, or else the state of the metrics."""
        if returned is None:
            with setting(engine=self.engine, scope=None), self.engine.inference_scope():
                returned = self.get_metrics_result()
        if not isinstance(returned, dict):
            raise ArgumentError("train_step", expected="a function that gives a dict of logs", got=returned)
        return {k: _number(v) for k, v in returned.items()}

    def _validation(self, data: Any, batch_size: int | None, steps: int | None) -> Any:
        if data is None:
            return None
        if isinstance(data, (tuple, list)) and 1 <= len(data) <= 3:
            x, y, w = unpack_x_y_sample_weight(tuple(data))
        else:
            x, y, w = data, None, None
            batch_size = None
        check_labels(self, y)
        return as_batches(x, y, w, batch_size=batch_size, steps=steps, training=False)

    # ---- evaluate --------------------------------------------------------------------------------
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data: a number, a list, or with `return_dict` a dict."""
        self._assert_compiled("evaluate")
        with setting(engine=self.engine):
            source = as_batches(x, y, sample_weight, batch_size=batch_size, steps=steps, training=False)
            check_labels(self, y)
            logger = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
                callbacks, add_progbar=verbose != 0, model=self, verbose=_verbosity(verbose), epochs=1,
                steps=source.steps_per_epoch,
            )  # fmt: skip
            try:
                logs = self._evaluate(source, logger)
            finally:
                source.close()
                logger.close()
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def _evaluate(self, source: Any, logger: Any) -> dict[str, Any]:
        logger.on_test_begin()
        self.reset_metrics()
        begin, end = logger.wants_test_batch_begin, logger.wants_test_batch_end
        returned, step = None, -1
        source.on_epoch_begin()
        for step, (x, y, w) in enumerate(source.epoch(0)):
            self._prepare("test", x, y, w)
            if begin:
                logger.on_test_batch_begin(step)
            returned = self._step("test")(x, y, w)
            if end:
                logger.on_test_batch_end(step, self._logs_reader(returned))
        source.on_epoch_end()
        if step < 0:
            raise ArgumentError("x", expected="data with at least one batch", got="no batches")
        logs = self._read_logs(returned)
        logger.on_test_end(logs)
        return logs

    # ---- predict ---------------------------------------------------------------------------------
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all inputs, as NumPy arrays in the structure of the outputs."""
        if STATE.engine is self.engine:
            return self._predict(x, batch_size, verbose, steps, callbacks)
        with setting(engine=self.engine):
            return self._predict(x, batch_size, verbose, steps, callbacks)

    def _predict(
        self, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any
    ) -> Any:
        source = as_batches(x, batch_size=batch_size, steps=steps, training=False)
        logger: Any = None
        if callbacks or verbose not in (0, "auto") or (verbose == "auto" and source.only_batch is None):
            logger = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
                callbacks, add_progbar=verbose != 0, model=self, verbose=_verbosity(verbose), epochs=1,
                steps=source.steps_per_epoch,
            )  # fmt: skip
        only = source.only_batch
        if logger is None and only is not None:
            self._prepare("predict", only[0], None, None)
            return _as_numpy(self._step("predict")(only[0]))
        try:
            return self._predict_batches(source, logger)
        finally:
            source.close()
            if logger is not None:
                logger.close()

    def _predict_batches(self, source: Any, logger: Any) -> Any:
        if logger is not None:
            logger.on_predict_begin()
        outputs: list[Any] = []
        run: Any = None
        signature: Any = None
        listens = logger is not None and logger.wants_predict_batch
        for step, (x, *_) in enumerate(source.epoch(0)):
            kind = _signature(x)
            if kind != signature:
                self._prepare("predict", x, None, None)
                signature, run = kind, self._step("predict")
            if listens:
                logger.on_predict_batch_begin(step)
            outputs.append(run(x))
            if listens:
                logger.on_predict_batch_end(step, {"outputs": outputs[-1]})
        if not outputs:
            raise ArgumentError("x", expected="data with at least one batch", got="no batches")
        result = tree.map_structure(lambda *parts: np.concatenate([_as_numpy(p) for p in parts]), *outputs)
        if logger is not None:
            logger.on_predict_end()
        return result

    # ---- one batch -------------------------------------------------------------------------------
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step on one batch; the loss and metrics since the last reset."""
        self._assert_compiled("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ArgumentError(
                    "class_weight", expected="None where `sample_weight` is given", got=class_weight
                )
            from .data.weights import ClassWeights

            sample_weight = ClassWeights(class_weight).of(np.asarray(y))
        return self._on_batch("train", x, y, sample_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch, added to those since the last reset."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def _on_batch(self, kind: str, x: Any, y: Any, w: Any, return_dict: bool) -> Any:
        with setting(engine=self.engine):
            x, y, w = self._arrays(x, "x"), self._arrays(y, "y"), self._arrays(w, "sample_weight")
            count_samples(x, y, w)
            self._prepare(kind, x, y, w)
            logs = self._read_logs(self._step(kind)(x, y, w))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        with setting(engine=self.engine):
            x = self._arrays(x, "x")
            self._prepare("predict", x, None, None)
            return _as_numpy(self._step("predict")(x))

    def _arrays(self, x: Any, argument: str) -> Any:
        """A batch as users hand it to the `…_on_batch` methods: arrays and the engine's tensors stay, lists become arrays."""
        return arrays_of(x, argument, keep=self.engine.name, narrow=True)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Tensor],
        non_trainable_variables: Sequence[Tensor],
        metrics_variables: Sequence[Tensor],
        x: Tree = None,
        y: Tree = None,
        y_pred: Tree = None,
        sample_weight: Tree = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """`compute_loss` as a pure function of the values of all variables."""
        from kerata.core.scope import StatelessScope

        pairs = [
            *zip(self.trainable_variables, trainable_variables, strict=True),
            *zip(self.non_trainable_variables, non_trainable_variables, strict=True),
            *zip(self.metrics_variables, metrics_variables, strict=True),
        ]
        with StatelessScope(pairs) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        return loss, tuple([scope.get_current_value(v) for v in group] for group in groups)


# ---- pieces --------------------------------------------------------------------------------------


def _rows(x: Tree) -> Any:
    leaf = x if hasattr(x, "shape") else next(iter(tree.flatten(x)), None)
    shape = ops.shape(leaf)
    return shape[0] if shape else 1


def _packed(x: Tree, y: Tree, w: Tree) -> Data:
    if w is not None:
        return x, y, w
    return (x, y) if y is not None else (x,)


def _signature(x: Any) -> Any:
    """What a compiled step depends on: shapes and dtypes."""
    if x is None:
        return None
    if isinstance(x, (list, tuple)):
        return tuple(_signature(v) for v in x)
    if isinstance(x, dict):
        return tuple((k, _signature(v)) for k, v in x.items())
    return getattr(x, "shape", None), getattr(x, "dtype", None)


def _number(x: Any) -> Any:
    if isinstance(x, (int, float)):
        return x
    if isinstance(x, dict):
        return {k: _number(v) for k, v in x.items()}
    array = ops.convert_to_numpy(x)
    return float(array) if array.ndim == 0 else array


def _as_numpy(outputs: Tree) -> Tree:
    if isinstance(outputs, (list, tuple, dict)):
        return tree.map_structure(_as_numpy, outputs)
    return ops.convert_to_numpy(outputs)


def _verbosity(verbose: int | str) -> int:
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ArgumentError("verbose", expected='0, 1, 2 or "auto"', got=verbose)
    return int(verbose)


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    if isinstance(frequency, (list, tuple)):
        return epoch + 1 in frequency
    if not isinstance(frequency, int) or frequency < 1:
        raise ArgumentError(
            "validation_freq", expected="a positive integer or a list of epochs", got=frequency
        )
    return (epoch + 1) % frequency == 0
