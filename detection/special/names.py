"""Host names: which part somebody registered, and what stands before it."""

from functools import lru_cache
from typing import Final

_LABELS_MAX: Final = 40
# second-level labels under which names of two-letter countries are handed out
_SHARED: Final = frozenset(
    [
        "com",
        "co",
        "net",
        "org",
        "gov",
        "edu",
        "ac",
        "or",
        "ne",
        "go",
        "mil",
        "gob",
        "nom",
        "web",
        "info",
        "biz",
        "sch",
        "id",
        "k12",
        "ltd",
        "plc",
        "me",
        "nhs",
        "police",
        "asn",
        "gr",
        "res",
        "gouv",
        "govt",
        "gen",
        "geek",
        "maori",
        "iwi",
        "school",
        "mod",
        "muni",
        "jus",
        "leg",
        "art",
        "adm",
        "adv",
        "eng",
        "ind",
        "inf",
        "lg",
        "ed",
        "ad",
        "firm",
        "store",
        "rec",
    ]
)
_CHINESE: Final = frozenset(  # provinces under .cn
    [
        "ah",
        "bj",
        "cq",
        "fj",
        "gd",
        "gs",
        "gx",
        "gz",
        "ha",
        "hb",
        "he",
        "hi",
        "hk",
        "hl",
        "hn",
        "jl",
        "js",
        "jx",
        "ln",
        "mo",
        "nm",
        "nx",
        "qh",
        "sc",
        "sd",
        "sh",
        "sn",
        "sx",
        "tj",
        "tw",
        "xj",
        "xz",
        "yn",
        "zj",
    ]
)


@lru_cache(maxsize=65_536)
def parted(name: str) -> tuple[str, str]:
    """(what stands before, the registered name); ('', name) where nothing stands before it.

    Without a list of suffixes: the last two labels, three where the second last is one that countries hand
    out names under.
    """
    labels = name.rstrip(".").split(".", _LABELS_MAX)
    count = 2
    if len(labels) > 2 and len(labels[-1]) == 2 and _shared(labels[-2], labels[-1]):
        count = 3
    return ".".join(labels[:-count]), ".".join(labels[-count:])


def is_reverse(name: str) -> bool:
    """Whether the name asks who has an address."""
    return name.endswith(".arpa") or name == "arpa"


def _shared(label: str, country: str) -> bool:
    return label in _SHARED or (country == "cn" and label in _CHINESE)
