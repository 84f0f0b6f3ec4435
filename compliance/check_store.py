"""Check results in tables: the newest evaluation per system and check, and its history."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, func, insert, select, update

from compliance.evaluation import Evaluation, Fact
from compliance.facts import RUNNING_NUMBERS
from compliance.ledgered_store import end
from compliance.tables import check_history, check_results
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from sensors.event import Value

_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final = msgspec.json.Decoder(Evaluation)
HISTORY_MAX: Final = 50


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation with the ledger index of the leaf that holds it."""

    evaluation: Evaluation
    leaf: int


class CheckStore:
    """Check results over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, results: Iterable[Kept]) -> None:
        """Store evaluations as the newest; one whose leaf is new also enters the history.

        Ends the evaluation that was begun (see ledgered_store).
        """
        with writing(self._engine) as connection:
            bump(connection, "checks")  # first: it holds other writers off, so that numbers follow commits
            for kept in results:
                place = (
                    check_results.c.system == kept.evaluation.system,
                    check_results.c.check == kept.evaluation.check,
                )
                known = connection.execute(select(check_results.c.leaf).where(*place)).first()
                values = _row(kept)
                if known is None:
                    connection.execute(insert(check_results).values(values))
                else:
                    connection.execute(update(check_results).where(*place).values(values))
                if known is None or known.leaf != kept.leaf:
                    del values["verdict"]
                    connection.execute(insert(check_history).values(values))
            end(connection, "evaluation")

    def newest(self, system: str) -> dict[str, Kept]:
        """The newest evaluation of each check of a system."""
        query = select(check_results.c.body, check_results.c.leaf).where(check_results.c.system == system)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        kept = [Kept(evaluation=_decoder.decode(body), leaf=leaf) for body, leaf in rows]
        return {one.evaluation.check: one for one in kept}

    def history(self, system: str, check: str) -> Sequence[Kept]:
        """Evaluations that changed the verdict or its grounds, newest first, HISTORY_MAX at most."""
        query = select(check_history.c.body, check_history.c.leaf).where(
            check_history.c.system == system, check_history.c.check == check
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(check_history.c.id.desc()).limit(HISTORY_MAX)).all()
        return [Kept(evaluation=_decoder.decode(body), leaf=leaf) for body, leaf in rows]

    def changed(self, after: int, systems: Sequence[str], limit: int) -> tuple[list[Kept], int]:
        """Results whose verdict or grounds changed after a place of the history, as they are now.

        Each once, by its last change; the place to go on from.
        """
        history, later = check_history, check_history.alias("later")
        same = (later.c.system == history.c.system, later.c.check == history.c.check)
        newer = select(later.c.id).where(*same, later.c.id > history.c.id).exists()
        of = (check_results.c.system == history.c.system) & (check_results.c.check == history.c.check)
        query = select(history.c.id, check_results.c.body, check_results.c.leaf).join(check_results, of)
        query = query.where(history.c.id > after, ~newer, history.c.system.in_(list(systems)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(history.c.id).limit(limit)).all()
        kept = [Kept(evaluation=_decoder.decode(row.body), leaf=row.leaf) for row in rows]
        return kept, rows[-1].id if rows else after

    def first(self, system: str, check: str) -> datetime | None:
        """When a check was first evaluated for a system."""
        query = select(func.min(check_history.c.evaluated)).where(
            check_history.c.system == system, check_history.c.check == check
        )
        with self._engine.connect() as connection:
            found = connection.scalar(query)
        return None if found is None else from_micros(found)

    def revision(self) -> int:
        """Grows with every stored evaluation."""
        with self._engine.connect() as connection:
            return counter(connection, "checks")


def body_of(evaluation: Evaluation) -> bytes:
    """The evaluation as canonical JSON: the payload of its leaf."""
    return _encoder.encode(evaluation)


def from_body(body: bytes | str) -> Evaluation:
    """The evaluation of a payload. Raises msgspec.ValidationError where it is none."""
    return _decoder.decode(body)


def grounds(evaluation: Evaluation) -> tuple[object, ...]:
    """What makes an evaluation differ from the one before: verdict and grounds, not the time of asking.

    Numbers that only run on (the size of the ledger, which each evaluation adds to) are no new grounds.
    """
    findings = [(f.object, f.fact, f.state, _standing(f.evidence)) for f in evaluation.findings]
    return evaluation.verdict, evaluation.reason, findings


def _standing(fact: Fact | None) -> dict[str, Value] | None:
    if fact is None:
        return None
    return {name: value for name, value in fact.fields.items() if name not in RUNNING_NUMBERS}


def _row(kept: Kept) -> dict[str, object]:
    evaluated: datetime = kept.evaluation.evaluated
    return {
        "system": kept.evaluation.system,
        "check": kept.evaluation.check,
        "verdict": kept.evaluation.verdict,
        "evaluated": micros(evaluated),
        "leaf": kept.leaf,
        "body": body_of(kept.evaluation).decode(),
    }
