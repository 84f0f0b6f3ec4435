"""Revocation lists that travel beside packages and receipts: each proves itself, none replaces a newer one.

A channel with certificates puts the lists of its trust folder into the directory with every export, and takes
up those that lie there before it looks at a package: a receiver behind a one-way gap stays up to date.
"""

from datetime import datetime
from pathlib import Path

from crypto.crl import CRL_BYTES_MAX, read_crls
from crypto.sm3 import sm3_hex
from crypto.trust_files import TrustFolder
from crypto.words import BadInput, Refused
from soc_api.audit import entry
from soc_api.transfer_channels import Channel, Channels
from soc_api.transfer_desk import Parts
from soc_api.transfer_ferry import LIST, deliver_small, offered, opened, take_away

_OLDER = "crl-rollback"  # what a ferry brings late is no attack on its own


def hand_over_lists(channels: Channels, channel: Channel, directory: Path) -> None:
    """Every list of the channel's trust folder into a directory; nothing where it goes by keys alone."""
    if channel.trust is None:
        return
    for crl in TrustFolder(channels.path(channel.trust.folder)).contents().crls:
        deliver_small(crl.pem(), directory, f"{sm3_hex(crl.der)[:32]}.crl")


def take_lists(parts: Parts, channel: Channel, directory: Path, now: datetime) -> list[tuple[str, str]]:
    """Take up every list that lies in a directory: (file, ``taken`` or the code of its refusal)."""
    if channel.trust is None:
        return []
    folder = TrustFolder(parts.channels.path(channel.trust.folder))
    outcomes = []
    for path in offered(directory, LIST):
        with parts.ferry.locked():
            state = _take(folder, path)
            if state:
                outcomes.append((path.name, state))
                said = entry(
                    time=now,
                    actor="system:transfer",
                    source="local",
                    action="transfer.crl",
                    about=f"channel:{channel.id}",
                    result="ok" if state == "taken" else state,
                )
                with parts.store.acting(said):
                    pass
            take_away(path, refused=state not in {"", "taken"})
    return outcomes


def _take(folder: TrustFolder, path: Path) -> str:
    """What became of a list; empty where it is known already or older."""
    try:
        with opened(path) as file:
            lists = read_crls(file.read(2 * CRL_BYTES_MAX))
        known = {one.der for one in folder.contents().crls}
        fresh = [one for one in lists if one.der not in known]
        for one in fresh:
            folder.add_crl(one)
    except (Refused, BadInput) as error:
        return "" if error.code == _OLDER else error.code
    return "taken" if fresh else ""
