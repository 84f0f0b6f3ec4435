"""A one-time password from the center's machine: the way back in where no administrator can help.

While set-up is open it is how the first people get in. Afterwards it is for the machine's root or the owner
of the data folder, for accounts that exist, and each time an alarm tells the shift of it.
"""

import os
from datetime import datetime
from typing import Final

from crypto.words import Refused, Words
from detection.alert import Claim, Match, claim
from detection.store.alert_store import AlertStore
from detection.store.state import Engine
from sensors.event import LogSource, Observation, stamp
from soc_api.folders import Folders, identity_of
from soc_api.people import People, people_of
from soc_api.set_up import over
from soc_api.settings import Settings

RECOVERED: Final = Claim(
    rule="account-recovered",
    detector="health",
    title=Words(
        "账号在中心主机上被重新签发口令", "An account's password was issued anew on the center's machine"
    ),
    severity="critical",
    attack=("T1098",),
    clauses=("8.1.4.1.a", "8.1.5.1.a"),
)
_CENTER: Final = "liuhe.center"


def people_at(folders: Folders, settings: Settings, engine: Engine) -> People:
    """The center's people, for its command line."""
    return people_of(engine, identity_of(engine, folders), settings.center.unit)


def add_account(
    people: People, username: str, name: str, role: str, unit: str, now: datetime, actor: str
) -> str:
    """A new account's one-time password, while set-up is open. Raises Refused (setup-over), BadInput."""
    if not people.setup.is_open(now):
        raise over()
    return people.identity.create_account(
        username,
        name,
        role,  # type: ignore[arg-type]  # checked there
        unit,
        now,
        actor=actor,
    )


def recover(
    people: People, folders: Folders, engine: Engine, unit: str, username: str, now: datetime, actor: str
) -> str:
    """A new one-time password of an account; its device is forgotten.

    After set-up it needs the machine's root or the folder's owner, and raises an alarm.
    Raises Refused (account-not-found, recovery-root).
    """
    if not people.setup.is_open(now):
        if os.geteuid() not in (0, folders.data.stat().st_uid):
            raise Refused(
                "recovery-root",
                Words(
                    "只有主机 root 或数据目录属主可以恢复账号",
                    "only root or the folder's owner may recover an account",
                ),
                Words("请切换用户后重试", "become that user and try again"),
                field=str(folders.data),
            )
        password = people.identity.reset_password(username, now, actor=actor)
        _alarm(AlertStore(engine), unit, username, actor, now)
        return password
    return people.identity.reset_password(username, now, actor=actor)


def _alarm(alerts: AlertStore, unit: str, username: str, actor: str, now: datetime) -> None:
    seen = Observation(
        time=now,
        logsource=LogSource(product="liuhe", service="identity"),
        fields={
            "event.dataset": "liuhe.identity",
            "event.action": "account-recovered",
            "user.target.name": username,
            "user.name": actor,
        },
    )
    event = stamp(seen, unit=unit, sensor=_CENTER, epoch=1, sequence=int(now.timestamp() * 1000) % 2**31)
    reason = Words(
        f"{actor} 在中心主机上为账号 {username} 重新签发了一次性口令,其设备已解绑",
        f"{actor} issued a one-time password of {username} on the center's machine; its device is unbound",
    )
    matched = (Match(event=event.id, field="user.target.name", value=username),)
    made = claim(
        RECOVERED, entity=f"user:{username}@console", reason=reason, events=(event,), matched=matched
    )
    alerts.commit([made], [], None, now)
