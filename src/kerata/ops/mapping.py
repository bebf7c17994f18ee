"""Functions of functions: vectorised over axes, and derivatives along directions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from kerata.core import rules, tree
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.primitives import zeros_of
from kerata.core.state import STATE, setting

from .control import Transform, is_abstract, is_symbolic, vectorized_map
from .core import convert_to_tensor, vjp
from .creation import zeros_like
from .shaping import broadcast_to, reshape

Tensor = Any
_CORE = r"\((\s*|\s*\w+\s*(,\s*\w+\s*)*)\)"
_SIGNATURE = re.compile(rf"^\s*{_CORE}(\s*,\s*{_CORE})*\s*->\s*{_CORE}(\s*,\s*{_CORE})*\s*$")


def _parse(signature: str | None, count: int) -> tuple[list[list[str]], list[list[str]] | None]:
    """The core dimensions of each argument and result; without a signature, none."""
    if signature is None:
        return [[] for _ in range(count)], None
    if not isinstance(signature, str) or not _SIGNATURE.match(signature):
        raise ArgumentError("signature", expected="of a form such as '(m,n),(n)->(m)'", got=signature)
    sides = []
    for side in signature.split("->"):
        groups = re.findall(r"\(([^)]*)\)", side)
        sides.append([[n.strip() for n in group.split(",") if n.strip()] for group in groups])
    if len(sides[0]) != count:
        raise ArgumentError(
            "signature", expected=f"with {count} arguments, as many as were given", got=signature
        )
    return sides[0], sides[1]


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Sequence[Any] | set[Any] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function of single elements made a function of tensors, with broadcasting.

    Args:
        pyfunc: a function of tensors.
        excluded: positions or names of arguments that are passed on as they are.
        signature: shapes that the function wants, such as "(m,n),(n)->(m)"; scalars where not given.

    Returns:
        The function of tensors.

    Example:
        >>> import kerata
        >>> f = kerata.ops.vectorize(lambda a, b: a * b)
        >>> kerata.ops.convert_to_numpy(f(kerata.ops.arange(3), 2))
        array([0, 2, 4], dtype=int32)
    """
    if not callable(pyfunc):
        raise ArgumentError("pyfunc", expected="a function", got=pyfunc)
    fixed = set(excluded or ())

    def call(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic([*args, *kwargs.values()]):
            return Transform("vectorize", lambda a, k: call(*a, **k))(args, kwargs)
        keep = {k: v for k, v in kwargs.items() if k in fixed}
        names = [k for k in kwargs if k not in fixed]
        places = [i for i in range(len(args)) if i not in fixed]
        tensors = [convert_to_tensor(v) for v in (*(args[i] for i in places), *(kwargs[k] for k in names))]
        cores, _ = _parse(signature, len(tensors))

        def on_one(*values: Any) -> Any:
            given = list(args)
            for i, v in zip(places, values[: len(places)], strict=True):
                given[i] = v
            return pyfunc(*given, **keep, **dict(zip(names, values[len(places) :], strict=True)))

        return _over_batch(on_one, tensors, cores) if tensors else pyfunc(*args, **kwargs)

    return call


def _over_batch(fn: Callable[..., Any], tensors: list[Any], cores: list[list[str]]) -> Any:
    """Broadcasts the axes before the core ones, makes them one, maps over it, and puts them back."""
    for x, core in zip(tensors, cores, strict=True):
        if len(shape_of(x)) < len(core):
            raise ArgumentError("args", expected=f"a tensor with at least {len(core)} dimensions", got=x)
    splits = [len(shape_of(x)) - len(core) for x, core in zip(tensors, cores, strict=True)]
    batch = rules.broadcast(*(tuple(shape_of(x))[:k] for x, k in zip(tensors, splits, strict=True)))
    count = 1
    for size in batch:
        count = count * size
    flat = []
    for x, k in zip(tensors, splits, strict=True):
        rest = tuple(shape_of(x))[k:]
        flat.append(reshape(broadcast_to(x, (*batch, *rest)), (count, *rest)))
    out = vectorized_map(lambda values: fn(*values), tuple(flat))
    return tree.map_structure(lambda y: reshape(y, (*batch, *tuple(shape_of(y))[1:])), out)


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of a function and its derivative along a direction.

    The derivative along a direction is the transpose of the reverse-mode derivative, which is linear in its
    cotangent: differentiating that once more gives it.

    Args:
        fun: a function of tensors that gives a tensor, or a tree of them.
        primals: where to differentiate: a tuple of tensors.
        tangents: the direction: tensors of the same shapes.
        has_aux: whether `fun` gives a pair, of which the second part is not differentiated.

    Returns:
        The value and the derivative; with `has_aux`, what was not differentiated as a third.

    Example:
        >>> import kerata
        >>> value, slope = kerata.ops.jvp(lambda x: x * x, (3.0,), (1.0,))
        >>> float(value), float(slope)
        (9.0, 6.0)
    """
    if (
        not isinstance(primals, (list, tuple))
        or not isinstance(tangents, (list, tuple))
        or len(primals) != len(tangents)
    ):
        raise ArgumentError("tangents", expected="a tuple as long as `primals`", got=tangents)
    leaves = [*primals, *tangents]
    if is_symbolic(leaves):
        return Transform("jvp", lambda p, t: jvp(fun, p, t, has_aux))(tuple(primals), tuple(tangents))
    if is_abstract(leaves):
        out, *aux = fun(*primals) if has_aux else (fun(*primals),)
        return (out, out, *aux)
    points, directions = [convert_to_tensor(x) for x in primals], [convert_to_tensor(t) for t in tangents]
    for x, t in zip(points, directions, strict=True):
        if tuple(shape_of(x)) != tuple(shape_of(t)):
            raise ArgumentError("tangents", expected=f"of shape {tuple(shape_of(x))}, like its primal", got=t)
    kept: dict[str, Any] = {}

    def differentiated(*xs: Any) -> Any:
        out = fun(*xs)
        kept["out"] = out = out[0] if has_aux else out
        return tuple(tree.flatten(out))

    with setting(backward=STATE.backward + 2):  # derivatives of derivatives
        slopes, values = _along(differentiated, points, directions)
    value, slope = (
        tree.pack_sequence_as(kept["out"], list(values)),
        tree.pack_sequence_as(kept["out"], slopes),
    )
    return (value, slope, fun(*points)[1]) if has_aux else (value, slope)


def _along(
    differentiated: Callable[..., Any], points: list[Tensor], directions: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Derivatives along a direction, and the values."""
    values, _ = vjp(differentiated, points)

    def reverse(*cotangents: Any) -> Any:
        _, back = vjp(differentiated, points)
        found = back(tuple(cotangents))
        return tuple(zeros_like(x) if g is None else g for g, x in zip(found, points, strict=True))

    _, forward = vjp(reverse, [zeros_of(v) for v in values])  # zeros that a further derivative goes through
    slopes = forward(tuple(directions))
    return [zeros_like(v) if s is None else s for s, v in zip(slopes, values, strict=True)], values
