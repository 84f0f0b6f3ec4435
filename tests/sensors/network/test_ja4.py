"""JA4 by hand-made offers; the fingerprints of real clients are compared in test_agreement."""

from sensors.network.ja4 import ja4, ja4_parts


def test_the_three_parts() -> None:
    head, suites, rest = ja4_parts("t", 0x0304, [0x1302, 0x1301], [0, 16, 43, 13], [0x0804, 0x0403], b"h2")
    assert (head, suites, rest) == ("t13d0204h2", "1301,1302", "000d,002b_0804,0403")


def test_order_of_suites_and_extensions_does_not_matter_but_that_of_signatures_does() -> None:
    one = ja4("q", 0x0304, [1, 2, 3], [10, 43], [5, 6], b"h3")
    assert one == ja4("q", 0x0304, [3, 1, 2], [43, 10], [5, 6], b"h3")
    assert one != ja4("q", 0x0304, [1, 2, 3], [10, 43], [6, 5], b"h3")


def test_nothing_hashes_to_zeros() -> None:
    assert ja4("t", 0x0101, [], [], [], b"") == "t00i000000_000000000000_000000000000"


def test_counts_stop_at_99_and_odd_protocols_are_nines() -> None:
    assert ja4_parts("t", 0x0303, list(range(200)), [], [], b"x")[0] == "t12i9900xx"
    assert ja4_parts("t", 0x0303, [], [], [], b"\xab\x01\xcd")[0] == "t12i000099"


def test_without_signatures_no_underscore() -> None:
    assert ja4_parts("d", 0xFEFD, [], [10], [], b"")[0:3:2] == ("dd2i000100", "000a")
