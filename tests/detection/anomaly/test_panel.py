"""Models of a kind and of its peer groups: who speaks for whom, when a group gets its own, what is kept."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from detection.anomaly.champion import Champion
from detection.anomaly.encoding import Array
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.history import DAY_SECONDS, History
from detection.anomaly.model import EnsembleParameters, fit
from detection.anomaly.open import window_parameters
from detection.anomaly.panel import Panel
from detection.anomaly.windows import FEATURES, Closed
from detection.parameters import read_parameters, shipped

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = tuple(FEATURES)
SMALL = msgspec.structs.replace(
    read_parameters(shipped("ensemble.toml"), EnsembleParameters), components=1, prototypes_max=100
)
PARAMETERS = msgspec.structs.replace(
    window_parameters(),
    refit=msgspec.structs.replace(window_parameters().refit, rows_min=60, rows_per_day=120),
    groups=msgspec.structs.replace(window_parameters().groups, rows_min=100, models_max=2),
)


class Shelf:
    """Fits small models and remembers what was done."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.ready = True

    def fit(self, kind: str, rows: Array, starts: Array) -> FrozenModel:
        ensemble = fit(rows, NAMES, SMALL, scale_min=0.25)
        return FrozenModel(
            kind=kind, ensemble=ensemble, first=int(starts[0]), last=int(starts[-1]), rows=len(rows)
        )

    def begin(self, kind: str, rows: Array, starts: Array) -> Callable[[], FrozenModel | None]:
        if kind == "host":  # the kind's own refit is not what is tested here
            return lambda: None
        self.acts.append(f"begin {kind}")
        made = self.fit(kind, rows, starts)
        return lambda: made if self.ready else None

    def first(self, model: FrozenModel, now: datetime) -> None:
        self.acts.append(f"first {model.kind}")

    def try_out(self, model: FrozenModel, now: datetime) -> None:
        self.acts.append(f"trial {model.kind}")

    def judge(self, kind: str, *, promote: bool, why: str, now: datetime) -> None:
        self.acts.append(f"judged {kind}")

    def moved(self, _kind: str) -> tuple[FrozenModel, FrozenModel | None] | None:
        return None


def windows_of(day: int, groups: dict[str, tuple[int, float]]) -> list[Closed]:
    """Windows of a day: of each group so many, whose counts are around a rate."""
    generator = np.random.default_rng(day)
    return [
        Closed(
            "host", "u", "s", f"{group}{n}", day * DAY_SECONDS + n * 600, tuple(map(float, row)), (), group
        )
        for group, (number, rate) in groups.items()
        for n, row in enumerate(generator.poisson(rate, (number, len(NAMES))))
    ]


@pytest.fixture(scope="module")
def whole() -> FrozenModel:
    """The kind's model: mostly desks around 5, few servers around 50, over eight days."""
    windows = [one for day in range(8) for one in windows_of(day, {"desk": (90, 5.0), "server": (30, 50.0)})]
    rows = np.array([one.values for one in windows])
    return Shelf().fit("host", rows, np.array([float(one.start) for one in windows]))


def make(model: FrozenModel, challenger: FrozenModel | None, history: History | None = None) -> Champion:
    return Champion(model, challenger, PARAMETERS.refit, 3.3, history)


def run(panel: Panel, shelf: Shelf, days: range, groups: dict[str, tuple[int, float]]) -> None:
    for day in days:
        windows = windows_of(day, groups)
        panel.night(day * DAY_SECONDS, shelf, NOW)
        panel.opinions(windows)


def test_a_group_gets_its_own_model_and_is_judged_by_it(whole: FrozenModel) -> None:
    panel, shelf = Panel(make(whole, None), {}, PARAMETERS, make), Shelf()
    run(panel, shelf, range(8, 10), {"desk": (90, 5.0), "server": (60, 50.0)})
    assert {said.group for said in panel.opinions(windows_of(9, {"server": (5, 50.0)}))} == {""}
    panel.night(10 * DAY_SECONDS, shelf, NOW)
    assert "first host.desk" in shelf.acts
    assert "first host.server" in shelf.acts
    desk_like = windows_of(10, {"server": (20, 5.0)})  # servers that do what desks do: usual for the kind
    kind = whole.opinions(np.array([one.values for one in desk_like]))
    said = panel.opinions(desk_like)
    assert {one.group for one in said} == {"server"}
    assert np.median([one.opinion.surprise for one in said]) > np.median([one.surprise for one in kind]) + 0.5
    assert panel.opinions(windows_of(10, {"": (3, 5.0)}))[0].group == ""
    assert sorted(panel.kept()) == ["host", "host.desk", "host.server"]


def test_a_group_that_is_nearly_all_or_too_small_has_none(whole: FrozenModel) -> None:
    panel, shelf = Panel(make(whole, None), {}, PARAMETERS, make), Shelf()
    run(panel, shelf, range(8, 12), {"desk": (115, 5.0), "server": (5, 50.0)})
    assert not [act for act in shelf.acts if act.startswith("first")]


def test_groups_are_bounded(whole: FrozenModel) -> None:
    panel, shelf = Panel(make(whole, None), {}, PARAMETERS, make), Shelf()
    run(panel, shelf, range(8, 9), {f"group{n}": (5, 5.0) for n in range(9)})
    assert len(panel.waiting()) == PARAMETERS.groups.models_max


def test_what_waits_is_kept_and_the_kinds_model_speaks_while_one_is_fitted(whole: FrozenModel) -> None:
    first, shelf = Panel(make(whole, None), {}, PARAMETERS, make), Shelf()
    run(first, shelf, range(8, 10), {"desk": (60, 5.0), "server": (60, 50.0)})
    again = Panel(make(whole, None), {}, PARAMETERS, make)
    again.recall(first.kept(), first.waiting())
    assert again.waiting() == first.waiting()
    shelf.ready = False
    again.night(10 * DAY_SECONDS, shelf, NOW)
    (said, *_) = again.opinions(windows_of(10, {"server": (5, 50.0)}))
    assert said.group == ""
    shelf.ready = True
    again.night(10 * DAY_SECONDS + 60, shelf, NOW)
    (said, *_) = again.opinions(windows_of(10, {"server": (5, 50.0)}))
    assert said.group == "server"
    third = Panel(make(whole, None), {"server": again.champions()[-1]}, PARAMETERS, make)
    third.recall(again.kept(), again.waiting())
    assert [one.model.kind for one in third.champions()] == ["host", "host.server"]


def test_the_cut_into_batches_changes_no_opinion(whole: FrozenModel) -> None:
    groups = {"server": make(named(whole), None)}
    panel = Panel(make(whole, None), groups, PARAMETERS, make)
    windows = windows_of(9, {"desk": (7, 5.0), "server": (7, 50.0)})
    together = panel.opinions(windows)
    alone = [panel.opinions([one])[0] for one in windows]
    assert [one.group for one in together] == [one.group for one in alone]
    ours, theirs = ([one.opinion.surprise for one in said] for said in (together, alone))
    assert ours == pytest.approx(theirs, abs=1e-9)


def named(model: FrozenModel) -> FrozenModel:
    """The same model under a group's name."""
    return FrozenModel(
        kind="host.server", ensemble=model.ensemble, first=model.first, last=model.last, rows=model.rows
    )
