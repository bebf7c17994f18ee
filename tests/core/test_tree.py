"""Nested structures, with the peer's answers for order, kinds of containers and errors."""

import subprocess
import sys
from collections import OrderedDict, defaultdict, deque, namedtuple

import numpy as np
import pytest

from kerata import tree
from kerata.core.errors import ArgumentError

Pair = namedtuple("Pair", "b a")


class ListOfMine(list):
    pass


STRUCTURES = [
    1,
    None,
    "abc",
    range(3),
    [],
    (),
    {},
    [None, 1],
    [1, [2, (3,)]],
    {"b": 1, "a": {"d": 2, "c": (3,)}},
    {2: 1, "a": 2},
    OrderedDict(b=1, a=2),
    defaultdict(int, b=1, a=2),
    deque([1, [2]]),
    Pair(1, (2,)),
    [Pair(1, 2), {"x": [None]}],
    ListOfMine([1]),
    {1, 2},
    ([1], [2, []]),
    [{}],
    {"a": (), "b": 3},
]


@pytest.fixture(scope="module")
def peer():
    import keras

    return keras.tree


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_same_as_peer(structure, peer):
    assert tree.is_nested(structure) == peer.is_nested(structure)
    leaves = tree.flatten(structure)
    assert leaves == peer.flatten(structure)
    assert tree.flatten_with_path(structure) == peer.flatten_with_path(structure)
    for none_is_leaf in (True, False):
        mine = tree.map_structure(str, structure, none_is_leaf=none_is_leaf)
        theirs = peer.map_structure(str, structure, none_is_leaf=none_is_leaf)
        assert mine == theirs and type(mine) is type(theirs)
    doubled = tree.map_structure(lambda x, y: (x, y), structure, structure)
    assert repr(doubled) == repr(peer.map_structure(lambda x, y: (x, y), structure, structure))
    items = [f"leaf {i}" for i in range(len(leaves))]
    packed = tree.pack_sequence_as(structure, items)
    assert tree.flatten(packed) == items and repr(packed) == repr(peer.pack_sequence_as(structure, items))
    assert repr(tree.lists_to_tuples(structure)) == repr(peer.lists_to_tuples(structure))
    for top_down in (True, False):
        mine, theirs = [], []
        tree.traverse(mine.append, structure, top_down)
        peer.traverse(theirs.append, structure, top_down)
        assert repr(mine) == repr(theirs)


@pytest.mark.parametrize("a", STRUCTURES, ids=repr)
def test_comparisons_same_as_peer(a, peer):
    for b in STRUCTURES:
        for name in ("assert_same_structure", "assert_same_paths"):
            assert accepts(getattr(tree, name), a, b) == accepts(getattr(peer, name), a, b), (name, b)
        assert accepts(tree.map_structure, pair, a, b) == accepts(peer.map_structure, pair, a, b)


def pair(x, y):
    return x, y


def accepts(function, *arguments):
    try:
        function(*arguments)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "first, second",
    [
        ([1, 2], [[2, 4], 3]),
        ([[1, 4], 2], [2, 3]),
        ([1, 2], (2, 3)),
        ([1, 2], [1]),
        ({"a": 1}, {"b": 1}),
        (1, [2]),
    ],
)
def test_structures_that_differ(first, second):
    with pytest.raises(ArgumentError, match="nested in the same way"):
        tree.map_structure(lambda x, y: x, first, second)
    with pytest.raises(ArgumentError, match="nested in the same way"):
        tree.assert_same_structure(first, second)


def test_key_order_does_not_matter_between_dicts():
    pairs = tree.map_structure(lambda x, y: (x, y), {"b": 1, "a": 2}, OrderedDict(b=3, a=4))
    assert pairs == {"b": (1, 3), "a": (2, 4)}


def test_map_structure_up_to():
    assert tree.map_structure_up_to([0, 0], lambda x, y: (x, y), [[1, 2], 3], [4, [5]]) == [
        ([1, 2], 4),
        (3, [5]),
    ]
    assert tree.map_structure_up_to({"a": 0}, len, {"a": [1, 2]}) == {"a": 2}
    assert tree.map_structure_up_to(0, len, [1, 2]) == 2
    with pytest.raises(ArgumentError):
        tree.map_structure_up_to([[1], 1], lambda x: x, [1, 2])
    with pytest.raises(ArgumentError):
        tree.map_structure_up_to([1, 1], lambda x: x, (1, 2))


@pytest.mark.parametrize("structure", [1, [1, 2], {"a": 1, "b": (2,)}, (1, 2)])
def test_pack_refuses_a_wrong_count(structure):
    count = len(tree.flatten(structure))
    for wrong in (count - 1, count + 1):
        with pytest.raises(ArgumentError, match=f"sequence of {count} items"):
            tree.pack_sequence_as(structure, range(wrong))
    with pytest.raises(ArgumentError, match="flat_sequence"):
        tree.pack_sequence_as(structure, 5)


def test_pack_takes_an_iterator():
    assert tree.pack_sequence_as([0, 0], iter([1, 2])) == [1, 2]


@pytest.mark.parametrize(
    "structure",
    [
        (1, 2, None),
        [1, None],
        [(1, 2), (None, 3)],
        {"a": (1, 2), "b": [3]},
        (),
        [],
        None,
        [None],
        3,
        [[], ()],
    ],
    ids=repr,
)
def test_map_shape_structure(structure, peer):
    def mark(shape):
        return ["shape", shape]

    assert tree.map_shape_structure(mark, structure) == peer.map_shape_structure(mark, structure)


def test_traverse_replaces_nodes():
    def listed(x):
        return tuple(x) if isinstance(x, list) else None

    nested = [1, [2, {"a": [3]}]]
    assert tree.traverse(listed, nested) == (1, [2, {"a": [3]}])
    assert tree.traverse(listed, nested, top_down=False) == (1, (2, {"a": (3,)}))
    for top_down in (True, False):
        assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, 2], top_down) == [None, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda: tree.map_structure(3, [1]),
        lambda: tree.map_structure(len),
        lambda: tree.map_structure_up_to([1], len),
        lambda: tree.traverse(3, [1]),
        lambda: tree.map_shape_structure(3, 3),
        lambda: tree.map_structure_up_to([1], 3, [1]),
    ],
)
def test_refuses_what_is_no_function_or_no_structure(call):
    with pytest.raises(ArgumentError):
        call()


def test_arrays_are_leaves():
    x = np.ones(2)
    assert tree.flatten(x)[0] is x and not tree.is_nested(x)
    assert tree.map_structure(np.sum, [x, (x, x)]) == [2.0, (2.0, 2.0)]


def test_optree_loads_at_first_use():
    code = """
import sys
from kerata.core import tree
assert tree.flatten([1, (2.0)]) == [1, 2.0] and tree.map_structure(str, (1, None)) == ("1", "None")
assert tree.flatten(3) == [3] and tree.pack_sequence_as([0, 0], [1, 2]) == [1, 2]
assert "optree" not in sys.modules
assert tree.flatten({"a": [1]}) == [1] and "optree" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
