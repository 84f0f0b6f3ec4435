"""Frozen models on disk: arrays as npz without pickles, a JSON manifest beside them, bound by SM3.

Files of a kind: ``<kind>-<first 16 of the digest>.npz`` and ``<kind>.json``. Both are written whole, synced
and renamed, the manifest last; a model whose digest, names, types or shapes differ is refused.
"""

import io
import os
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words
from detection.anomaly.frozen import Array, FrozenModel

FORMAT: Final = 1
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_MANIFEST_BYTES_MAX: Final = 64 * 1024
_ARRAYS: Final = ("center", "scale", "low", "high", "prototypes", "tail")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the arrays mean and which file they lie in."""

    format: int
    kind: str
    features: tuple[str, ...]
    neighbours: int
    first: int
    last: int
    rows: int
    shapes: dict[str, tuple[int, ...]]
    file: str
    sm3: str


def save(model: FrozenModel, folder: Path) -> Manifest:
    """Write the model; durable on return. Raises OSError."""
    arrays = {name: np.asarray(getattr(model, name), dtype="<f8") for name in _ARRAYS}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    data = buffer.getvalue()
    digest = sm3_hex(data)
    manifest = Manifest(
        format=FORMAT,
        kind=model.kind,
        features=model.features,
        neighbours=model.neighbours,
        first=model.first,
        last=model.last,
        rows=model.rows,
        shapes={name: array.shape for name, array in arrays.items()},
        file=f"{model.kind}-{digest[:16]}.npz",
        sm3=digest,
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(folder / manifest.file, data)
    _write(folder / f"{model.kind}.json", msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def load(kind: str, folder: Path) -> FrozenModel | None:
    """The model of a kind, None where there is none. Raises Refused where it is not what was saved."""
    path = folder / f"{kind}.json"
    try:
        manifest = msgspec.json.decode(_read(path, _MANIFEST_BYTES_MAX), type=Manifest)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, OSError) as error:
        raise _refused(path, str(error)) from None
    if manifest.format != FORMAT or manifest.kind != kind or Path(manifest.file).name != manifest.file:
        raise _refused(path, "manifest")
    arrays = _arrays(manifest, folder / manifest.file)
    width = len(manifest.features)
    flat = {name: arrays[name].shape == (width,) for name in ("center", "scale", "low", "high")}
    rows = arrays["prototypes"]
    if not all(flat.values()) or rows.ndim != 2 or rows.shape[1] != width:
        raise _refused(path, "shapes")
    if not 0 < manifest.neighbours <= len(rows) or not len(arrays["tail"]) or not (arrays["scale"] > 0).all():
        raise _refused(path, "values")
    return FrozenModel(
        kind=kind,
        features=manifest.features,
        neighbours=manifest.neighbours,
        first=manifest.first,
        last=manifest.last,
        rows=manifest.rows,
        **arrays,
    )


def _arrays(manifest: Manifest, path: Path) -> dict[str, Array]:
    try:
        data = _read(path, FILE_BYTES_MAX)
        if sm3_hex(data) != manifest.sm3:
            raise _refused(path, "SM3")
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            sizes = sum(member.file_size for member in packed.infolist())
        if sizes > FILE_BYTES_MAX:
            raise _refused(path, f"> {FILE_BYTES_MAX} bytes")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if set(archive.files) != set(_ARRAYS):
                raise _refused(path, "names")
            arrays = {name: archive[name] for name in _ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _refused(path, str(error)) from None
    for name, array in arrays.items():
        if array.dtype != np.dtype("<f8") or array.shape != manifest.shapes.get(name):
            raise _refused(path, name)
        if not np.isfinite(array).all():
            raise _refused(path, name)
    return arrays


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise _refused(path, f"> {bytes_max} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _refused(path: Path, reason: str) -> Refused:
    return Refused(
        "model-refused",
        Words(f"模型文件与保存时不同:{reason}", f"the model file is not what was saved: {reason}"),
        Words("请删除该文件,系统会重新学习", "delete the file; the system will learn anew"),
        field=str(path),
    )
