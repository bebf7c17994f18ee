"""What `compile` fixes: optimizer, losses, metrics, and how steps are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerata import metrics as metrics_
from kerata import optimizers
from kerata.core.errors import ArgumentError, StateError
from kerata.core.serialization import deserialize_keras_object, kinds_of_field, serialize_keras_object
from kerata.core.state import setting
from kerata.core.variable import Variable

from .compile_losses import CompileLosses
from .compile_metrics import CompileMetrics

if TYPE_CHECKING:  # it is mixed into a layer
    from kerata.layers.layer import Layer as _Host
else:
    _Host = object


class Compilation(_Host):
    """The part of `Model` that `compile` sets, and the metrics that it makes."""

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
        scaled = optimizer is None or isinstance(optimizer, optimizers.LossScaleOptimizer)
        if self.dtype_policy.name == "mixed_float16" and auto_scale_loss and not scaled:
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
        self.compile(**{k: deserialize_keras_object(v, kinds=kinds_of_field(k)) for k, v in config.items()})
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
        inner = (
            layer for layer in self._flatten_layers() if layer is not self and isinstance(layer, Compilation)
        )
        known = {id(m) for model in (self, *inner) if model.compiled for m in model._own_metrics()}
        return own + [m for m in super().metrics if id(m) not in known]

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics` in the logs, in the order in which `evaluate` gives their values."""
        return [name for name, _ in self._named_metrics()]

    def _named_metrics(self) -> list[tuple[str, Any]]:
        """(name in the logs, metric) of each of `metrics`, which a model of one's own may have fewer of.

        In Keras's order: the loss, that of each output, what `compile` was given, what the layers have. With several
        outputs, what `compile` was given is named after them, and comes last, by name.
        """
        metrics, named = self.metrics, []
        listed, known = {id(m) for m in metrics}, {id(m) for m in self._own_metrics()}
        if self.compiled and id(self._loss_tracker) in listed:
            trackers = [] if self._compile_losses is None else self._compile_losses.trackers
            named = [("loss", self._loss_tracker), *((t.name, t) for t in trackers)]
        groups = (
            [g for g in self._compile_metrics if listed.issuperset(map(id, g.metrics))]
            if self.compiled
            else []
        )
        given = [entry for g in groups for entry in g.named]
        in_layers = [(m.name, m) for m in metrics if id(m) not in known]
        if any(g.several for g in groups):
            return [*named, *in_layers, *sorted(given, key=lambda entry: entry[0])]
        return [*named, *given, *in_layers]

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    def reset_metrics(self) -> None:
        """Puts all metrics back to their first state."""
        with setting(engine=self.engine):
            for metric in self.metrics:
                metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> current value of each metric of `metrics`; those of metrics that give a dict come last, by name."""
        found: dict[str, Any] = {}
        several: dict[str, Any] = {}
        for name, metric in self._named_metrics():
            value = metric.result()
            if isinstance(value, dict):
                several.update(value)
            else:
                found[name] = value
        return {**found, **dict(sorted(several.items()))}

    def _assert_compiled(self, call: str) -> None:
        if not self.compiled:
            raise StateError(
                f"Compile the model {self.name!r} before `{call}`: model.compile(optimizer=..., loss=...)."
            )
