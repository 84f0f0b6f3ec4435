"""Frozen models as bytes: arrays as npz without pickles, and a JSON manifest that says what they mean.

Whatever is not exactly what was saved is refused: names, types, shapes, digest, and values no model has.
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from crypto.sm3 import sm3_hex
from detection.anomaly.calibration import Tail
from detection.anomaly.encoding import Array, Encoder
from detection.anomaly.ensemble import SCORERS, Ensemble, Member
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.histogram import Tails
from detection.anomaly.scorer import require

FORMAT: Final = 3  # 3: what lies far out is drawn in otherwise, so arrays of before would mislead
ARRAYS_BYTES_MAX: Final = 64 * 1024 * 1024
_WEIGHT_MAX: Final = 1_000.0
_USUAL: Final = ("low", "high", "least", "most")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the arrays mean; the signature is over its bytes, and so over the arrays by their SM3."""

    format: int
    kind: str
    version: int  # counts from 1 within the kind
    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    weights: dict[str, float]  # of the members
    first: int  # epoch seconds of the first and last window learned from
    last: int
    rows: int
    parameters: str  # SM3 of the parameters it was fitted with
    shapes: dict[str, tuple[int, ...]]
    arrays_sm3: str
    key: str  # id of the key that signed


def pack(model: FrozenModel) -> bytes:
    """The arrays of a model."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays_of(model.ensemble))
    return buffer.getvalue()


def manifest_of(model: FrozenModel, packed: bytes, *, version: int, parameters: str, key: str) -> Manifest:
    """The manifest that goes with the packed arrays."""
    encoder = model.ensemble.encoder
    return Manifest(
        format=FORMAT,
        kind=model.kind,
        version=version,
        labels=encoder.labels,
        numbers=encoder.numbers,
        levels=encoder.levels,
        weights={name: member.weight for name, member in model.ensemble.members.items()},
        first=model.first,
        last=model.last,
        rows=model.rows,
        parameters=parameters,
        shapes={name: array.shape for name, array in arrays_of(model.ensemble).items()},
        arrays_sm3=sm3_hex(packed),
        key=key,
    )


def unpack(manifest: Manifest, packed: bytes) -> FrozenModel:
    """The model again. Raises ValueError saying what is wrong with it."""
    require(manifest.format == FORMAT, "format")
    require(sm3_hex(packed) == manifest.arrays_sm3, "SM3")
    require(set(manifest.weights) == set(SCORERS), "members")
    require(all(0.0 <= one <= _WEIGHT_MAX for one in manifest.weights.values()), "weights")
    require(sum(manifest.weights.values()) > 0.0, "weights")
    try:
        ensemble = _ensemble(manifest, _arrays(manifest, packed))
    except (KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from None
    return FrozenModel(
        kind=manifest.kind,
        ensemble=ensemble,
        first=manifest.first,
        last=manifest.last,
        rows=manifest.rows,
    )


def arrays_of(ensemble: Ensemble) -> dict[str, Array]:
    """All arrays of an ensemble by name."""
    encoder = ensemble.encoder
    parts: dict[str, Mapping[str, Array]] = {
        "encoder": {
            "rarity": encoder.rarity,
            "logs": encoder.logs,
            "center": encoder.center,
            "scale": encoder.scale,
        },
        "usual": {name: getattr(ensemble, name) for name in _USUAL},
        "tails": ensemble.tails.to_arrays(),
        "tail": ensemble.tail.to_arrays(),
        "screen": ensemble.screen_tail.to_arrays(),
    }
    for name, member in ensemble.members.items():
        parts[name] = member.scorer.to_arrays()
        parts[f"{name}-tail"] = member.tail.to_arrays()
    return {
        f"{part}.{name}": np.asarray(array, dtype="<f8")
        for part, arrays in parts.items()
        for name, array in arrays.items()
    }


def _ensemble(manifest: Manifest, arrays: Mapping[str, Array]) -> Ensemble:
    def part(name: str) -> dict[str, Array]:
        return {key.partition(".")[2]: one for key, one in arrays.items() if key.startswith(f"{name}.")}

    encoder = Encoder(
        labels=manifest.labels,
        numbers=manifest.numbers,
        levels=manifest.levels,
        rarity=arrays["encoder.rarity"],
        logs=arrays["encoder.logs"],
        center=arrays["encoder.center"],
        scale=arrays["encoder.scale"],
    )
    plain = len(encoder.features)
    require(len(encoder.levels) == len(encoder.labels), "levels")
    require(encoder.rarity.shape == (sum(len(one) + 1 for one in encoder.levels),), "rarity")
    require(encoder.logs.shape == (len(encoder.numbers),), "logs")
    require(encoder.center.shape == (plain,) and encoder.scale.shape == (plain,), "scale")
    require(bool((encoder.scale > 0.0).all()), "scale")
    ensemble = Ensemble(
        encoder=encoder,
        members={
            name: Member(
                SCORERS[name].from_arrays(part(name)), Tail.from_arrays(part(f"{name}-tail")), weight
            )
            for name, weight in manifest.weights.items()
        },
        tails=Tails.from_arrays(part("tails")),
        tail=Tail.from_arrays(part("tail")),
        screen_tail=Tail.from_arrays(part("screen")),
        **part("usual"),
    )
    usual = [arrays[f"usual.{name}"].shape == (len(encoder.numbers),) for name in _USUAL]
    require(all(usual) and set(part("usual")) == set(_USUAL), "usual")
    ensemble.judge(np.zeros((1, len(encoder.numbers))), [[""] * len(encoder.labels)])  # all widths agree
    return ensemble


def _arrays(manifest: Manifest, packed: bytes) -> dict[str, Array]:
    require(len(packed) <= ARRAYS_BYTES_MAX, f"> {ARRAYS_BYTES_MAX} bytes")
    with zipfile.ZipFile(io.BytesIO(packed)) as members:
        size = sum(member.file_size for member in members.infolist())
    require(size <= ARRAYS_BYTES_MAX, f"> {ARRAYS_BYTES_MAX} bytes")
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        require(set(archive.files) == set(manifest.shapes), "names")
        try:
            arrays = {name: archive[name] for name in archive.files}
        except ValueError:  # numpy says so of objects alone, whose pickles it is not to open
            raise ValueError("objects") from None
    for name, array in arrays.items():
        require(array.dtype == np.dtype("<f8") and array.shape == manifest.shapes[name], name)
        require(bool(np.isfinite(array).all()), name)
    return arrays
