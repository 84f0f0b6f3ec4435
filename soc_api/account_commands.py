"""``liuhe center account | setup``: the way in from the center's own machine."""

import argparse
import getpass
from datetime import UTC, datetime
from pathlib import Path

from crypto.words import Words
from soc_api.arguments import folder


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``account`` and ``setup`` to ``liuhe center``."""
    words = Words("初始化期间建账号,或重发一次性口令", "add an account during set-up, or reissue a password")
    account = verbs.add_parser("account", help=str(words), description=str(words))
    account.add_argument("username")
    account.add_argument("--role", default="")
    account.add_argument("--name", default="", help=str(Words("显示名", "display name")))
    account.add_argument("--unit", default="", help=str(Words("所属单位", "the unit it belongs to")))
    account.set_defaults(run=run_account)
    words = Words("发放初始化令牌,用于指定三员", "give the token that names the three administrators")
    setup = verbs.add_parser("setup", help=str(words), description=str(words))
    setup.set_defaults(run=run_setup)
    for parser in (account, setup):
        parser.add_argument(
            "--data", type=folder, default=Path("var/center"), help=str(Words("数据目录", "data folder"))
        )


def run_account(options: argparse.Namespace) -> int:
    """Print a one-time password: of a new account while set-up is open, of an existing one at any time."""
    from soc_api.folders import Folders, state_engine
    from soc_api.recovery import add_account, people_at, recover
    from soc_api.settings import load_settings

    settings = load_settings(options.data)
    folders = Folders(options.data)
    engine = state_engine(folders, settings)
    now, actor = datetime.now(UTC), f"local:{getpass.getuser()}"
    unit = options.unit or settings.center.unit
    try:
        people = people_at(folders, settings, engine)
        if options.role:
            name = options.name or options.username
            password = add_account(people, options.username, name, options.role, unit, now, actor)
        else:
            password = recover(people, folders, engine, unit, options.username, now, actor)
    finally:
        engine.dispose()
    print(f"{options.username} {password}")
    return 0


def run_setup(options: argparse.Namespace) -> int:
    """Print a token that names the three administrators on the console's set-up page, once, within a day."""
    print(setup_token(options.data))
    return 0


def setup_token(data: Path) -> str:
    """A fresh set-up token of the center in ``data``. Raises Refused (setup-over)."""
    from soc_api.folders import Folders, state_engine
    from soc_api.migrate import upgrade
    from soc_api.recovery import people_at
    from soc_api.settings import load_settings

    settings, folders = load_settings(data), Folders(data)
    engine = state_engine(folders, settings)
    try:
        upgrade(engine)
        people = people_at(folders, settings, engine)
        return people.setup.token(datetime.now(UTC), f"local:{getpass.getuser()}")
    finally:
        engine.dispose()
