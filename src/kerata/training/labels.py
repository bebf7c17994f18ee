"""Finds labels that no class stands for, before the first step: engines would give NaN, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core.errors import ArgumentError
from kerata.losses.loss import Loss


def check_labels(model: Any, y: Any) -> None:
    """Raises an ArgumentError if integer labels of a sparse crossentropy are NaN or out of range."""
    losses = model._compile_losses
    if losses is None or not isinstance(y, np.ndarray) or not y.size or not isinstance(losses._single, Loss):
        return
    if not getattr(losses._single, "takes_labels", False) or y.dtype.kind not in "iuf":
        return
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ArgumentError("y", expected="class labels, whole numbers", got="NaN or infinite labels")
    low, high = y.min(), y.max()
    classes = _classes(model)
    ignored = getattr(losses._single, "ignore_class", None)
    if ignored is not None and (low == ignored or high == ignored):
        kept = y[y != ignored]
        if not kept.size:
            return
        low, high = kept.min(), kept.max()
    if low < 0 or (classes is not None and high >= classes):
        bound = f"in [0, {classes})" if classes is not None else "0 or more"
        raise ArgumentError(
            "y",
            expected=f"class labels {bound}, as many as the last axis of the outputs has",
            got=f"labels from {low} to {high}",
            fix="Give the last layer more units, or mend the labels.",
        )


def _classes(model: Any) -> int | None:
    graph = model.__dict__.get("_graph")
    if graph is None or len(graph.outputs) != 1:
        return None
    shape = graph.outputs[0].shape
    return shape[-1] if shape else None
