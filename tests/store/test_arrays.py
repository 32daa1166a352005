"""Arrays come back as they were, and bytes that are no arrays are refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from discover.errors import StoreError
from discover.store.arrays import pack, unpack


@pytest.mark.parametrize(
    "array",
    [np.array([0.1, -0.0, np.nan, -np.inf, 5e-324]), np.zeros((3, 0)), np.eye(4)[:, ::2], np.array([[True], [False]]),
     np.arange(6).reshape(2, 3)],
    ids=["awkward", "empty", "strided", "truth", "integers"],
)  # fmt: skip
def test_array_comes_back_to_the_last_bit(array: np.ndarray):
    read = unpack(pack({"first": np.ones(3), "a": array}))["a"]
    assert (read.dtype, read.shape, read.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_text_has_no_place_among_arrays():
    with pytest.raises(TypeError, match="no place"):
        pack({"a": np.array(["x"])})


def blob(head: bytes, body: bytes = b"") -> bytes:
    return zlib.compress(len(head).to_bytes(4, "little") + head + body)


@pytest.mark.parametrize(
    "given",
    [b"", b"x", pack({"a": np.ones(9)})[:-5], blob(b"{"), blob(b"[]"), blob(b'{"a": ["|O", [1]]}', bytes(8)),
     blob(b'{"a": ["<f8", [2]]}', bytes(8)), blob(b'{"a": ["<f8", [1]]}', bytes(16)), blob(b'{"a": 3}'),
     blob(b'{"a": ["<f8", [-3]]}', bytes(8))],
)  # fmt: skip
def test_damaged_bytes_are_refused(given: bytes):
    with pytest.raises(StoreError, match="damaged"):
        unpack(given)
