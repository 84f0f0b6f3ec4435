"""Which of many conditions each event satisfies; the same answers as asking them one by one."""

from collections.abc import Iterable, Sequence

from detection.condition import Condition, Keyword, Or, any_of, leaves
from detection.facts import Valued
from detection.matcher.group import Group
from detection.matcher.spoken import Spoken
from detection.matcher.verdict import Answer


class Matcher:
    """Conditions that are asked of the same events. Not for several threads at once."""

    def __init__(
        self, conditions: Sequence[Condition], *, indexed: bool = True, remembers: bool = True
    ) -> None:
        """``indexed=False`` tests every condition, ``remembers=False`` answers every event anew (for proofs).

        Raises BadInput for a pattern or network that cannot be used, at the latest at the first event.
        """
        plain: list[tuple[int, Condition]] = []
        loud: list[tuple[int, Condition]] = []
        for index, condition in enumerate(conditions):
            # either half of an "or" is asked where it can be asked fast
            parts = condition.parts if isinstance(condition, Or) else (condition,)
            spoken = [part for part in parts if _speaks(part)]
            if spoken:
                loud.append((index, any_of(spoken)))
            if len(spoken) < len(parts):
                plain.append((index, any_of(part for part in parts if part not in spoken)))
        self._plain = [index for index, _ in plain]
        self._loud = [index for index, _ in loud]
        self._group = Group([one for _, one in plain], indexed=indexed, remembers=remembers)
        self._spoken = Spoken([one for _, one in loud], indexed=indexed)

    @property
    def chars(self) -> int:
        """Characters of the values it remembers."""
        return self._group.chars

    def forget(self) -> None:
        """Give back the memory of values and answers; no answer changes."""
        self._group.forget()

    def says(self, texts: Iterable[str]) -> bool:
        """Whether some keyword may stand in the texts."""
        return bool(self._loud) and self._spoken.says(texts)

    def match(self, events: Sequence[Valued], lines: Sequence[bytes] | None = None) -> list[Answer]:
        """The indexes of the conditions that each event satisfies, ascending.

        ``lines`` may give the events as JSON, where every text of an event is a value of its line.
        """
        plain: list[Answer] = self._group.match(events) if self._plain else [()] * len(events)
        if not self._loud:
            return plain
        return [
            self._merged(one, two) if two else one and self._placed(one)
            for one, two in zip(plain, self._spoken.match(events, lines), strict=True)
        ]

    def _placed(self, plain: Answer) -> Answer:
        return tuple([self._plain[index] for index in plain])

    def _merged(self, plain: Answer, loud: Answer) -> Answer:
        return tuple(sorted({*self._placed(plain), *(self._loud[index] for index in loud)}))


def _speaks(condition: Condition) -> bool:
    return any(isinstance(leaf, Keyword) for leaf in leaves(condition))
