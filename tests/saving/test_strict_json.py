"""JSON from strangers: read exactly, or refused with a reason."""

import json
import time
import tracemalloc

import pytest

from kerata.core.errors import RefusedFileError
from kerata.saving.limits import Limits
from kerata.saving.strict_json import loads


def parse(data, **options):
    return loads(data, file="model.keras", place="config.json", **options)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [],
        {},
        -1.5e-7,
        'a \\ " / \b \u00e9 \u4e2d \U0001f600 {[',
        [[1, [2.5, {"k": [None, "]"]}]], {"": 0}],
        {"a\\": '"', "b": ["\\\\", '\\"']},
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_plain_values_survive(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse(text.encode()) == value
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"b": {"a": 1, "a": 1}}', "stands twice"),
        (b"[NaN]", "NaN is not allowed"),
        (b"[-Infinity]", "-Infinity is not allowed"),
        (b"[1e999]", "too large"),
        (b"[" + b"9" * 41 + b"]", "41 characters"),
        (b"[0." + b"1" * 60 + b"]", "62 characters"),
        (b'"\xff"', "not UTF-8"),
        (b"\xef\xbb\xbf[]", "not JSON"),
        (b'["\\ud800"]', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b'["\\ud83dx\\ude00"]', "surrogate"),
        (b'["a\nb"]', "control character"),
        (b"[1, 2", "not JSON"),
        (b"[1] x", "not JSON"),
        (b'["abc', "does not end"),
        (b'["abc\\"]', "does not end"),
        (b"", "not JSON"),
        (b"[01]", "not JSON"),
        (b"['a']", "not JSON"),
    ],
)
def test_refuses(text, reason):
    with pytest.raises(RefusedFileError, match=reason) as info:
        parse(text)
    assert str(info.value).startswith("model.keras: refused at config.json")
    assert len(str(info.value)) < 1000


def test_surrogate_pairs_and_escaped_backslashes_are_fine():
    assert parse(b'["\\ud83d\\ude00", "\\\\ud800"]') == ["\U0001f600", "\\ud800"]


def test_nan_only_where_allowed():
    assert parse(b"[Infinity, -Infinity]", allow_nan=True) == [float("inf"), float("-inf")]


def test_depth_is_bounded_by_count_not_by_the_stack():
    assert parse(b"[" * 200 + b"]" * 200)
    for opening in (b"[", b'{"a":'):
        for depth in (201, 5_000, 3_000_000):
            with pytest.raises(RefusedFileError, match="nested"):
                parse(opening * depth)
    assert parse(b"[" * 300 + b"]" * 300, limits=Limits(depth=300))


def test_brackets_inside_strings_do_not_count():
    text = json.dumps(["[" * 5000, '"[' * 5000, "\\" * 5001 + "{"])
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize("size", [1 << 18, (1 << 18) - 1, (1 << 18) + 1])
def test_strings_across_the_pieces_of_the_scan(size):
    for tail in ('"', "\\", '\\"[', "\\\\"):
        text = json.dumps(["x" * (size - 4) + tail, "[[["])
        assert parse(text) == json.loads(text)


def test_size_is_bounded():
    with pytest.raises(RefusedFileError, match="at most 100 are allowed"):
        parse(b'"' + b"a" * 100 + b'"', limits=Limits(config_bytes=100))


@pytest.mark.parametrize(
    "piece",
    [b"[],", b"{},", b'{"a":1},', b'{"":[{}]},', b"1,", b"1.5,", b"123456,", b'"ab",', '"a\u4e2d",'.encode()],
)
def test_memory_stays_within_what_the_size_warrants(piece):
    """Whatever is accepted takes at most the allowance; whatever would take more is refused for little."""
    limits = Limits(spare_bytes=1 << 20)
    for count in (2_000, 100_000):
        text = b"[" + piece * count + b"0]"
        allowed = 2 * len(text) + limits.spare_bytes
        tracemalloc.start()
        try:
            value = parse(text, limits=limits)
        except RefusedFileError as error:
            assert "bytes of memory" in str(error)
        else:
            assert tracemalloc.get_traced_memory()[0] <= allowed
            assert len(value) == count + 1
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        # The scan itself works on pieces of 256 KiB.
        assert peak <= allowed + (16 << 20)


def test_one_wide_letter_does_not_multiply_the_text():
    limits = Limits(spare_bytes=0)
    with pytest.raises(RefusedFileError, match="bytes of memory"):
        parse('"' + "a" * 100_000 + "\U0001f600" + '"', limits=limits)


def test_time_is_linear():
    def seconds(count):
        text = b"[" + b'{"a": [1, 2.5, "x"], "b": null},' * count + b"0]"
        start = time.process_time()
        parse(text, limits=Limits(spare_bytes=1 << 40))
        return time.process_time() - start

    seconds(100)
    small, large = min(seconds(2_000) for _ in range(3)), min(seconds(40_000) for _ in range(2))
    assert large < 60 * small + 0.1
