"""Bytes of a model: back to the bit, and whatever is of another kind refused even under a right digest."""

import io
from typing import Any

import msgspec
import numpy as np
import pytest

from crypto.sm3 import sm3_hex
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.model_files import Manifest, arrays_of, manifest_of, pack, unpack


@pytest.fixture
def manifest(model: FrozenModel) -> Manifest:
    return manifest_of(model, pack(model), version=1, parameters="p", key="k")


def test_packed_and_unpacked_is_the_same_to_the_bit(model: FrozenModel, manifest: Manifest) -> None:
    again = unpack(manifest, pack(model))
    ours, theirs = arrays_of(model.ensemble), arrays_of(again.ensemble)
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in ours)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"arrays_sm3": "0" * 64},
        {"numbers": ("a",)},
        {"levels": (("x",),)},
        {"labels": ("x",), "levels": (("x",),)},
        {"weights": {"histogram": 1.0}},
        {"weights": {"histogram": 0.0, "subspace": 0.0, "prototypes": 0.0, "mixture": 0.0}},
        {"weights": {"histogram": -1.0, "subspace": 0.0, "prototypes": 0.0, "mixture": 9.0}},
        {"shapes": {}},
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    model: FrozenModel, manifest: Manifest, change: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        unpack(msgspec.structs.replace(manifest, **change), pack(model))


@pytest.mark.parametrize("content", ["object", "integers", "nan", "missing", "narrow", "no zip", "truncated"])
def test_arrays_of_another_kind_are_refused_even_with_a_fitting_digest(
    model: FrozenModel, manifest: Manifest, content: str
) -> None:
    arrays: dict[str, Any] = dict(arrays_of(model.ensemble))
    if content == "object":
        arrays["usual.low"] = np.array([{"a": 1}] * 16, dtype=object)
    elif content == "integers":
        arrays["usual.low"] = np.arange(16)
    elif content == "nan":
        arrays["usual.low"] = np.full(16, np.nan)
    elif content == "missing":
        del arrays["tail.knots"]
    elif content == "narrow":
        arrays["histogram.low"] = arrays["histogram.low"][:-1]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    packed = {"no zip": b"x", "truncated": buffer.getvalue()[:-200]}.get(content, buffer.getvalue())
    fitting = msgspec.structs.replace(
        manifest,
        arrays_sm3=sm3_hex(packed),
        shapes={name: np.shape(array) for name, array in arrays.items()},
    )
    with pytest.raises(ValueError):
        unpack(fitting, packed)
