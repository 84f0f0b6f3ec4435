"""The models of one kind at work: that of the whole kind, and one of each peer group that is big enough.

The kind's model scores every window, and speaks for groups that have none of their own. A group gets its own
one night, once enough of its windows were kept: learned under the same guard as any refit, from what the
kind's model does not find rare. Then it has its own nights, trials and shares.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from detection.anomaly.champion import Champion, Shelf, new_history
from detection.anomaly.frozen import FrozenModel, Opinion
from detection.anomaly.history import DAY_SECONDS, Day, History
from detection.anomaly.learning import Kept
from detection.anomaly.refit import Realised
from detection.anomaly.windows import Closed, WindowParameters

OF: Final = "."  # between a kind and a peer group, in the name of a kind of models

Make = Callable[[FrozenModel, FrozenModel | None, History | None], Champion]


class Said(NamedTuple):
    """What was said of a window, and the peer group whose model said it; "" that of the kind."""

    opinion: Opinion
    group: str


class Panel:
    """Scores windows of one kind, and learns anew from them."""

    def __init__(
        self, champion: Champion, groups: Mapping[str, Champion], parameters: WindowParameters, make: Make
    ) -> None:
        self._champion = champion
        self._kind = champion.model.kind
        self._groups = dict(groups)
        self._waiting: dict[str, History] = {}
        self._fitting: dict[str, Callable[[], FrozenModel | None]] = {}
        self._parameters = parameters
        self._make = make
        self._day = 0

    def champions(self) -> list[Champion]:
        """That of the kind, then those of groups by name."""
        return [self._champion, *(self._groups[group] for group in sorted(self._groups))]

    def opinions(self, windows: Sequence[Closed]) -> list[Said]:
        """What the model of each window's group says of it, or the kind's where the group has none."""
        everyone = self._champion.opinions(list(windows))
        said = [Said(one, "") for one in everyone]
        for group in sorted({window.group for window in windows if window.group}):
            places = [at for at, window in enumerate(windows) if window.group == group]
            own = self._groups.get(group)
            if own is not None:
                for at, opinion in zip(places, own.opinions([windows[at] for at in places]), strict=True):
                    said[at] = Said(opinion, group)
            elif (history := self._waiting_of(group)) is not None:
                for at in places:
                    history.add(windows[at], everyone[at].surprise)
        return said

    def night(self, start: int, shelf: Shelf, now: datetime) -> None:
        """Take up what a person chose; at the first window of a new day judge trials, and learn anew."""
        for champion in self.champions():
            if (chosen := shelf.moved(champion.model.kind)) is not None:
                champion.replaced(*chosen)
            champion.night(start, shelf, now)
        self._take_up(shelf, now)
        day = start // DAY_SECONDS
        if self._day and day > self._day:
            for group in sorted(self._waiting.keys() - self._fitting.keys()):
                self._begin(group, day, shelf)
            self._take_up(shelf, now)
        self._day = max(day, self._day)

    def drift(self) -> list[tuple[str, Realised]]:
        """Kinds of models whose realised shares are not nominal."""
        found = [(champion.model.kind, champion.drift()) for champion in self.champions()]
        return [(kind, realised) for kind, realised in found if realised is not None]

    def kept(self) -> dict[str, Kept]:
        """What a snapshot keeps of each model's work."""
        return {champion.model.kind: champion.kept() for champion in self.champions()}

    def waiting(self) -> dict[str, dict[int, Day]]:
        """What a snapshot keeps of groups without a model."""
        return {f"{self._kind}{OF}{group}": history.days() for group, history in self._waiting.items()}

    def recall(self, kept: Mapping[str, Kept], waiting: Mapping[str, dict[int, Day]]) -> None:
        """Take up what was kept."""
        for champion in self.champions():
            if champion.model.kind in kept:
                champion.recall(kept[champion.model.kind])
        if self._kind in kept:
            self._day = kept[self._kind].refitted
        for kind, days in waiting.items():
            of, _, group = kind.partition(OF)
            if of != self._kind or group in self._groups:
                continue
            if (history := self._waiting_of(group)) is not None:
                history.recall(days)

    def _waiting_of(self, group: str) -> History | None:
        """What is kept of a group's windows; None where there is room for no more groups."""
        if group not in self._waiting:
            if len(self._waiting) + len(self._groups) >= self._parameters.groups.models_max:
                return None
            self._waiting[group] = new_history(self._parameters.refit)
        return self._waiting[group]

    def _begin(self, group: str, day: int, shelf: Shelf) -> None:
        history = self._waiting[group]
        if history.windows > self._parameters.groups.share_max * self._champion.windows:
            return
        learned = self._champion.lesson(history, day)
        if learned.fits and len(learned.rows) >= self._parameters.groups.rows_min:
            kind = f"{self._kind}{OF}{group}"
            self._fitting[group] = shelf.begin(kind, learned.rows, learned.starts)

    def _take_up(self, shelf: Shelf, now: datetime) -> None:
        """Let groups speak whose models are fitted."""
        for group, asked in sorted(self._fitting.items()):
            del self._fitting[group]  # a fit that failed is begun again the next night
            model = asked()
            if model is None:
                self._fitting[group] = asked
                continue
            shelf.first(model, now)
            self._groups[group] = self._make(model, None, self._waiting.pop(group))
