"""Nested structures of dict, list, tuple, namedtuple, deque and classes registered with optree.

Keys of a dict come in sorted order, those of an OrderedDict in its own. None is a leaf. A leaf and flat lists and
tuples, which are most of what a layer sees, are handled here; the rest goes to optree, which loads at its first use.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from kerata.core.errors import ArgumentError

_CONTAINERS = (list, tuple, dict)


@cache
def _optree() -> Any:
    import optree  # heavy, and often not needed

    return optree


# Exact classes that are known to be leaves, so that the common case does not ask optree.
_LEAF_TYPES: set[type] = {int, float, bool, complex, str, bytes, type(None), type}


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in place of a node.

    Example:
        >>> traverse(lambda x: MAP_TO_NONE if x == 2 else None, [1, 2])
        [1, None]
    """


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container rather than a leaf.

    Example:
        >>> is_nested([]), is_nested({"a": 1}), is_nested("ab"), is_nested(None)
        (True, True, False, False)
    """
    kind = type(structure)
    if kind in _CONTAINERS:
        return True
    if kind in _LEAF_TYPES:
        return False
    nested = not _optree().tree_is_leaf(structure, none_is_leaf=True)
    if not nested and len(_LEAF_TYPES) < 1000:
        _LEAF_TYPES.add(kind)
    return nested


def _is_flat(structure: Any) -> bool:
    """Whether `structure` is a plain list or tuple of leaves."""
    if type(structure) not in (list, tuple):
        return False
    for item in structure:
        if type(item) not in _LEAF_TYPES and is_nested(item):
            return False
    return True


def flatten(structure: Any) -> list[Any]:
    """The leaves of `structure` in order.

    Example:
        >>> flatten({"b": 1, "a": [2, (3, None)]})
        [2, 3, None, 1]
    """
    if not is_nested(structure):
        return [structure]
    if _is_flat(structure):
        return list(structure)
    return _optree().tree_leaves(structure, none_is_leaf=True)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of `structure` in order, each with the keys and indices that lead to it.

    Example:
        >>> flatten_with_path({"b": 1, "a": (2, [3])})
        [(('a', 0), 2), (('a', 1, 0), 3), (('b',), 1)]
    """
    if not is_nested(structure):
        return [((), structure)]
    paths, leaves, _ = _optree().tree_flatten_with_path(structure, none_is_leaf=True)
    return list(zip(paths, leaves))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` of the leaves of one or several structures that agree, in the shape of the first one.

    Args:
        func: takes one leaf of each structure.
        *structures: one or more structures.
        none_is_leaf: whether `func` sees None; otherwise None stays None.

    Raises:
        ArgumentError: if the structures differ.

    Example:
        >>> map_structure(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
        {'a': 11, 'b': [22]}
    """
    _check_callable(func)
    first = _first(structures)
    if len(structures) == 1:
        if not is_nested(first):
            return func(first) if none_is_leaf or first is not None else None
        if _is_flat(first):
            mapped = [func(x) if none_is_leaf or x is not None else None for x in first]
            return mapped if type(first) is list else tuple(mapped)
        return _optree().tree_map(func, first, none_is_leaf=none_is_leaf)
    columns, spec = _aligned(structures, none_is_leaf=none_is_leaf, up_to=False)
    return spec.unflatten(map(func, *columns))


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As `map_structure`, but only as deep as `shallow_structure`; `func` may be given whole parts.

    Example:
        >>> map_structure_up_to([None, None], lambda x: x, [[1, 2], 3])
        [[1, 2], 3]
    """
    _check_callable(func)
    _first(structures)
    columns, spec = _aligned((shallow_structure, *structures), none_is_leaf=True, up_to=True)
    return spec.unflatten(map(func, *columns[1:]))


def _aligned(structures: tuple[Any, ...], *, none_is_leaf: bool, up_to: bool) -> tuple[list[list[Any]], Any]:
    """Parts of every structure that stand where the leaves of the first one do, and the first one's spec."""
    leaves, spec = _optree().tree_flatten(structures[0], none_is_leaf=none_is_leaf)
    columns = [leaves]
    for other in structures[1:]:
        try:
            column = spec.flatten_up_to(other)
        except ValueError as error:
            raise _differ(structures[0], other, str(error)) from None
        if not up_to and any(is_nested(part) for part in column):
            raise _differ(structures[0], other, "one has a leaf where the other goes on.")
        columns.append(column)
    return columns, spec


def _differ(first: Any, other: Any, detail: str) -> ArgumentError:
    return ArgumentError(
        "structures", expected=f"nested in the same way: {detail.rstrip('.')}", got=(first, other)
    )


def _first(structures: tuple[Any, ...]) -> Any:
    if not structures:
        raise ArgumentError("structures", expected="at least one structure", got=structures)
    return structures[0]


def _check_callable(func: Any) -> None:
    if not callable(func):
        raise ArgumentError("func", expected="a function", got=func)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raises an error unless `a` and `b` are nested in the same way, with the same kinds of containers.

    dict and OrderedDict are one kind. `check_types` has no effect and is there for old code.

    Raises:
        ArgumentError: they are not.

    Example:
        >>> assert_same_structure({"a": 1, "b": (2,)}, {"b": (0,), "a": 0})
    """
    if check_types is not None:
        warnings.warn("`check_types` has no effect; leave it out.", DeprecationWarning, stacklevel=2)
    _aligned((a, b), none_is_leaf=True, up_to=False)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises an error unless the same keys and indices lead to leaves in `a` and `b`; list and tuple count as one.

    Example:
        >>> assert_same_paths([1, (2, 3)], (4, [5, 6]))
    """
    in_a, in_b = ({path for path, _ in flatten_with_path(x)} for x in (a, b))
    if in_a == in_b:
        return
    only_a, only_b = sorted(in_a - in_b, key=repr), sorted(in_b - in_a, key=repr)
    raise ArgumentError(
        "b",
        expected=f"a structure with the same paths as `a`: missing in `b` {only_a}, missing in `a` {only_b}",
        got=b,
    )


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """A structure nested as `structure`, with the items of `flat_sequence` as its leaves.

    Raises:
        ArgumentError: if there are too few or too many items.

    Example:
        >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    try:
        items = list(flat_sequence)
    except TypeError:
        raise ArgumentError("flat_sequence", expected="a sequence", got=flat_sequence) from None
    nested = is_nested(structure)
    flat = nested and _is_flat(structure)
    spec = None
    if nested and not flat:
        spec = _optree().tree_structure(structure, none_is_leaf=True)
    count = spec.num_leaves if spec is not None else len(structure) if flat else 1
    if len(items) != count:
        raise ArgumentError(
            "flat_sequence",
            expected=f"a sequence of {count} items, one for each leaf",
            got=f"{len(items)} items",
        )
    if spec is not None:
        return spec.unflatten(items)
    if not flat:
        return items[0]
    return items if type(structure) is list else tuple(items)


def lists_to_tuples(structure: Any) -> Any:
    """`structure` with every list turned into a tuple, so that it can be hashed or kept from changes.

    Example:
        >>> lists_to_tuples({"a": [1, [2]]})
        {'a': (1, (2,))}
    """
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """As `map_structure`, where lists and tuples of integers and None, which are shapes, count as leaves.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": (2,)})
        {'a': 2, 'b': 1}
    """
    _check_callable(func)
    return _optree().tree_map(func, structure, is_leaf=is_shape, none_is_leaf=True)


def is_shape(x: Any) -> bool:
    """Whether `x` is a list or tuple of integers and None."""
    return isinstance(x, (list, tuple)) and all(d is None or isinstance(d, int) for d in x)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Asks `func` about every node, containers included; what it returns takes the node's place.

    Args:
        func: returns a replacement, None to go on, or `MAP_TO_NONE` to put None there.
        structure: a structure.
        top_down: whether a container is asked before its parts, which are then not asked if it is replaced.

    Example:
        >>> traverse(lambda x: sum(x) if isinstance(x, tuple) else None, [(1, 2), {"a": (3, 4)}])
        [3, {'a': 7}]
    """
    _check_callable(func)
    if top_down:
        replacement = func(structure)
        if replacement is not None:
            return None if replacement is MAP_TO_NONE else replacement
        return _map_children(lambda x: traverse(func, x, True), structure)
    rebuilt = _map_children(lambda x: traverse(func, x, False), structure)
    replacement = func(rebuilt)
    if replacement is None:
        return rebuilt
    return None if replacement is MAP_TO_NONE else replacement


def _map_children(func: Callable[[Any], Any], structure: Any) -> Any:
    if not is_nested(structure):
        return structure
    if type(structure) is list:
        return [func(x) for x in structure]
    if type(structure) is tuple:
        return tuple(map(func, structure))
    tree = _optree()
    spec = tree.tree_structure(structure, is_leaf=lambda x: x is not structure, none_is_leaf=True)
    children = spec.flatten_up_to(structure)
    return spec.unflatten(map(func, children))
