"""The anomaly detector of a center: its parameters, its models, and PyOD where one must be fitted."""

from pathlib import Path

from crypto.words import Refused
from detection.anomaly.detector import AnomalyDetector
from detection.anomaly.frozen import Array, FrozenModel
from detection.anomaly.model_files import load, save
from detection.anomaly.windows import FEATURES, KINDS, Kind, WindowParameters
from detection.parameters import read_parameters, shipped


def window_parameters(path: Path | None = None) -> WindowParameters:
    """The parameters of the center, or those that came with the product."""
    return read_parameters(path or shipped("windows.toml"), WindowParameters)


def open_anomaly(models: Path, parameters: Path | None = None) -> tuple[AnomalyDetector, list[Refused]]:
    """The detector, and the model files that were refused (their kinds are learned anew)."""
    chosen = window_parameters(parameters)
    known: dict[Kind, FrozenModel] = {}
    refused: list[Refused] = []
    for kind in KINDS:
        try:
            model = load(kind, models)
        except Refused as error:
            refused.append(error)
            continue
        if model is not None and model.features == tuple(FEATURES):
            known[kind] = model

    def fit_kind(kind: Kind, rows: Array, starts: Array) -> FrozenModel:
        from detection.anomaly.model import fit  # PyOD takes seconds to import and is needed once

        return fit(
            kind,
            tuple(FEATURES),
            rows,
            starts,
            neighbours=chosen.neighbours,
            prototypes_max=chosen.prototypes_max,
            held_out=chosen.held_out,
        )

    def keep(model: FrozenModel) -> None:
        save(model, models)

    return AnomalyDetector(chosen, known, fit_kind, keep), refused
