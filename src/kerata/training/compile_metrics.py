"""The metrics of `compile`, matched with the outputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import metrics, ops
from kerata.core.errors import ArgumentError
from kerata.core.naming import to_snake_case
from kerata.metrics.metric import Metric

from .compile_losses import _aligned, _by_key, _spread

Tensor = Any
Tree = Any
_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


class CompileMetrics:
    """Updates each output's metrics and names their results.

    Args:
        given: a list of metrics; or, for several outputs, a list of lists or a dict by output.
        weighted: whether sample weights are used.
        output_names: names of the outputs.
        beside: the unweighted metrics, whose names the weighted ones may not take.
    """

    def __init__(
        self,
        given: Any,
        weighted: bool,
        output_names: Sequence[str] | None = None,
        beside: CompileMetrics | None = None,
    ) -> None:
        self.given, self.weighted, self.beside = given, weighted, beside
        self.names = list(output_names or ())
        self._plan: list[tuple[Any, Metric, str]] | None = None
        self.several = False  # whether there are several outputs, after which metrics are named
        for one in _flat(given):
            if (
                one is not None
                and not isinstance(one, str)
                and not callable(one)
                and not isinstance(one, Metric)
            ):
                raise ArgumentError(
                    "metrics", expected="names, functions or kerata.metrics.Metric objects", got=one
                )
            if isinstance(one, str) and one.lower() not in (*_ACCURACY, *_CROSSENTROPY):
                metrics.get(one)  # an unknown name is told at once

    @property
    def metrics(self) -> list[Metric]:
        return [m for _, m, _ in self._plan or ()]

    def update_state(self, y_true: Tree, y_pred: Tree, sample_weight: Tree = None) -> None:
        outputs = _by_key(y_pred, self.names)
        if self._plan is None:
            self._plan = self._make_plan(_aligned(y_true, outputs, "y", one_for_all=True), outputs)
        if not self._plan:
            return
        targets = _aligned(y_true, outputs, "y", one_for_all=True)
        weights = _aligned(
            sample_weight if self.weighted else None, outputs, "sample_weight", one_for_all=True
        )
        for key, metric, _ in self._plan:
            if self.weighted and weights[key] is not None:
                metric.update_state(targets[key], outputs[key], sample_weight=weights[key])
            else:
                metric.update_state(targets[key], outputs[key])

    @property
    def named(self) -> list[tuple[str, Metric]]:
        """(name in the logs, metric) of each."""
        return [(name, metric) for _, metric, name in self._plan or ()]

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def _make_plan(
        self, targets: dict[Any, Any], outputs: dict[Any, Tensor]
    ) -> list[tuple[Any, Metric, str]]:
        several = self.several = len(outputs) > 1
        given = self.given
        if several and isinstance(given, (list, tuple)) and len(given) != len(outputs):
            raise ArgumentError(
                "metrics", expected=f"a list of {len(outputs)} lists, one for each output", got=given
            )
        spread = (
            _spread(given, outputs, "metrics")
            if several or isinstance(given, dict)
            else {next(iter(outputs)): given}
        )
        plan: list[tuple[Any, Metric, str]] = []
        taken = (
            {(key, name) for key, _, name in (self.beside._plan or ())} if self.beside is not None else set()
        )
        for place, (key, wanted) in enumerate(spread.items()):
            label = key if isinstance(key, str) else (self.names[place] if place < len(self.names) else None)
            for one in _flat(wanted):
                if one is None:
                    continue
                metric, name = make_metric(one, targets[key], outputs[key])
                prefix = f"{label}_" if several and label else ""
                name = f"{prefix}weighted_{name}" if (key, prefix + name) in taken else prefix + name
                while any(name == used for *_, used in plan):
                    name = f"{name}_1"
                if not isinstance(one, Metric):  # logs, and loops over `model.metrics`, know it by this name
                    metric.name = name
                plan.append((key, metric, name))
        return plan


def _flat(given: Any) -> list[Any]:
    if isinstance(given, dict):
        return [m for v in given.values() for m in _flat(v)]
    if isinstance(given, (list, tuple)):
        return [m for v in given for m in _flat(v)]
    return [given]


def make_metric(given: Any, y_true: Tensor, y_pred: Tensor) -> tuple[Metric, str]:
    """A metric and its name; "accuracy" and "crossentropy", in any spelling, are chosen by the shapes."""
    if isinstance(given, str) and given.lower() in (*_ACCURACY, *_CROSSENTROPY):
        kind = "Accuracy" if given.lower() in _ACCURACY else "Crossentropy"
        metric = metrics.get(_family(y_true, y_pred) + kind)
    else:
        metric = metrics.get(given)
    if isinstance(metric, Metric):
        return metric, given if isinstance(given, str) else metric.name
    name = to_snake_case(getattr(metric, "__name__", type(metric).__name__))
    return metrics.MeanMetricWrapper(metric, name=name), given if isinstance(given, str) else name


def _family(y_true: Tensor, y_pred: Tensor) -> str:
    """Binary, sparse or categorical, by the last axes of targets and predictions."""
    true, pred = ops.shape(y_true), ops.shape(y_pred)
    if pred[-1:] == (1,) or (len(pred) == len(true) == 1):
        return "Binary"
    sparse = len(true) < len(pred) or (true[-1:] == (1,) and pred[-1] > 1)
    return "SparseCategorical" if sparse else "Categorical"
