"""Webhooks: changes of the queue and of cases sent to other programs, signed, repeated until they are taken.

``X-Liuhe-Signature: hmac-sm3=<hex>`` is over the value of ``X-Liuhe-Timestamp`` (seconds), a dot and the
body. A receiver compares it with its own and refuses timestamps that are old: nobody can send one twice.
``X-Liuhe-Delivery`` is the same at every attempt, so that what came twice is known.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.sm3 import hmac_sm3, sm3_hex
from crypto.words import BadInput, LiuheError, Words
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.changed_groups import ROWS_MAX, changed_groups
from detection.store.group_query import GroupFilter, narrowed
from soc_api.case_feed import KINDS, CaseEvent, CaseFeed, CaseQuery, Happening
from soc_api.outbound import Network, Resolve, Target, post, resolved, target_of
from soc_api.secret_box import SecretBox
from soc_api.webhook_store import Delivery, Webhook, WebhookStore

EVENTS: Final = ("alerts", *KINDS.values())
PURPOSE: Final = "webhook"
BEAT_SECONDS: Final = 2.0
FIRST_RETRY: Final = timedelta(seconds=10)
RETRY_MAX: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(hours=24)
AT_ONCE: Final = 50
PAGES_MAX: Final = 20
_SECRET_BYTES: Final = 32
_LAST: Final = "\uffff"  # behind every id of a revision

Post = Callable[[Target, bytes, dict[str, str], Path | None], int]
UnitsOf = Callable[[str], frozenset[str] | None]


class Webhooks:
    """The desk of webhooks; ``beat`` does the sending. Safe to share between threads."""

    def __init__(
        self,
        store: WebhookStore,
        alerts: AlertStore,
        cases: CaseFeed,
        box: SecretBox,
        *,
        center: str,
        private: Sequence[Network] = (),
        authority: Path | None = None,
        units_of: UnitsOf = lambda _unit: None,
        send: Post = post,
        resolve: Resolve = resolved,
    ) -> None:
        self.store: Final = store
        self._alerts, self._cases, self._box, self._center = alerts, cases, box, center
        self._private, self._authority = tuple(private), authority
        self._units_of, self._send, self._resolve = units_of, send, resolve

    def make(
        self, name: str, url: str, events: Sequence[str], query: str, unit: str, actor: str, now: datetime
    ) -> tuple[Webhook, str]:
        """A new subscription and its secret, told once.

        A query must be one of every event. Raises BadInput (outbound-address, webhook-events, query-syntax,
        alert-query, case-query), Refused (webhook-full).
        """
        target_of(url, self._private, self._resolve)
        if not events or set(events) - set(EVENTS):
            raise BadInput(
                "webhook-events",
                Words("没有这种事件", "there is no such event"),
                Words(f"可选 {', '.join(EVENTS)}", f"choose from {', '.join(EVENTS)}"),
                field="events",
            )
        if "alerts" in events:
            narrowed(GroupFilter(q=query), now)
        CaseQuery(query, _cases_of(events))
        secret = secrets.token_hex(_SECRET_BYTES)
        values = {
            "name": name,
            "url": url,
            "events": ",".join(dict.fromkeys(events)),
            "query": query,
            "unit": unit,
            "secret": self._box.seal(secret.encode(), url),
            "made_by": actor,
            "seen": self._alerts.revision(),
            "acted": self._cases.last(),
        }
        return self.store.get(self.store.add(values, now)), secret

    def beat(self, now: datetime) -> None:
        """Put what is new into the outboxes and send what is due."""
        active = {hook.id: hook for hook in self.store.all() if hook.ended is None}
        for hook in active.values():
            if "alerts" in hook.events:
                self._fill(hook, now)
            if _cases_of(hook.events):
                self._fill_cases(hook, now)
        for delivery in self.store.due(now, AT_ONCE):
            if delivery.webhook in active:
                self.store.settle(self._sent(active[delivery.webhook], delivery, now))

    def run(self, stop: threading.Event, say: Callable[[Words], None]) -> None:
        """Beat until ``stop``; what goes wrong is said and tried again."""
        while not stop.wait(BEAT_SECONDS):
            try:
                self.beat(datetime.now(UTC))
            except LiuheError as error:
                say(error.what)
            except Exception as error:  # noqa: BLE001 -- one broken beat must not end all webhooks for good
                say(Words(f"订阅推送异常,稍后重试:{error!r}", f"webhooks broke, will try again: {error!r}"))

    def _fill(self, hook: Webhook, now: datetime) -> None:
        wanted = GroupFilter(state="all", q=hook.query, units=self._units_of(hook.unit), told=True)
        place, more = (hook.seen, _LAST), True
        found: list[AlertGroup] = []
        for _ in range(PAGES_MAX):
            changes = changed_groups(self.store.engine, place, wanted, now, ROWS_MAX)
            found += changes.rows
            place, more = changes.place, len(changes.rows) == ROWS_MAX
            if not more:
                break
        if not found:
            return
        last = found[-1].revision
        if more and found[0].revision != last:  # the rest of that change comes with the next beat
            found = [group for group in found if group.revision != last]
            last = found[-1].revision
        rows = [("alerts", group.id, _told(self._center, group)) for group in found]
        self.store.fill(hook.id, rows, now, seen=last)

    def _fill_cases(self, hook: Webhook, now: datetime) -> None:
        found, last = self._cases.after(hook.acted)
        if last == hook.acted:
            return
        asked, units = CaseQuery(hook.query, _cases_of(hook.events)), self._units_of(hook.unit)
        rows = [
            (one.event, one.about, _happened(self._center, one))
            for one in found
            if one.event in hook.events and one.within(units) and asked.finds(one)
        ]
        self.store.fill(hook.id, rows, now, acted=last)

    def _sent(self, hook: Webhook, delivery: Delivery, now: datetime) -> Delivery:
        status, problem = 0, ""
        try:
            secret = self._box.open(hook.secret, hook.url)
            target = target_of(hook.url, self._private, self._resolve)
            body = delivery.body.encode()
            status = self._send(target, body, _headers(delivery, body, secret, now), self._authority)
            problem = "" if 200 <= status < 300 else f"HTTP {status}"
        except (OSError, LiuheError) as error:
            problem = str(error) or type(error).__name__
        attempts = delivery.attempts + 1
        if not problem:
            return msgspec.structs.replace(
                delivery, state="delivered", attempts=attempts, status=status, problem=""
            )
        after = min(FIRST_RETRY * 2 ** min(attempts - 1, 12), RETRY_MAX)
        over = now + after > delivery.made + GIVEN_UP_AFTER
        return msgspec.structs.replace(
            delivery,
            state="given-up" if over else "waiting",
            attempts=attempts,
            due=now + after,
            status=status,
            problem=problem,
        )


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of ``X-Liuhe-Signature``."""
    return f"hmac-sm3={hmac_sm3(secret, timestamp.encode() + b'.' + body).hex()}"


