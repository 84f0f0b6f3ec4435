"""What is reported: names of both taxonomies, the view of the client, times that no calendar holds."""

from collections.abc import Callable

import craft
import pytest
from craft import of

from sensors.event import Observation
from sensors.network.observation import address_text, moment

Inspect = Callable[..., list[Observation]]


def test_a_query_and_its_answer_have_the_same_source(inspect: Inspect) -> None:
    asked = craft.udp(craft.dns("a.example.cn"), 40_000, 15_353)
    answered = craft.udp(
        craft.dns_answer("a.example.cn", [bytes(4)]), 15_353, 40_000, craft.THERE, craft.HERE
    )
    query, answer = of("net.dns", inspect(asked, answered))
    for one in (query, answer):
        assert one.logsource.product == "zeek"
        assert one.logsource.service == "dns"
        assert one.fields["source.ip"] == one.native["id.orig_h"] == craft.HERE
        assert one.native["query"] == one.fields["dns.question.name"] == "a.example.cn"
        assert one.fields["observer.name"] == "sensor-1"
    assert (query.fields["dns.type"], answer.fields["dns.type"]) == ("query", "answer")
    assert answer.native["answers"] == ["0.0.0.0"]
    assert query.fields["network.community_id"] == answer.fields["network.community_id"]


def test_tls_is_told_in_two_steps(inspect: Inspect) -> None:
    answer = craft.server_hello(0x00C6, chosen=0x0304)
    packets = craft.connection(craft.client_hello("oa.gov.cn", suites=(0x00C6,)), 8_443, answer=answer)
    client, server = of("net.tls", inspect(*packets))
    assert client.native["server_name"] == "oa.gov.cn"
    assert client.fields["tls.client.supported_ciphers"] == ["TLS_SM4_GCM_SM3"]
    assert "version" not in client.native
    assert server.native["version"] == server.fields["tls.version"] == "TLSv13"
    assert server.native["cipher"] == "TLS_SM4_GCM_SM3"
    assert server.fields["tls.client.server_name"] == "oa.gov.cn"
    assert server.fields["source.ip"] == craft.HERE
    assert client.fields["gov.tls.sm"] is server.fields["gov.tls.sm"] is True


def test_http_gives_both_name_sets(inspect: Inspect) -> None:
    page = b"HTTP/1.1 404 Not Found\r\n\r\n"
    head, status = of("net.http", inspect(*craft.connection(craft.http("/x%2fy?q=1"), 81, answer=page)))
    assert (head.native["uri"], head.native["cs-uri-stem"]) == ("/x/y?q=1", "/x%2fy")
    assert head.logsource.category == "webserver"
    assert (status.native["status_code"], status.fields["source.ip"]) == (404, craft.HERE)


def test_a_flow_counts_both_ways(inspect: Inspect) -> None:
    (one,) = of("net.flow", inspect(*craft.connection(b"ask", 80, answer=b"tell")))
    assert (one.native["orig_bytes"], one.native["resp_bytes"]) == (3, 4)
    assert one.fields["source.bytes"] == 5 * 40 + 3
    assert one.fields["network.bytes"] == one.fields["source.bytes"] + one.fields["destination.bytes"]
    assert one.native["duration"] == pytest.approx(0.07)
    assert one.fields["event.duration"] == pytest.approx(70_000_000, abs=1_000)
    assert one.logsource.category == "flow"


def test_arp_and_icmp(inspect: Inspect) -> None:
    poisoned = craft.arp(2, craft.THERE, craft.HERE, frame_mac="02:00:00:00:00:66")
    (arp,) = of("net.arp", inspect(poisoned))
    assert arp.fields["gov.arp.mac_differs"] is True
    assert arp.fields["source.ip"] == craft.THERE
    (icmp,) = of("net.icmp", inspect(craft.router_advertisement()))
    assert (icmp.fields["icmp.type"], icmp.fields["nd.router_lifetime"]) == (134, 1_800)
    assert "source.port" not in icmp.fields


def test_odd_times_and_addresses() -> None:
    assert moment(1e300).year == 9_999
    assert moment(-5.0).year == 1970
    assert address_text(b"abc") == ""
