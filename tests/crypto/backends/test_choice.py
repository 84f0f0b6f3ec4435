"""One backend per process, named, tested before it serves, never changed."""

import pytest

from crypto import selftest
from crypto.backends import choice
from crypto.backends.interface import Backend, Digest
from crypto.backends.openssl import OpenSsl
from crypto.words import BadInput, LiuheError, Refused


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_in_force", None)


@pytest.mark.parametrize("name", ["openssl", "native", "reference"])
def test_use_by_name(name: str) -> None:
    backend = choice.use(name)
    assert backend is choice.current() is choice.use(name)
    assert choice.about().name == name


def test_default_where_nothing_was_chosen() -> None:
    assert choice.about().name == choice.DEFAULT == "openssl"
    assert len(selftest.self_test()) == len(selftest.STEPS) + len(selftest.KEY_STEPS)


def test_a_second_choice_is_refused() -> None:
    choice.use("openssl")
    with pytest.raises(Refused, match="backend-chosen"):
        choice.use("reference")
    with pytest.raises(Refused, match="backend-chosen"):
        choice.use_backend(OpenSsl())
    assert choice.about().name == "openssl"


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(BadInput, match="backend-unknown") as caught:
        choice.use("OpenSSL")
    assert "native" in caught.value.fix.en


class Wrong(OpenSsl):
    """Hashes one more byte."""

    def sm3(self, data: bytes = b"") -> Digest:
        """Not SM3."""
        return super().sm3(data + b".")


def test_a_backend_that_fails_its_test_never_serves() -> None:
    wrong: Backend = Wrong()
    with pytest.raises(LiuheError, match="crypto-selftest"):
        choice.use_backend(wrong)
    assert choice.about().name == "openssl"


def test_without_gmssl_pyx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gmssl_pyx", None)
    monkeypatch.delitem(__import__("sys").modules, "crypto.backends.native", raising=False)
    with pytest.raises(LiuheError, match="native-missing") as caught:
        choice.use("native")
    assert "liuhe[native]" in caught.value.fix.en
