"""Connectionist temporal classification (Graves et al., ICML 2006): sequences of labels without alignment."""

from __future__ import annotations

from typing import Any

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .control import scan
from .core import cast
from .creation import range_tensor
from .elementwise import constant, to_real_float
from .exponential import logaddexp
from .indexing import in_range, index_tensor
from .softmax import log_softmax
from .splitting import cut

TensorLike = Any
Tensor = Any
# The logarithm of no probability: finite, so that an impossible target has a large loss and a derivative.
_NEVER = -1e5


def _lengths(x: Any, argument: str, batch: Any) -> Tensor:
    x = cast(index_tensor(x, argument), "int32")
    if len(shape_of(x)) != 1 or rules.differ(shape_of(x)[0], batch):
        raise ArgumentError(argument, expected=f"of shape ({batch},)", got=x)
    return x


def _logits(x: Any, argument: str) -> Tensor:
    """In float32 at least: half precision has no room for the logarithms of small probabilities."""
    if len(shape_of(x)) != 3:
        raise ArgumentError(argument, expected="of shape (batch, length, classes)", got=x)
    x = to_real_float(x, argument)
    return cast(x, "float32") if dtypes.itemsize(dtype_of(x)) < 4 else x


def _blank(mask_index: Any, classes: Any) -> int:
    found = rules.integer_of(mask_index)
    if found is None or not -classes <= found < classes:
        raise ArgumentError("mask_index", expected=f"a class in [0, {classes})", got=mask_index)
    return found % classes


# ---- loss ----------------------------------------------------------------------------------------


def _with_blanks(target: Tensor, blank: int) -> Tensor:
    """blank, first label, blank, second label, …, blank: (batch, 2 * labels + 1)."""
    b, n = shape_of(target)
    blanks = p.add(p.mul(target, 0), blank)
    pairs = p.concatenate((p.reshape(blanks, shape=(b, n, 1)), p.reshape(target, shape=(b, n, 1))), axis=2)
    last = p.broadcast_to(constant([[blank]], "int32"), shape=(b, 1))
    return p.concatenate((p.reshape(pairs, shape=(b, 2 * n)), last), axis=1)


def _moved(x: Tensor, by: int) -> Tensor:
    """Columns moved to the right; what comes in is impossible."""
    n = shape_of(x)[1]
    return p.pad(cut(x, 1, 0, n - by), pads=((0, 0), (by, 0)), value=_NEVER)


_LENGTHS = (values(3, 2, dtype="int32"), values(6, 5, dtype="int32"))


@op(
    samples=[
        sample(
            values([[1, 2, 2], [3, 1, 0]], dtype="int64"), T((2, 6, 4), "float16"), *_LENGTHS, gradient=False
        ),
        sample(
            values([[1, 2, 2, 3, 1, 1, 2, 3]], dtype="int32"),
            T((1, 20, 4), low=-9.0, high=9.0),
            values(8, dtype="int32"),
            values(17, dtype="int32"),
        ),
        sample(values([[1, 2, 2], [3, 1, 0]], dtype="int32"), T((2, 6, 4)), *_LENGTHS),
        sample(values([[1, 2, 2], [0, 1, 0]], dtype="int32"), T((2, 6, 4)), *_LENGTHS, mask_index=3),
        sample(
            values([[1, 1, 1]], dtype="int32"),
            T((1, 3, 3)),
            values(3, dtype="int32"),
            values(3, dtype="int32"),
        ),
        sample(
            values([[1]], dtype="int32"), T((1, 3, 3)), values(0, dtype="int32"), values(3, dtype="int32")
        ),
        sample(
            values([[2, 1]], dtype="int32"),
            T((1, 4, 3), "float64"),
            values([2], dtype="int32"),
            values([4], dtype="int32"),
        ),
    ],
    rejects=[
        rejects(values([1], dtype="int32"), T((1, 3, 3)), *_LENGTHS, argument="target"),
        rejects(values([[1]], dtype="int32"), T((3, 3)), *_LENGTHS, argument="output"),
        rejects(values([[1]], dtype="int32"), T((1, 3, 3)), *_LENGTHS, argument="target_length"),
        rejects(
            values([[1], [1]], dtype="int32"), T((2, 6, 4)), *_LENGTHS, mask_index=4, argument="mask_index"
        ),
    ],
)
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """Minus the logarithm of the probability of label sequences, over all their alignments.

    Args:
        target: labels as integers, of shape `(batch, labels)`.
        output: logits of shape `(batch, length, classes)`.
        target_length: how many labels count, of shape `(batch,)`.
        output_length: how many steps count, of shape `(batch,)`.
        mask_index: the class that stands for no label.

    Returns:
        A tensor of shape `(batch,)`, of float32 or float64; about 1e5 where a target needs more steps than there are.

    Example:
        >>> import kerata
        >>> loss = kerata.ops.ctc_loss([[1]], kerata.ops.zeros((1, 1, 2)), [1], [1])
        >>> round(float(loss[0]), 4)
        0.6931
    """
    logits = _logits(output, "output")
    b, _, classes = shape_of(logits)
    target = index_tensor(target, "target")
    if len(shape_of(target)) != 2 or rules.differ(shape_of(target)[0], b):
        raise ArgumentError("target", expected=f"of shape ({b}, labels)", got=target)
    blank = _blank(mask_index, classes)
    labels, steps = _lengths(target_length, "target_length", b), _lengths(output_length, "output_length", b)
    symbols = _with_blanks(cast(in_range(target, classes), "int32"), blank)
    alpha = _forward(p.transpose(log_softmax(logits, -1), axes=(1, 0, 2)), symbols, blank, steps)
    ends = p.reshape(p.mul(labels, 2), shape=(b, 1))
    final = p.take_along_axis(alpha, in_range(ends, shape_of(symbols)[1]), axis=1)
    before = p.take_along_axis(alpha, in_range(p.maximum(p.sub(ends, 1), 0), shape_of(symbols)[1]), axis=1)
    before = p.where(p.gt(ends, 0), before, _NEVER)
    return p.neg(p.reshape(logaddexp(final, before), shape=(b,)))


