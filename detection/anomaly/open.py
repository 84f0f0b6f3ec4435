"""The anomaly detector of a center: its parameters, its models, and PyOD where one must be fitted."""

from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec

from crypto.sm3 import sm3_hex
from crypto.words import Refused
from detection.anomaly.budget import Budget
from detection.anomaly.detector import AnomalyDetector
from detection.anomaly.encoding import Array
from detection.anomaly.entities import entity_parameters
from detection.anomaly.feedback import feedback_parameters
from detection.anomaly.fitting import Fitting
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.habit import MEMORY_VERSION, HabitDetector
from detection.anomaly.own import OwnRanges
from detection.anomaly.peers import open_peers
from detection.anomaly.registry import ModelRegistry, registry_in
from detection.anomaly.windows import FEATURES, KINDS, WindowParameters
from detection.calendar import site_calendar
from detection.detector import Detector
from detection.parameters import read_parameters, shipped, site_file
from detection.special.durable import Durable

KEY_NAME = "models.pem"


def window_parameters(site: Path | None = None) -> WindowParameters:
    """The parameters that came with the product, under those of the site's file where there is one."""
    return read_parameters(shipped("windows.toml"), WindowParameters, over=site_file(site))


def open_habits(lists: Path | None = None) -> Detector:
    """The detector of unusual deeds, which keeps its memory now and then; ``lists`` is the site's folder.

    Raises BadInput.
    """
    chosen = entity_parameters(lists / "entities.toml" if lists is not None else None)
    detector = HabitDetector(chosen, site_calendar(), open_peers(lists))
    return Durable(detector, seconds=chosen.habit.snapshot_seconds, version=MEMORY_VERSION)


def open_budget(lists: Path | None = None) -> Budget:
    """The alert budget, with the shifts of the site's local time. Raises BadInput."""
    chosen = feedback_parameters(lists / "feedback.toml" if lists is not None else None)
    return Budget(
        shift_hours=chosen.shift_hours,
        per_unit=chosen.budget_per_unit,
        offset_seconds=site_calendar().offset_seconds,
    )


class SignedShelf:
    """Fits with PyOD, keeps in the registry."""

    def __init__(self, registry: ModelRegistry, parameters: WindowParameters) -> None:
        self._registry, self._parameters = registry, parameters
        self._seen = {kind: registry.stamp(kind) for kind in registry.kinds()}

    def fit(self, kind: str, rows: Array, starts: Array) -> FrozenModel:
        """A model of rows in order of time. Raises ArithmeticError."""
        from detection.anomaly.model import EnsembleParameters, fit  # PyOD takes seconds to import

        parameters = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
        ensemble = fit(rows, tuple(FEATURES), parameters, scale_min=self._parameters.scale_min)
        return FrozenModel(
            kind=kind, ensemble=ensemble, first=int(starts[0]), last=int(starts[-1]), rows=len(rows)
        )

    def begin(self, kind: str, rows: Array, starts: Array) -> Fitting:
        """The same beside this thread."""
        return Fitting(lambda: self.fit(kind, rows, starts))

    def first(self, model: FrozenModel, now: datetime) -> None:
        """Keep a first model; it speaks at once. Raises OSError."""
        self.try_out(model, now)

    def try_out(self, model: FrozenModel, now: datetime) -> None:
        """Keep a model that is on trial from now on. Raises OSError."""
        version = self._registry.add(model, self._digest, now)
        self._registry.try_out(model.kind, version, now)
        self._seen[model.kind] = self._registry.stamp(model.kind)

    def judge(self, kind: str, *, promote: bool, why: str, now: datetime) -> None:
        """End the trial."""
        (self._registry.promote if promote else self._registry.reject)(kind, now, why)
        self._seen[kind] = self._registry.stamp(kind)

    def moved(self, kind: str) -> tuple[FrozenModel, FrozenModel | None] | None:
        """Which models a person chose meanwhile; None where nobody did, or what was chosen is no good."""
        stamp = self._registry.stamp(kind)
        if stamp == self._seen.get(kind, stamp):
            return None
        self._seen[kind] = stamp
        try:
            chosen = self._registry.chosen(kind)
            model = self._registry.load(kind, chosen.champion)
            other = self._registry.load(kind, chosen.challenger) if chosen.challenger else None
        except Refused:
            return None  # what speaks goes on; the next start says what is wrong
        return model, other

    @cached_property
    def _digest(self) -> str:
        whole = msgspec.json.encode(self._parameters, order="sorted") + shipped("ensemble.toml").read_bytes()
        return sm3_hex(whole)


def open_anomaly(
    models: Path, key_file: Path, now: datetime, parameters: Path | None = None
) -> tuple[AnomalyDetector, list[Refused]]:
    """The detector, and the models that were refused: the one before is taken, or learning begins anew."""
    chosen = window_parameters(parameters)
    registry = registry_in(models, key_file)
    refused: list[Refused] = []
    known: dict[str, tuple[FrozenModel, FrozenModel | None]] = {}
    for kind in sorted({*KINDS, *(one for one in registry.kinds() if one.partition(".")[0] in KINDS)}):
        champion = _first_good(registry, kind, now, refused)
        if champion is not None:
            known[kind] = champion, _challenger(registry, kind, now, refused)
    most = min(chosen.windows_open_max, entity_parameters().baseline.entities_max)  # goes with every snapshot
    baseline = msgspec.structs.replace(entity_parameters().baseline, entities_max=most)
    calendar = site_calendar()

    def own() -> OwnRanges:
        return OwnRanges(tuple(FEATURES), baseline, calendar)

    peers = open_peers(parameters.parent if parameters is not None else None)
    return AnomalyDetector(chosen, known, SignedShelf(registry, chosen), own, peers), refused


def _first_good(
    registry: ModelRegistry, kind: str, now: datetime, refused: list[Refused]
) -> FrozenModel | None:
    """The champion, or where it is refused the one before it, and so on."""
    while True:
        try:
            pointer = registry.chosen(kind)
        except Refused as error:
            refused.append(error)
            registry.start_over(kind, now, str(error))
            return None
        if not pointer.champion:
            if not pointer.before:
                return None
            registry.promote_former(kind, now)
            continue
        model = _loaded(registry, kind, pointer.champion, now, refused)
        if model is not None:
            return model


def _challenger(
    registry: ModelRegistry, kind: str, now: datetime, refused: list[Refused]
) -> FrozenModel | None:
    version = registry.chosen(kind).challenger
    return _loaded(registry, kind, version, now, refused) if version else None


def _loaded(
    registry: ModelRegistry, kind: str, version: int, now: datetime, refused: list[Refused]
) -> FrozenModel | None:
    try:
        model = registry.load(kind, version)
        if model.features == tuple(FEATURES):
            return model
        registry.forget(kind, version, now, "features of another edition")
    except Refused as error:
        refused.append(error)
        registry.forget(kind, version, now, error.what.en)
    return None
