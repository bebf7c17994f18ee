"""What is accepted and what is refused is so on every engine, in whatever form it comes."""

import numpy as np
import pytest

import kerata
from kerata import KerasTensor, backends, ops
from kerata.core import declare
from kerata.core.errors import ArgumentError


def matrix():
    return ops.convert_to_tensor(np.float32([[1, 2, 3], [4, 5, 6]]))


def value(x):
    return ops.convert_to_numpy(x)


IMAGE = np.arange(4, dtype="float32").reshape(2, 2, 1)
MOVED = [1.0, 0, 1, 0, 1, 0, 0, 0]

REFUSED = {
    "number as text": (lambda: ops.elu(matrix(), alpha="a"), "alpha"),
    "number as None": (lambda: ops.leaky_relu(matrix(), negative_slope=None), "negative_slope"),
    "number as a list": (lambda: ops.normalize(matrix(), epsilon=[1]), "epsilon"),
    "number as a complex one": (lambda: ops.isclose(matrix(), matrix(), rtol=1j), "rtol"),
    "number as a tuple": (lambda: ops.isclose(matrix(), matrix(), rtol=(1.0,)), "rtol"),
    "fill value": (lambda: ops.image.affine_transform(IMAGE, MOVED, fill_value="a"), "fill_value"),
    "integer as a float": (lambda: ops.rot90(matrix(), k=1.5), "k"),
    "mode as a list": (lambda: ops.image.affine_transform(IMAGE, MOVED, interpolation=[]), "interpolation"),
    "length": (lambda: ops.istft((np.ones((3, 5), "f"), np.ones((3, 5), "f")), 8, 4, 8, length=-1), "length"),
    "axis as a bool": (lambda: ops.softmax(matrix(), axis=True), "axis"),
    "shape as a dict": (lambda: ops.zeros({3: 1}), "shape"),
    "flag of several elements": (lambda: ops.sum(matrix(), keepdims=matrix()), "keepdims"),
    "flag of an array": (lambda: ops.gelu(matrix(), approximate=np.ones(2)), "approximate"),
    "numbers of a tensor as a shape": (lambda: ops.zeros(ops.convert_to_tensor([2.0, 1.0])), "shape"),
    "tensor of two axes as a shape": (lambda: ops.ones(ops.convert_to_tensor([[2, 1]])), "shape"),
    "shape of a draw": (lambda: kerata.random.normal(ops.convert_to_tensor([2.0])), "shape"),
    "sizes beyond 64 bits": (lambda: ops.reshape(matrix(), (2**70, -1)), "newshape"),
    "diagonal beyond 64 bits": (lambda: ops.eye(3, k=2**70), "k"),
    "strides of a bool tensor": (lambda: ops.max_pool(np.ones((1, 4, 1), "f"), ops.convert_to_tensor(True)), "pool_size"),
    "flag that is not read": (lambda: ops.top_k(matrix(), 1, sorted=matrix()), "sorted"),
    "turns as a bool tensor": (lambda: ops.rot90(matrix(), k=ops.convert_to_tensor(True)), "k"),
    "split points in two axes": (lambda: ops.split(matrix(), np.array([[1, 2]]), axis=1), "indices_or_sections"),
    "symbolic quantile": (lambda: ops.quantile(matrix(), KerasTensor((2,))), "q"),
    "nested shape": (lambda: ops.zeros(((1, 2), (3, 4))), "shape"),
    "nested starts": (lambda: ops.slice(np.ones((4, 5)), [[1, 2], [3, 4]], (2, 3)), "start_indices"),
    "list of text": (lambda: ops.add(["a"], 1.0), "x1"),
    "array of text": (lambda: ops.relu(np.array(["a"])), "x"),
    "bytes": (lambda: ops.relu(b"x"), "x"),
    "text after a tensor": (lambda: ops.logaddexp(matrix(), "t"), "x2"),
    "nothing": (lambda: ops.batch_normalization(matrix(), None, np.ones(3, "f"), -1), "mean"),
    "ragged list beside a symbolic tensor": (lambda: ops.add(KerasTensor((2, 2)), [[1, 2], [3]]), "x"),
    "bias that broadcasts": (lambda: ops.linear(matrix(), np.ones((3, 4), "f"), np.ones(1, "f")), "bias"),
    "complex bounds": (lambda: ops.clip(matrix(), 1j, 2.0), "x_min"),
    "complex probabilities": (lambda: ops.binary_crossentropy(matrix(), np.ones((2, 3), "complex64")), "output"),
    "negative in unsigned": (lambda: ops.threshold(np.array([1, 3], "uint8"), 2, -1), "default_value"),
    "condition of a loop": (lambda: ops.while_loop(lambda i: i < 4, lambda i: (i + 1,), (np.ones(2, "f"),)), "cond"),
    "text in a loop": (lambda: ops.fori_loop(0, 3, lambda i, s: s, "a"), "init_val"),
    "text in a loop with a condition": (lambda: ops.while_loop(lambda s: False, lambda s: s, ("a",)), "loop_vars"),
    "text in a scan": (lambda: ops.scan(lambda c, x: (c, x), "a", matrix()), "init"),
    "text in a map": (lambda: ops.map(lambda x: x, "abc"), "xs"),
    "text as a condition": (lambda: ops.cond("a", lambda: 1, lambda: 2), "pred"),
    "text to fill a symbolic tensor": (lambda: ops.full_like(KerasTensor((2,)), "a"), "fill_value"),
    "list beyond its dtype": (lambda: ops.convert_to_tensor([300, -1], "uint8"), "x"),
    "list beyond int32": (lambda: ops.one_hot([2**40], 3), "x"),
    "range beyond int32": (lambda: ops.arange(2**40, 2**40 + 3), "stop"),
    "number beyond a dtype": (lambda: ops.full((2,), -1, "uint8"), "fill_value"),
    "text as a quantile": (lambda: ops.quantile(matrix(), "a"), "q"),
    "no slices to join": (lambda: ops.concatenate(np.zeros((0, 3), "f")), "xs"),
    "axis as an array": (lambda: ops.sum(matrix(), axis=np.array([0, 1])), "axis"),
    "a range in a function": (lambda: kerata.function(lambda x: ops.arange((1.0,)))(matrix()), "start"),
    "step of a scan": (lambda: ops.scan(lambda c, x: c, 0.0, matrix()), "f"),
    "text as a branch": (lambda: ops.switch("a", [lambda: 1]), "index"),
    "text in an endless loop": (lambda: ops.while_loop(lambda x: True, lambda x: x, ("a",), maximum_iterations=1), "loop_vars"),
    "text as a limit": (lambda: ops.while_loop(lambda i: i < 3, lambda i: i + 1, 0, maximum_iterations="a"), "maximum_iterations"),
    "text in a counted loop": (lambda: ops.fori_loop(0, 3, lambda i, v: v, "a"), "init_val"),
    "text as an end": (lambda: ops.fori_loop("a", 3, lambda i, v: v, 1), "lower"),
    "text to carry": (lambda: ops.scan(lambda c, x: (c, x), "a", np.ones(3, "f")), "init"),
    "text to scan": (lambda: ops.scan(lambda c, x: (c, x), 0.0, "a"), "xs"),
    "text to map": (lambda: ops.vectorized_map(lambda x: x, "a"), "elements"),
    "text from a scan": (lambda: ops.scan(lambda c, x: (c, "a"), 0.0, matrix()), "f"),
    "negative length": (lambda: ops.scan(lambda c, x: (c, c), 0.0, None, length=-1), "length"),
    "axis as a tensor": (lambda: ops.max(matrix(), axis=ops.convert_to_tensor([1])), "axis"),
    "axis as a float array": (lambda: ops.softmax(matrix(), axis=np.array(1.0)), "axis"),
    "axis of NumPy's bool": (lambda: ops.mean(matrix(), axis=np.True_), "axis"),
    "size as a tensor": (lambda: ops.one_hot([0], ops.convert_to_tensor([3])), "num_classes"),
    "count of sections": (lambda: ops.split(matrix(), True), "indices_or_sections"),
    "text that fills": (lambda: ops.full_like(KerasTensor((2,)), "a"), "fill_value"),
    "text as a seed": (lambda: kerata.random.dropout(KerasTensor((2,)), 0.5, seed="a"), "seed"),
    "text as a seed of a shuffle": (lambda: kerata.random.shuffle(KerasTensor((2,)), seed="a"), "seed"),
    "shape as a scalar array": (lambda: ops.zeros(np.array(1.0)), "shape"),
    "shape of classes": (lambda: ops.ones((object, 2)), "shape"),
    "bool as the axis of classes": (
        lambda: ops.sparse_categorical_crossentropy(np.array([0]), matrix()[:1], from_logits=True, axis=True),
        "axis",
    ),
    "no rows to join": (lambda: ops.concatenate(ops.ones((0, 3))), "xs"),
    "operator without a dtype": (lambda: KerasTensor((1,), "uint64") & KerasTensor((1,), "int64"), "x2"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(engine, case):
    call, argument = REFUSED[case]
    with pytest.raises(ArgumentError, match=f"`{argument}` must be"):
        call()


ACCEPTED = {
    "byte order": (lambda: ops.abs(np.array([-1.0, 2.0], ">f4")), [1, 2]),
    "keepdims as a number": (lambda: ops.mean(matrix(), axis=1, keepdims=1), [[2], [5]]),
    "keepdims of NumPy": (lambda: ops.sum(matrix(), axis=1, keepdims=np.True_), [[6], [15]]),
    "axis of NumPy": (lambda: ops.mean(matrix(), axis=np.int64(1)), [2, 5]),
    "no axes": (lambda: ops.mean(matrix(), axis=[]), [[1, 2, 3], [4, 5, 6]]),
    "fill value of NumPy": (
        lambda: ops.image.map_coordinates(matrix(), np.float32([[0, 0.5, 5], [0, 1.5, 5]]), 1, "constant", np.int64(7)),
        [1, 4, 7],
    ),
    "scalar after a tensor": (lambda: ops.meshgrid(matrix()[0], 1.5)[1], [[1.5, 1.5, 1.5]]),
    "nothing to pad": (lambda: ops.pad(ops.ones(()), 1), 1.0),
    "shape of noise as an array": (
        lambda: kerata.random.dropout(np.ones((2, 3), "f"), 0.5, np.array([2, 1]), seed=2),
        kerata.random.dropout(np.ones((2, 3), "f"), 0.5, (2, 1), seed=2),
    ),
    "scalar to drop out": (lambda: kerata.random.dropout(0.5, 0.0, seed=1), 0.5),
    "a map over nothing": (lambda: ops.vectorized_map(lambda r: r * 2, np.zeros((0, 3), "float32")), np.zeros((0, 3))),
    "windows of bools": (lambda: ops.fold(np.ones((1, 4, 4), bool), (3, 3), (2, 2)), np.ones((1, 1, 3, 3), bool)),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(engine, case):
    call, expected = ACCEPTED[case]
    np.testing.assert_array_equal(value(call()), expected)
    assert value(call()).shape == np.shape(expected)


def test_exponents_beyond_the_range(engine):
    found = value(
        ops.exp2(ops.convert_to_tensor(np.float32([128, 257, 300, 400, -300, -1000, np.inf, -np.inf])))
    )
    np.testing.assert_array_equal(found, [np.inf] * 4 + [0, 0, np.inf, 0])
    wide = value(ops.exp2(ops.convert_to_tensor(np.array([1024.0, 1023.0, -2200.0]))))
    np.testing.assert_array_equal(wide, [np.inf, 2.0**1023, 0])


def test_a_box_is_moved_inside(engine):
    found = ops.slice_update(matrix(), (0, -1), ops.convert_to_tensor(np.float32([[9], [9]])))
    np.testing.assert_array_equal(value(found), [[9, 2, 3], [9, 5, 6]])


def test_an_infinite_scale_has_no_softmax(engine):
    one = ops.ones((1, 2, 1, 2))
    assert np.isnan(value(ops.dot_product_attention(ops.negative(one), one, one, scale=float("inf")))).all()


def test_neighbours_have_no_derivative(engine):
    v = kerata.Variable(np.float32([1.0, 2.0]))
    _, (gradient,) = kerata.value_and_grad(lambda: ops.sum(ops.nextafter(v.value, 3.0)), [v])()
    np.testing.assert_array_equal(value(gradient), [0, 0])


def test_messages_do_not_show_what_stands_for_unknown_sizes():
    with pytest.raises(ArgumentError) as caught:
        ops.average(KerasTensor((None, 3)), axis=1, weights=KerasTensor((2,)))
    assert "(None, 3)" in str(caught.value)


def test_sizes_that_depend_on_which_is_longer_are_unknown():
    unknown, known = KerasTensor((None,)), KerasTensor((3,))
    for mode in ("valid", "same", "full"):
        assert ops.correlate(unknown, unknown, mode).shape == (None,)
    assert ops.correlate(known, known, "valid").shape == (1,)


def test_a_range_that_is_compiled_is_refused_in_the_same_words(engine):
    with pytest.raises(ArgumentError, match="`start` must be"):
        kerata.function(lambda x: ops.arange((1.0,)) + x)(matrix()[0])


def test_unknown_words(engine):
    with pytest.raises(TypeError, match=r"^softmax\(\) got an unexpected keyword argument 'foo'"):
        ops.softmax(matrix(), foo=1)
    with pytest.raises(TypeError, match="sample"):
        declare.op(sample=[])(lambda x: x)


def test_tensors_of_text_are_refused_in_words():
    """Of the engines that have them; the others have none to give."""
    text = backends.get("tensorflow").convert(np.array(["a"]), "string")
    for op in (ops.relu, ops.sum, ops.exp, ops.max):
        with pytest.raises(ArgumentError, match="`x` must be a tensor of numbers"):
            op(text)


def test_correlations_of_one_variable_are_a_number_as_in_numpy(engine):
    for x in ([[1.0, 2.0, 4.0]], [1.0, 2.0, 4.0]):
        found = ops.convert_to_numpy(ops.corrcoef(np.float32(x)))
        assert found.shape == np.shape(np.corrcoef(x)) == () and found == pytest.approx(1.0)


def test_numbers_beyond_32_bits_are_no_sizes_and_no_axes(engine):
    with pytest.raises(ArgumentError, match="`axis` must be an axis"):
        ops.sum(matrix(), 2**40)
    with pytest.raises(ArgumentError, match="`newshape` must be"):
        ops.reshape(matrix(), (2**32,))
    with pytest.raises(ArgumentError, match="`newshape` must be"):
        ops.reshape(matrix(), (2**40, 1))


def test_edges_of_a_tensor_must_ascend_too(engine):
    edges = ops.convert_to_tensor(np.array([1.0, 3.0, 2.0], "float32"))
    with pytest.raises(ArgumentError, match="edges that ascend"):
        ops.digitize(ops.ones(2), edges)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
def test_half_precision_goes_to_integers_within_their_limits(engine, dtype):
    numbers = ops.convert_to_tensor([-1.5, -70.0, 300.0, 1e9], "bfloat16")
    expected = np.clip(
        np.trunc(ops.convert_to_numpy(numbers).astype("float64")), np.iinfo(dtype).min, np.iinfo(dtype).max
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.array(numbers, dtype)), expected)


def test_an_integer_beyond_64_bits_beside_floats(engine):
    assert value(ops.less(matrix(), 2**70)).all()
    np.testing.assert_allclose(value(ops.multiply(matrix(), -(2**70))), value(matrix()) * -(2.0**70))
