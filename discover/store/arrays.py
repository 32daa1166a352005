"""Arrays as compressed bytes and back, to the last bit: NaNs, infinities and negative zeros included.

In: name -> array. Out: one blob: the length of a header, the header (names, types, shapes) as JSON, the raw numbers;
all compressed. Stays out: pickles, whose reading runs code.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from discover.errors import StoreError

_TYPES = ("<f8", "<i8", "|b1")
_MOST_BYTES = 1 << 28  # no candidate comes near: a blob that unpacks to more is damaged


def pack(arrays: Mapping[str, Any]) -> bytes:
    """The blob of float, integer and truth arrays of any shape."""
    import numpy as np

    header, body = {}, []
    for name, array in arrays.items():
        kind = {"f": "<f8", "i": "<i8", "u": "<i8", "b": "|b1"}.get(array.dtype.kind)
        if kind is None:
            raise TypeError(f"{name}: an array of {array.dtype} has no place in the store")
        header[name] = [kind, list(array.shape)]
        body.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    head = json.dumps(header).encode()
    return zlib.compress(b"".join([len(head).to_bytes(4, "little"), head, *body]), 6)


def unpack(blob: bytes) -> dict[str, Any]:
    """The arrays of a blob.

    Raises:
        StoreError: The blob is none that `pack` made.
    """
    import numpy as np

    try:
        opened = zlib.decompressobj()
        raw = opened.decompress(blob, _MOST_BYTES)
        if not opened.eof:
            raise ValueError("cut short or too large")
        at = 4 + int.from_bytes(raw[:4], "little")
        arrays: dict[str, Any] = {}
        for name, (kind, shape) in json.loads(raw[4:at]).items():
            if kind not in _TYPES or not all(isinstance(n, int) and n >= 0 for n in shape):
                raise ValueError(f"type {kind!r}, shape {shape!r}")
            found = np.frombuffer(raw, kind, count=int(np.prod(shape, dtype=np.int64)), offset=at).reshape(shape)
            arrays[str(name)] = found.copy()
            at += found.nbytes
        if at != len(raw):
            raise ValueError(f"{len(raw)} bytes, expected {at}")
    except (zlib.error, ValueError, TypeError, AttributeError, KeyError) as error:
        raise StoreError(f"a candidate's arrays are damaged ({error}); restore a copy of the store") from None
    return arrays
