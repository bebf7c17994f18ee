"""`compile`, `fit`, `evaluate`, `predict`: one training loop for all engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.callbacks.callback_list import CallbackList
from kerata.core import config, tree
from kerata.core.checks import nothing_else, positive_int
from kerata.core.errors import ArgumentError
from kerata.core.scope import with_values
from kerata.core.state import STATE, setting

from .data import as_batches, split_validation, unpack_x_y_sample_weight
from .data.structure import arrays_of
from .labels import check_labels
from .state_tree import assignments, state_tree
from .steps import Steps

Tensor = Any
Tree = Any


class Trainer(Steps):
    """The training half of `Model`."""

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
        most = config.max_epochs()
        epochs = epochs if most is None else min(epochs, most)
        _check_frequency(validation_freq)
        counts = dict(
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
        )
        for argument, count in counts.items():
            if count is not None:
                positive_int(argument, count)
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
                self._look_at(source, validation)
                self._fit(source, logger, initial_epoch, epochs, validation, validation_freq)
            finally:
                source.close()
                if validation is not None:
                    validation.close()
                logger.close()
        return self.history

    def _look_at(self, source: Any, validation: Any) -> None:
        """Finds what does not fit the model in data that can be looked at beforehand, before anything is changed."""
        for kind, data in (("train", source), ("test", validation)):
            batch = None if data is None else data.first_batch
            if batch is not None:
                self._prepare(kind, *batch)

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
        returned, last = None, -1
        for first, last, run, batch in self._calls("train", source.epoch(epoch)):
            if begin:
                logger.on_train_batch_begin(first)
            returned = run(*batch)
            if end:
                logger.on_train_batch_end(last, self._logs_reader(returned))
            if listens and self.stop_training:
                break
        if last < 0 and source.exhausted:
            return {}
        if last < 0:
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
        nothing_else("evaluate", kwargs)
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
        return _returned(logs, return_dict)

    def _evaluate(self, source: Any, logger: Any) -> dict[str, Any]:
        logger.on_test_begin()
        self.reset_metrics()
        begin, end = logger.wants_test_batch_begin, logger.wants_test_batch_end
        returned, last = None, -1
        source.rewind()  # each validation is of the same batches
        source.on_epoch_begin()
        for first, last, run, batch in self._calls("test", source.epoch(0)):
            if begin:
                logger.on_test_batch_begin(first)
            returned = run(*batch)
            if end:
                logger.on_test_batch_end(last, self._logs_reader(returned))
        source.on_epoch_end()
        if last < 0:
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
        listens = logger is not None and logger.wants_predict_batch
        for first, last, run, batch in self._calls("predict", source.epoch(0)):
            if listens:
                logger.on_predict_batch_begin(first)
            outputs.append(run(*batch))
            if listens:
                logger.on_predict_batch_end(last, {"outputs": outputs[-1]})
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
        """One training step on one batch; the loss and metrics of that batch."""
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
        """Loss and metrics of one batch."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def _on_batch(self, kind: str, x: Any, y: Any, w: Any, return_dict: bool) -> Any:
        with setting(engine=self.engine):
            x, y, w = self._arrays(x, "x"), self._arrays(y, "y"), self._arrays(w, "sample_weight")
            self._prepare(kind, x, y, w)
            logs = self._read_logs(self._step(kind, logs=True)(x, y, w))
        return _returned(logs, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        with setting(engine=self.engine):
            x = self._arrays(x, "x")
            self._prepare("predict", x, None, None)
            return _as_numpy(self._step("predict")(x))

    def _arrays(self, x: Any, argument: str) -> Any:
        """A batch as users hand it to the `…_on_batch` methods: arrays and the engine's tensors stay, lists become arrays."""
        return arrays_of(x, argument, keep=self.engine.name, narrow=True)

    # ---- state -----------------------------------------------------------------------------------
    def _state_groups(self) -> dict[str, list[Any]]:
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": [] if self.optimizer is None else self.optimizer.variables,
            "metrics_variables": self.metrics_variables,
        }

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The values of all variables: for each kind of them, nested dicts by the parts of their paths.

        Args:
            value_format: "backend_tensor", or "numpy_array" for copies.

        Example:
            >>> import kerata
            >>> model = kerata.Sequential([kerata.Input((2,)), kerata.layers.Dense(1, name="d")], name="s")
            >>> list(model.get_state_tree()["trainable_variables"]["s"]["d"])
            ['kernel', 'bias']
        """
        return {kind: state_tree(group, value_format) for kind, group in self._state_groups().items()}

    def set_state_tree(self, state_tree: Any) -> None:
        """Assigns what `get_state_tree` gave, or a part of it. Nothing is changed where something does not fit."""
        groups = self._state_groups()
        if not isinstance(state_tree, dict) or not set(state_tree) <= set(groups):
            raise ArgumentError(
                "state_tree", expected=f"a dict with some of the keys {list(groups)}", got=state_tree
            )
        found = [pair for kind, part in state_tree.items() for pair in assignments(part, groups[kind], kind)]
        for variable, value in found:
            variable.assign(value)

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
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        names = ("trainable_variables", "non_trainable_variables", "metrics_variables")
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        with with_values(*zip(names, groups, given, strict=True)) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
        return loss, tuple([scope.get_current_value(v) for v in group] for group in groups)


# ---- pieces --------------------------------------------------------------------------------------


def _returned(logs: dict[str, Any], as_dict: bool) -> Any:
    """What users get: by name, as in a history; or the values, the loss first, a lone one as it is."""
    if as_dict:
        return dict(sorted(logs.items()))
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


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


def _check_frequency(frequency: Any) -> None:
    if isinstance(frequency, (list, tuple)) or (isinstance(frequency, int) and frequency >= 1):
        return
    raise ArgumentError("validation_freq", expected="a positive integer or a list of epochs", got=frequency)


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether to validate after an epoch."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
