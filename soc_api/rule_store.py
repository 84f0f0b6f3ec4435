"""Versions of rules, decisions about them and the pipeline's report in the state database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, update

from crypto.words import Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.rule_report import Decided, Past, Report, Reported
from soc_api.rule_tables import rule_decisions as decisions
from soc_api.rule_tables import rule_reports as reports
from soc_api.rule_tables import rule_versions as versions

HISTORY_MAX: Final = 200
_COUNTER: Final = "rules"
_PIPELINE: Final = "pipeline"

_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final = msgspec.json.Decoder(Report)


class RuleStore:
    """Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def revision(self) -> int:
        """Grows with every decision, new version and report."""
        with self._engine.connect() as connection:
            return counter(connection, _COUNTER)

    def newest(self) -> int:
        """The revision of decisions; 0 before the first."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.max(decisions.c.revision))) or 0)

    def decided(self) -> Decided:
        """What is switched off now."""
        latest = select(func.max(decisions.c.revision)).group_by(decisions.c.rule)
        query = select(decisions.c.revision, decisions.c.rule, decisions.c.enabled).where(
            decisions.c.revision.in_(latest)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return Decided(
            max((row.revision for row in rows), default=0),
            frozenset(row.rule for row in rows if not row.enabled),
        )

    def decide(self, rule: str, enabled: bool, *, actor: str, reason: str, now: datetime) -> int:
        """Switch a rule; the revision. Durable on return.

        Raises Refused (rule-state) where it is so already.
        """
        with writing(self._engine) as connection:
            if _enabled(connection, rule) == enabled:
                raise _so_already(rule, enabled)
            values = {"rule": rule, "enabled": enabled, "actor": actor, "reason": reason, "time": micros(now)}
            key = connection.execute(insert(decisions).values(values)).inserted_primary_key
            assert key is not None
            bump(connection, _COUNTER)
            return int(key[0])

    def note(self, loaded: Mapping[str, str], now: datetime) -> int:
        """Keep which versions (rule -> digest) are loaded; how many differ from those before."""
        latest = select(func.max(versions.c.id)).group_by(versions.c.rule)
        query = select(versions.c.rule, versions.c.digest).where(versions.c.id.in_(latest))
        with writing(self._engine) as connection:
            known = {row.rule: row.digest for row in connection.execute(query)}
            changed = {rule: digest for rule, digest in loaded.items() if known.get(rule) != digest}
            changed |= {rule: "" for rule, digest in known.items() if digest and rule not in loaded}
            if changed:
                time = micros(now)
                rows = [{"rule": rule, "digest": digest, "time": time} for rule, digest in changed.items()]
                connection.execute(insert(versions), rows)
                bump(connection, _COUNTER)
        return len(changed)

    def history(self, rule: str) -> list[Past]:
        """What became of a rule, newest first."""
        loaded = select(versions).where(versions.c.rule == rule).order_by(versions.c.id.desc())
        switched = select(decisions).where(decisions.c.rule == rule).order_by(decisions.c.revision.desc())
        with self._engine.connect() as connection:
            past = [
                Past(
                    time=from_micros(row["time"]),
                    kind="loaded" if row["digest"] else "removed",
                    digest=row["digest"],
                )
                for row in connection.execute(loaded.limit(HISTORY_MAX)).mappings()
            ]
            past += [
                Past(
                    time=from_micros(row["time"]),
                    kind="enabled" if row["enabled"] else "disabled",
                    actor=row["actor"],
                    reason=row["reason"],
                )
                for row in connection.execute(switched.limit(HISTORY_MAX)).mappings()
            ]
        return sorted(past, key=lambda one: one.time, reverse=True)[:HISTORY_MAX]

    def keep_report(self, report: Report, now: datetime, *, tell: bool = True) -> None:
        """Replace the pipeline's report; unless ``tell``, pages that are open need not fetch it at once."""
        values = {"body": _encoder.encode(report), "time": micros(now)}
        with writing(self._engine) as connection:
            kept = connection.execute(update(reports).where(reports.c.name == _PIPELINE).values(**values))
            if not kept.rowcount:
                connection.execute(insert(reports).values(name=_PIPELINE, **values))
            if tell:
                bump(connection, _COUNTER)

    def report(self) -> Reported | None:
        """The pipeline's newest report; None before the first, and where another version wrote it."""
        query = select(reports.c.time, reports.c.body).where(reports.c.name == _PIPELINE)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        try:
            return Reported(time=from_micros(row.time), report=_decoder.decode(row.body))
        except msgspec.MsgspecError:
            return None


def _enabled(connection: Connection, rule: str) -> bool:
    query = (
        select(decisions.c.enabled)
        .where(decisions.c.rule == rule)
        .order_by(decisions.c.revision.desc())
        .limit(1)
    )
    found = connection.scalar(query)
    return True if found is None else bool(found)


def _so_already(rule: str, enabled: bool) -> Refused:
    return Refused(
        "rule-state",
        Words(
            "该规则已经启用" if enabled else "该规则已经停用",
            "the rule is enabled already" if enabled else "the rule is disabled already",
        ),
        Words("可能他人刚刚操作,请刷新", "somebody else may just have acted, reload"),
        field=rule,
    )
