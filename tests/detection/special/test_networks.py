"""Own addresses, those of others, and those that are nobody's."""

from detection.special.networks import Inside, Networks


def test_addresses_are_sorted() -> None:
    inside: Inside = Networks(inside=("10.0.0.0/8", "fc00::/7")).test()
    assert inside.own("10.1.2.3")
    assert inside.own("fd00::1%eth0")
    assert not inside.own("8.8.8.8")
    for text in ("8.8.8.8", "2001:db8::1"):
        assert inside.outside(text) is (text == "8.8.8.8" or inside.outside(text))
    for text in ("224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "fe80::1", "10.0.0.1", "no", ""):
        assert not inside.outside(text)
