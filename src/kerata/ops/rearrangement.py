"""Axes rearranged by a pattern with names, as einops writes it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from kerata.core import checks, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

TensorLike = Any
Tensor = Any
Groups = tuple[tuple[str, ...], ...]
_TOKEN = re.compile(r"\s*(\(|\)|\.\.\.|…|1(?![\w])|[A-Za-z_]\w*)")


def _wrong(pattern: Any, expected: str) -> ArgumentError:
    return ArgumentError("pattern", expected=expected, got=pattern)


def _parse_side(text: str, pattern: str) -> Groups:
    """The axes of one side: each a group of names, in brackets or alone; a 1 is an empty group."""
    groups: list[tuple[str, ...]] = []
    open_group: list[str] | None = None
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise _wrong(pattern, "made of names, brackets, ellipses and ones")
        token, at = found.group(1), found.end()
        if token == "(":
            if open_group is not None:
                raise _wrong(pattern, "without brackets in brackets")
            open_group = []
        elif token == ")":
            if open_group is None:
                raise _wrong(pattern, "with brackets in pairs")
            groups.append(tuple(open_group))
            open_group = None
        elif token == "1":
            if open_group is None:
                groups.append(())
        elif open_group is None:
            groups.append((token.replace("…", "..."),))
        else:
            open_group.append(token.replace("…", "..."))
    if open_group is not None:
        raise _wrong(pattern, "with brackets in pairs")
    return tuple(groups)


@lru_cache(maxsize=512)
def parse_pattern(pattern: str, rank: int) -> tuple[Groups, Groups]:
    """Both sides with the ellipsis written out as names of its own."""
    if not isinstance(pattern, str) or pattern.count("->") != 1:
        raise _wrong(pattern, "a string with one '->'")
    left, right = (_parse_side(side, pattern) for side in pattern.split("->"))
    names = [[n for group in side for n in group] for side in (left, right)]
    if any(len(set(side)) != len(side) for side in names):
        raise _wrong(pattern, "with each name once on either side")
    if set(names[0]) != set(names[1]):
        raise _wrong(pattern, "with the same names on both sides")
    if any("..." in group and len(group) > 1 for group in left):
        raise _wrong(pattern, "without an ellipsis in brackets on the left")
    more = rank - len(left) + ("..." in names[0])
    if more < 0 or ("..." not in names[0] and rank != len(left)):
        raise ArgumentError(
            "tensor",
            expected=f"with {len(left)} dimensions, for the pattern {pattern!r}",
            got=f"{rank} dimensions",
        )
    extra = tuple(f"...{i}" for i in range(more))
    return _written_out(left, extra), _written_out(right, extra)


def _written_out(side: Groups, extra: tuple[str, ...]) -> Groups:
    out: list[tuple[str, ...]] = []
    for group in side:
        if group == ("...",):
            out.extend((name,) for name in extra)
        else:
            out.append(tuple(n for name in group for n in (extra if name == "..." else (name,))))
    return tuple(out)


def _sizes(groups: Groups, shape: tuple[Any, ...], lengths: dict[str, Any], pattern: str) -> dict[str, Any]:
    """The size of each name; of a group, one may be worked out."""
    sizes: dict[str, Any] = dict(lengths)
    for group, size in zip(groups, shape, strict=True):
        unknown = [n for n in group if n not in sizes]
        known: Any = 1
        for n in group:
            known = known * sizes.get(n, 1)
        if len(unknown) > 1:
            raise ArgumentError(
                "axes_lengths",
                expected=f"given for {' or '.join(unknown)} of the pattern {pattern!r}",
                got=lengths,
            )
        if unknown and rules.known(size) and (size % known if known else True):
            raise ArgumentError(
                "tensor",
                expected=f"of sizes that fit the pattern {pattern!r}",
                got=f"shape {shape} with {lengths}",
            )
        if not unknown and rules.differ(size, known):
            raise ArgumentError(
                "tensor",
                expected=f"of sizes that fit the pattern {pattern!r}",
                got=f"shape {shape} with {lengths}",
            )
        if unknown:
            sizes[unknown[0]] = size // known
    return sizes


@op(
    samples=[
        sample(T((2, 3, 4)), "b h w -> b w h"), sample(T((2, 12)), "b (h w) -> b h w", h=3),
        sample(T((2, 3, 4)), "b h w -> b (h w)"), sample(T((2, 3, 4)), "... w -> w ..."),
        sample(T((2, 1, 3)), "a 1 b -> b 1 a 1"), sample(T((4, 6)), "(a b) (c d) -> (a c) (b d)", b=2, c=3),
        sample(T((2, 3, 4)), "a ... -> (a ...)"), sample(T((2, 3), "int32"), "a b -> b a"),
    ],
    rejects=[
        rejects(T((2, 3)), "a b -> a", argument="pattern"), rejects(T((2, 3)), "a b", argument="pattern"),
        rejects(T((2, 3)), "a -> a", argument="tensor"),
        rejects(T((2, 3)), "(a b) c -> a b c", argument="axes_lengths"),
        rejects(T((2, 3)), "(a b) c -> a b c", a=3, argument="tensor"),
        rejects(T((2, 3)), "a (b -> a b", argument="pattern"), rejects(T((2, 3)), "a a -> a", argument="pattern"),
        rejects(T((2, 3)), "a b -> a b", z=1, argument="axes_lengths"),
        rejects(T((2, 3)), "(a b) c -> a b c", a="x", argument="a"),
        rejects(T((2, 3)), "(a b) c -> a b c", a=-2, argument="a"),
    ],
)  # fmt: skip
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Axes split, reordered and joined by a pattern (Rogozhnikov, "Einops", ICLR 2022).

    Args:
        tensor: any tensor.
        pattern: names of the axes before and after "->". Brackets join axes, "..." stands for any, 1 for size 1.
        **axes_lengths: sizes of names, where brackets on the left leave them open.

    Raises:
        ArgumentError: the pattern does not fit the tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.rearrange(kerata.ops.ones((2, 12)), "b (h w) -> b w h", h=3).shape == (2, 4, 3)
        True
    """
    shape = tuple(shape_of(tensor))
    left, right = parse_pattern(pattern, len(shape))
    order = [n for group in left for n in group]
    strange = sorted(set(axes_lengths) - set(order))
    if strange:
        raise ArgumentError("axes_lengths", expected=f"names of the pattern {pattern!r}", got=strange)
    lengths = {name: n if is_tensor(n) else checks.natural(name, n) for name, n in axes_lengths.items()}
    sizes = _sizes(left, shape, lengths, pattern)
    split = p.reshape(tensor, shape=tuple(sizes[n] for n in order))
    moved = p.transpose(split, axes=tuple(order.index(n) for group in right for n in group))
    return p.reshape(moved, shape=tuple(_product(sizes, group) for group in right))


def _product(sizes: dict[str, Any], group: tuple[str, ...]) -> Any:
    count: Any = 1
    for n in group:
        count = count * sizes[n]
    return count