@contextmanager
def webhook_rounds(webhooks: Webhooks, say: Callable[[Words], None]) -> Iterator[None]:
    """Send on a thread of its own, so that a slow receiver holds nothing up."""
    stop = threading.Event()
    worker = threading.Thread(target=webhooks.run, args=(stop, say), name="webhooks", daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(timeout=2)


def _headers(delivery: Delivery, body: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    timestamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "liuhe-webhook/1",
        "X-Liuhe-Event": delivery.event,
        "X-Liuhe-Delivery": str(delivery.id),
        "X-Liuhe-Timestamp": timestamp,
        "X-Liuhe-Signature": signature(secret, timestamp, body),
    }


def _cases_of(events: Sequence[str]) -> list[CaseEvent]:
    return [event for event in KINDS.values() if event in events]


def _happened(center: str, told: Happening) -> str:
    return msgspec.json.encode({"event": told.event, "center": center, "data": told.data}).decode()


def _told(center: str, group: AlertGroup) -> str:
    """What is sent of a group: no event, and no person's name."""
    kind, _, name = group.entity.partition(":")
    entity = f"user:{sm3_hex(name.encode())[:12]}" if kind == "user" else group.entity
    data: dict[str, Any] = {
        "id": group.id,
        "rule": group.rule,
        "detector": group.detector,
        "severity": group.severity,
        "title": {"zh": group.title.zh, "en": group.title.en},
        "entity": entity,
        "unit": group.unit,
        "state": group.state,
        "count": group.count,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "revision": group.revision,
    }
    return msgspec.json.encode({"event": "alerts", "center": center, "data": data}).decode()
