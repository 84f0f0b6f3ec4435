"""Everything about the center's people in one place: logins, accounts, tokens, set-up."""

from datetime import datetime

import msgspec

from detection.store.state import Engine
from soc_api.account_store import AccountStore
from soc_api.accounts import Accounts
from soc_api.admin_plane import AdminPlane
from soc_api.identity import Identity, Visit
from soc_api.set_up import SetUp
from soc_api.set_up_store import SetUpStore
from soc_api.token_store import TokenStore
from soc_api.tokens import Tokens


class People(msgspec.Struct, frozen=True):
    """What the routes of identity work with."""

    identity: Identity
    accounts: Accounts
    tokens: Tokens
    setup: SetUp
    plane: AdminPlane = AdminPlane()
    banner: str = ""

    def alive(self, visit: Visit, now: datetime) -> bool:
        """Whether the session or token of a visit still opens anything."""
        if visit.granted is None:
            return self.identity.alive(visit.token_digest, now)
        return self.tokens.alive(visit.token_digest, now)


def people_of(
    engine: Engine, identity: Identity, unit: str, plane: AdminPlane | None = None, banner: str = ""
) -> People:
    """The center's people over its state database."""
    return People(
        identity,
        Accounts(AccountStore(engine), identity),
        Tokens(TokenStore(engine)),
        SetUp(SetUpStore(engine), identity, unit),
        plane or AdminPlane(),
        banner,
    )