def _forward(logs: Tensor, symbols: Tensor, blank: int, steps: Tensor) -> Tensor:
    """Graves's forward variables after each example's last step."""
    length, b, _ = shape_of(logs)
    n = shape_of(symbols)[1]
    emitted = p.take_along_axis(
        logs, p.broadcast_to(p.reshape(symbols, shape=(1, b, n)), shape=(length, b, n)), axis=2
    )
    earlier = p.pad(cut(symbols, 1, 0, n - 2), pads=((0, 0), (2, 0)), value=blank)
    may_skip = p.logical_and(p.ne(symbols, blank), p.ne(symbols, earlier))
    start = p.broadcast_to(p.reshape(p.lt(range_tensor(n), 2), shape=(1, n)), shape=(b, n))
    first = p.where(start, p.reshape(cut(emitted, 0, 0, 1), shape=(b, n)), _NEVER)

    def step(alpha: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        here, t = now
        skipped = p.where(may_skip, _moved(alpha, 2), _NEVER)
        new = p.add(logaddexp(logaddexp(alpha, _moved(alpha, 1)), skipped), here)
        return p.where(p.reshape(p.lt(t, steps), shape=(b, 1)), new, alpha), None

    return scan(step, first, (cut(emitted, 0, 1, length), cut(range_tensor(length), 0, 1, length)))[0]


# ---- decoding ------------------------------------------------------------------------------------


def _packed(labels: Tensor, keep: Tensor) -> Tensor:
    """The kept labels moved to the front of each row, -1 behind them."""
    length = shape_of(labels)[1]
    order = p.argsort(cast(p.logical_not(keep), "int32"), axis=1)  # stable: kept ones first, in their order
    moved = p.take_along_axis(labels, order, axis=1)
    count = p.sum(cast(keep, "int32"), axis=(1,), keepdims=True)
    line = p.reshape(range_tensor(length), shape=(1, length))
    return p.where(p.lt(line, count), moved, -1)


def _greedy(logits: Tensor, steps: Tensor, blank: int, merge_repeated: bool) -> tuple[Tensor, Tensor]:
    b, length, _ = shape_of(logits)
    best = p.argmax(logits, axis=2)
    line = p.reshape(range_tensor(length), shape=(1, length))
    inside = p.lt(line, p.reshape(steps, shape=(b, 1)))
    keep = p.logical_and(inside, p.ne(best, blank))
    if merge_repeated:
        before = p.pad(cut(best, 1, 0, length - 1), pads=((0, 0), (1, 0)), value=-1)
        keep = p.logical_and(keep, p.ne(best, before))
    score = p.where(inside, p.max(logits, axis=(2,), keepdims=False), 0)
    total = p.neg(p.sum(score, axis=(1,), keepdims=True))
    return p.reshape(_packed(best, keep), shape=(1, b, length)), total


def _gather(x: Tensor, beams: Tensor) -> Tensor:
    """Rows of beams: x of shape (batch, beams, ...), `beams` of shape (batch, n)."""
    shape, n = shape_of(x), shape_of(beams)[1]
    index = p.reshape(beams, shape=(shape[0], n, *(1,) * (len(shape) - 2)))
    return p.take_along_axis(x, p.broadcast_to(index, shape=(shape[0], n, *shape[2:])), axis=1)


def _beam_search(
    logits: Tensor, steps: Tensor, blank: int, width: int, top_paths: int
) -> tuple[Tensor, Tensor]:
    """Prefix beam search: each beam is a label sequence with two probabilities, ending in a blank or not."""
    b, length, classes = shape_of(logits)
    logs = p.transpose(log_softmax(logits, -1), axes=(1, 0, 2))
    only_first = p.broadcast_to(p.reshape(p.eq(range_tensor(width), 0), shape=(1, width)), shape=(b, width))
    name = dtype_of(logits)
    ends_blank = p.where(only_first, constant(0.0, name), _NEVER)
    ends_label = p.add(p.mul(ends_blank, 0), _NEVER)
    paths = p.broadcast_to(constant(-1, "int32"), shape=(b, width, length))
    sizes = p.broadcast_to(constant(0, "int32"), shape=(b, width))

    def step(state: Any, now: Any) -> tuple[Any, None]:
        log, t = now
        new = _advance(state, log, blank, width, classes)
        going = p.lt(t, steps)
        out = []
        for a, c in zip(new, state, strict=True):
            out.append(p.where(p.reshape(going, shape=(b, *(1,) * (len(shape_of(a)) - 1))), a, c))
        return tuple(out), None

    state, _ = scan(step, (ends_blank, ends_label, paths, sizes), (logs, range_tensor(length)))
    scores, order = p.top_k(logaddexp(state[0], state[1]), k=top_paths)
    return p.transpose(_gather(state[2], order), axes=(1, 0, 2)), scores


def _advance(state: Any, log: Tensor, blank: int, width: int, classes: int) -> Any:
    ends_blank, ends_label, paths, sizes = state
    b, length = shape_of(paths)[0], shape_of(paths)[2]
    total = logaddexp(ends_blank, ends_label)
    last_place = p.reshape(p.maximum(p.sub(sizes, 1), 0), shape=(b, width, 1))
    last = p.reshape(p.take_along_axis(paths, last_place, axis=2), shape=(b, width))
    nonempty = p.gt(sizes, 0)
    last_log = p.take_along_axis(log, p.maximum(last, 0), axis=1)
    # Staying: a blank, or the last label once more.
    stay_blank = p.add(total, cut(log, 1, blank, blank + 1))
    stay_label = p.where(nonempty, p.add(ends_label, last_log), _NEVER)
    # Beam j may also come from beam i, where j is i with one more label: then both are the same sequence.
    line = p.reshape(range_tensor(length), shape=(1, 1, length))
    shorter = p.where(p.eq(line, last_place), -1, paths)
    same = p.all(
        p.eq(p.reshape(shorter, shape=(b, width, 1, length)), p.reshape(paths, shape=(b, 1, width, length))),
        axis=(3,),
        keepdims=False,
    )
    child = p.logical_and(
        same, p.logical_and(p.reshape(nonempty, shape=(b, width, 1)), _one_longer(sizes, b, width))
    )
    repeat = p.eq(p.reshape(last, shape=(b, width, 1)), p.reshape(last, shape=(b, 1, width)))
    source = p.where(
        repeat, p.reshape(ends_blank, shape=(b, 1, width)), p.reshape(total, shape=(b, 1, width))
    )
    arriving = p.max(p.where(child, source, _NEVER), axis=(2,), keepdims=False)
    stay_label = logaddexp(stay_label, p.add(arriving, last_log))
    # Extending by a label, but not to a sequence that is already a beam.
    symbols = p.reshape(range_tensor(classes), shape=(1, 1, classes))
    is_last = p.eq(symbols, p.reshape(last, shape=(b, width, 1)))
    base = p.where(is_last, p.reshape(ends_blank, shape=(b, width, 1)), p.reshape(total, shape=(b, width, 1)))
    extended = p.add(base, p.reshape(log, shape=(b, 1, classes)))
    hits = p.logical_and(
        p.reshape(child, shape=(b, width, width, 1)),
        p.eq(p.reshape(last, shape=(b, width, 1, 1)), p.reshape(symbols, shape=(1, 1, 1, classes))),
    )
    taken = p.any(hits, axis=(1,), keepdims=False)
    extended = p.where(p.logical_or(taken, p.eq(symbols, blank)), 2 * _NEVER, extended)
    scores = p.concatenate(
        (logaddexp(stay_blank, stay_label), p.reshape(extended, shape=(b, width * classes))), axis=1
    )
    best, chosen = p.top_k(scores, k=width)
    stays = p.lt(chosen, width)
    number = p.maximum(p.sub(chosen, width), 0)
    beam = p.where(stays, chosen, p.floor_divide(number, classes))
    label = p.remainder(number, classes)
    new_sizes = p.add(_gather(sizes, beam), cast(p.logical_not(stays), "int32"))
    here = p.logical_and(
        p.logical_not(p.reshape(stays, shape=(b, width, 1))),
        p.eq(line, p.reshape(p.sub(new_sizes, 1), shape=(b, width, 1))),
    )
    new_paths = p.where(here, p.reshape(label, shape=(b, width, 1)), _gather(paths, beam))
    new_blank = p.where(stays, _gather(stay_blank, beam), _NEVER)
    new_label = p.where(stays, _gather(stay_label, beam), best)
    return new_blank, new_label, new_paths, new_sizes


def _one_longer(sizes: Tensor, b: Any, width: int) -> Tensor:
    return p.eq(p.reshape(sizes, shape=(b, width, 1)), p.add(p.reshape(sizes, shape=(b, 1, width)), 1))


@op(
    samples=[
        sample(T((2, 6, 4), "float16"), values(0, 3, dtype="int32")),
        sample(
            T((2, 9, 4), low=-4.0, high=4.0),
            values(9, 2, dtype="int32"),
            "beam_search",
            beam_width=20,
            top_paths=3,
        ),
        sample(T((2, 6, 4)), values(6, 5, dtype="int32")),
        sample(T((2, 6, 4)), values(6, 5, dtype="int32"), merge_repeated=False),
        sample(T((2, 6, 4)), values(6, 5, dtype="int32"), mask_index=3),
        sample(T((2, 5, 4)), values(5, 4, dtype="int32"), "beam_search", beam_width=12, top_paths=2),
        sample(T((1, 4, 3)), values(4, dtype="int32"), strategy="beam_search", beam_width=20, mask_index=2),
    ],
    rejects=[
        rejects(T((2, 6)), values(6, 5, dtype="int32"), argument="inputs"),
        rejects(T((2, 6, 4)), values(6, dtype="int32"), argument="sequence_lengths"),
        rejects(T((2, 6, 4)), values(6, 5, dtype="int32"), "best", argument="strategy"),
        rejects(
            T((2, 6, 4)),
            values(6, 5, dtype="int32"),
            "beam_search",
            beam_width=2,
            top_paths=3,
            argument="top_paths",
        ),
        rejects(T((2, 6, 4)), values(6, 5, dtype="int32"), mask_index=9, argument="mask_index"),
    ],
    differentiable=False,
)
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The most probable label sequences of logits.

    Args:
        inputs: logits of shape `(batch, length, classes)`.
        sequence_lengths: how many steps count, of shape `(batch,)`.
        strategy: "greedy" takes the best class of each step; "beam_search" adds up alignments.
        beam_width: how many sequences the beam search follows.
        top_paths: how many sequences it gives.
        merge_repeated: whether "greedy" makes a run of one class one label.
        mask_index: the class that stands for no label.

    Returns:
        A pair: int32 labels of shape `(top_paths, batch, length)`, with -1 behind the last; and scores of shape
        `(batch, top_paths)`, of float32 or float64: minus the sum of the best logits, or the logarithm of the
        probability.

    Example:
        >>> import kerata
        >>> logits = kerata.ops.one_hot([[1, 1, 0, 2]], 3) * 9.0
        >>> kerata.ops.convert_to_numpy(kerata.ops.ctc_decode(logits, [4])[0])
        array([[[ 1,  2, -1, -1]]], dtype=int32)
    """
    logits = _logits(inputs, "inputs")
    b, _, classes = shape_of(logits)
    steps, blank = _lengths(sequence_lengths, "sequence_lengths", b), _blank(mask_index, classes)
    if strategy == "greedy":
        return _greedy(logits, steps, blank, merge_repeated)
    if strategy != "beam_search":
        raise ArgumentError("strategy", expected="'greedy' or 'beam_search'", got=strategy)
    if not 1 <= top_paths <= beam_width:
        raise ArgumentError(
            "top_paths", expected=f"in [1, {beam_width}], at most `beam_width`", got=top_paths
        )
    return _beam_search(logits, steps, blank, int(beam_width), int(top_paths))
