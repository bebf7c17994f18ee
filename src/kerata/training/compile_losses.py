"""The losses of `compile`, matched with the outputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import losses, ops
from kerata.core import tree
from kerata.core.errors import ArgumentError
from kerata.losses.loss import Loss, LossFunctionWrapper

Tensor = Any
Tree = Any


def as_loss(loss: Any) -> Any:
    """A loss object of what users write: a name, a function, an object; None stays."""
    loss = losses.get(loss)
    if loss is None or isinstance(loss, Loss):
        return loss
    wrapped = LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))
    wrapped.takes_labels = loss is losses.sparse_categorical_crossentropy
    return wrapped


class CompileLosses:
    """Adds up the losses of all outputs, each times its weight.

    Args:
        loss: one loss, or a list or dict of them in the structure of the outputs.
        weights: a factor for each.
        output_names: names of the outputs, where the model has names for them.
    """

    def __init__(self, loss: Any, weights: Any = None, output_names: Sequence[str] | None = None) -> None:
        self.given, self.given_weights = loss, weights
        self.names = list(output_names or ())
        self.trackers: list[Any] = []  # a Mean for each of several outputs
        self._single = as_loss(loss) if not isinstance(loss, (list, tuple, dict)) else None
        if isinstance(loss, (list, tuple, dict)):
            for one in tree.flatten(loss):
                as_loss(one)  # an unknown name is told at once
        self._plan: list[tuple[Any, Any, float, str]] | None = None

    def __call__(self, y_true: Tree, y_pred: Tree, sample_weight: Tree = None) -> Tensor | None:
        if y_true is None:
            raise ArgumentError(
                "y", expected="targets, for the loss of `compile` compares outputs with them", got=None
            )
        if self._single is not None and not isinstance(y_pred, (list, tuple, dict)):
            y_true, sample_weight = self._of_only(y_true, "y"), self._of_only(sample_weight, "sample_weight")
            value = self._single(y_true, y_pred, sample_weight)
            factor = self._single_weight()
            return value if factor is None else ops.multiply(value, factor)
        return self._several(y_true, y_pred, sample_weight)

    def _single_weight(self) -> Any:
        weights = self.given_weights
        if not isinstance(weights, (list, tuple, dict)):
            return weights
        outputs: Any = self.names or (weights if isinstance(weights, dict) else [0])
        return next(iter(_spread(weights, dict.fromkeys(outputs), "loss_weights").values()))

    def _of_only(self, given: Tree, argument: str) -> Tree:
        """What a dict holds for the only output."""
        if not isinstance(given, dict):
            return given
        if len(given) == 1 and (not self.names or self.names[0] in given):
            return next(iter(given.values()))
        raise ArgumentError(
            argument, expected=f"a tensor, or a dict with the name of the output {self.names}", got=given
        )

    def _several(self, y_true: Tree, y_pred: Tree, sample_weight: Tree) -> Tensor | None:
        outputs = _by_key(y_pred, self.names)
        if self._plan is None:
            self._plan = self._make_plan(outputs)
        targets = _aligned(y_true, outputs, "y", [key for key, *_ in self._plan])
        weights = _aligned(sample_weight, outputs, "sample_weight", one_for_all=True)
        total, values = None, []
        for key, loss, factor, _ in self._plan:
            if targets[key] is None and isinstance(y_true, dict):
                raise ArgumentError(
                    "y", expected=f"a dict with targets for {key!r}", got=f"the keys {list(y_true)}"
                )
            value = loss(targets[key], outputs[key], weights[key])
            values.append(value)
            value = value if factor == 1 else ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        if len(self.trackers) == len(values):
            rows = ops.shape(next(iter(outputs.values())))[0]
            for tracker, value in zip(self.trackers, values, strict=True):
                tracker.update_state(value, sample_weight=rows)
        return total

    def _make_plan(self, outputs: dict[Any, Tensor]) -> list[tuple[Any, Any, float, str]]:
        given = _spread(self.given, outputs, "loss")
        factors = _spread(self.given_weights, outputs, "loss_weights", default=1.0)
        chosen = {k: as_loss(v) for k, v in given.items()}
        names = dict(zip(outputs, self.names, strict=False))
        plan = []
        for k, v in chosen.items():
            if v is not None:
                name = k if isinstance(k, str) else names.get(k, v.name)
                plan.append((k, v, 1.0 if factors[k] is None else factors[k], name))
        if len(plan) > 1:
            from kerata.metrics.mean import Mean

            self.trackers = [Mean(name=f"{name}_loss") for *_, name in plan]
        return plan


def _by_key(y_pred: Tree, names: Sequence[str]) -> dict[Any, Tensor]:
    """Outputs by name, where each has its own, or by place; those inside others by a path such as "a/b"."""
    if isinstance(y_pred, dict):
        if not any(isinstance(v, _NESTS) for v in y_pred.values()):
            return y_pred
        return {"/".join(map(str, path)): leaf for path, leaf in tree.flatten_with_path(y_pred)}
    flat = tree.flatten(y_pred)
    return dict(zip(names if len(set(names)) == len(flat) else range(len(flat)), flat, strict=True))


_NESTS = (dict, list, tuple)


def _items(nest: Any) -> list[tuple[Any, Any]]:
    return list(nest.items() if isinstance(nest, dict) else enumerate(nest))


def _by_path(given: dict[Any, Any], outputs: dict[Any, Tensor]) -> dict[Any, Any]:
    """What was given in the structure of nested outputs, by their paths; one for several outputs goes to each."""
    found: dict[Any, Any] = {}
    for key, value in given.items():
        inside = [path for path in outputs if isinstance(path, str) and path.startswith(f"{key}/")]
        parts = {f"{key}/{k}": v for k, v in _items(value)} if isinstance(value, _NESTS) else {}
        if key in outputs or not inside:
            found[key] = value
        elif _fits(parts, inside) or (isinstance(value, dict) and "class_name" not in value):
            found.update(_by_path(parts, outputs))
        else:
            found.update(dict.fromkeys(inside, value))
    return found


def _fits(parts: dict[str, Any], paths: list[str]) -> bool:
    return any(path == part or path.startswith(f"{part}/") for part in parts for path in paths)


def _spread(given: Any, outputs: dict[Any, Tensor], argument: str, default: Any = None) -> dict[Any, Any]:
    """One entry for each output of what was given for one, by place or by name."""
    if given is None:
        return dict.fromkeys(outputs, default)
    if isinstance(given, dict):
        given, keys = _by_path(given, outputs), list(outputs)
        unknown = [k for k in given if k not in outputs]
        if unknown:
            raise ArgumentError(argument, expected=f"a dict with keys among the outputs {keys}", got=unknown)
        return {k: given.get(k) for k in outputs}
    if isinstance(given, (list, tuple)):
        if len(given) != len(outputs):
            raise ArgumentError(
                argument,
                expected=f"a list of {len(outputs)}, one for each output",
                got=f"{len(given)} of them",
            )
        return dict(zip(outputs, given, strict=True))
    return dict.fromkeys(outputs, given)


def _aligned(
    values: Tree,
    outputs: dict[Any, Tensor],
    argument: str,
    wanted: Sequence[Any] = (),
    one_for_all: bool = False,
) -> dict[Any, Any]:
    """Targets or weights for each output, or for the wanted ones alone."""
    if values is None:
        return dict.fromkeys(outputs)
    values = _by_path(values, outputs) if isinstance(values, dict) else values
    if isinstance(values, dict) and (set(values) & set(outputs) or all(isinstance(k, str) for k in outputs)):
        return {k: values.get(k) for k in outputs}
    flat = tree.flatten(values)
    if len(flat) == len(outputs):
        return dict(zip(outputs, flat, strict=True))
    if len(flat) == len(wanted):
        return {**dict.fromkeys(outputs), **dict(zip(wanted, flat, strict=True))}
    if one_for_all and len(flat) == 1:
        return dict.fromkeys(outputs, flat[0])
    raise ArgumentError(
        argument, expected=f"{len(outputs)} arrays, one for each output", got=f"{len(flat)} of them"
    )
