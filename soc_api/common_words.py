"""Words that passwords are made of everywhere: one of them with figures around it is no password."""

import unicodedata
from typing import Final

# Figures and signs people put in the place of letters.
_INSTEAD: Final = str.maketrans(
    {"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"}
)
_WALKS: Final = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "qazwsxedc",
    "01234567890",
)
_WALK_SHARE: Final = 0.6  # of the signs of a password
_DISTINCT_MIN: Final = 5
WORDS: Final = frozenset(
    (
        "abc",
        "admin",
        "administrator",
        "admins",
        "anhui",
        "anquan",
        "apple",
        "aptx",
        "asd",
        "asdf",
        "baidu",
        "beijing",
        "blink",
        "changeme",
        "china",
        "chongqing",
        "cisco",
        "computer",
        "control",
        "default",
        "dell",
        "demo",
        "dragon",
        "everyone",
        "firewall",
        "flower",
        "football",
        "fuck",
        "gongan",
        "google",
        "guest",
        "guizhou",
        "hacker",
        "haha",
        "hello",
        "helloworld",
        "home",
        "hp",
        "huawei",
        "iloveyou",
        "info",
        "internet",
        "jiangsu",
        "kaka",
        "king",
        "lanzhou",
        "letmein",
        "linux",
        "liuhe",
        "login",
        "love",
        "lovely",
        "mail",
        "manager",
        "master",
        "mima",
        "monitor",
        "monkey",
        "mypassword",
        "mysql",
        "nanjing",
        "network",
        "office",
        "operator",
        "oracle",
        "p",
        "passw",
        "passwd",
        "password",
        "postgres",
        "princess",
        "private",
        "public",
        "pwd",
        "qaz",
        "qazwsx",
        "qwe",
        "qwer",
        "qwert",
        "qwerty",
        "redhat",
        "root",
        "ruijie",
        "samsung",
        "secret",
        "secure",
        "security",
        "server",
        "service",
        "shadow",
        "shanghai",
        "sql",
        "start",
        "student",
        "sunshine",
        "superman",
        "support",
        "suzhou",
        "switch",
        "sysadmin",
        "system",
        "taobao",
        "tencent",
        "test",
        "tester",
        "testing",
        "toor",
        "trustno",
        "ubuntu",
        "user",
        "username",
        "venus",
        "vmware",
        "wang",
        "web",
        "weblogic",
        "webmaster",
        "welcome",
        "windows",
        "woaini",
        "woaizhongguo",
        "wuxi",
        "xiaomi",
        "xitong",
        "yunwei",
        "zaq",
        "zaqwsx",
        "zhang",
        "zhongguo",
        "zhongxin",
        "zxc",
        "zxcvbn",
    )
)
_DOUBLED: Final = frozenset(word * 2 for word in WORDS)


def is_common(password: str) -> bool:
    """Whether it is one of the WORDS dressed up, a walk over the keys, or the same few signs again."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(set(folded)) < _DISTINCT_MIN:
        return True
    inner = folded.strip("".join(sign for sign in folded if not sign.isalpha()))
    # Figures around a word stand for nothing, those within it for letters.
    cores = {"".join(filter(str.isalpha, form)) for form in (inner, inner.translate(_INSTEAD))}
    if cores & WORDS or cores & _DOUBLED:
        return True
    return any(_walked(folded, walk) for walk in _WALKS)


def _walked(folded: str, walk: str) -> bool:
    """Whether most of the signs are one run over neighbouring keys, in either direction."""
    longest = 0
    for line in (walk, walk[::-1]):
        for start in range(len(folded)):
            end = start
            while end < len(folded) and folded[start : end + 1] in line:
                end += 1
            longest = max(longest, end - start)
    return longest >= max(5, _WALK_SHARE * len(folded))
