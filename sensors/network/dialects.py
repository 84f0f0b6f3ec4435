"""Every protocol the sensor reads itself, in the order in which they are asked."""

from functools import cache

from sensors.network import (
    dameng,
    dcerpc,
    dhcp,
    dhcp6,
    ftp,
    kerberos,
    ldap,
    mailbox,
    modbus,
    mysql,
    postgresql,
    rdp,
    redis,
    s7,
    smb,
    smtp,
    snmp,
    telnet,
)
from sensors.network.dialect import DatagramDialect, StreamClaim
from sensors.network.dns_message import DNS, DNS_TCP
from sensors.network.dtls import DTLS
from sensors.network.http2 import HTTP2
from sensors.network.http_stream import HTTP
from sensors.network.quic_datagram import QUIC
from sensors.network.ssh_stream import SSH
from sensors.network.tls_stream import TLS


@cache
def streams() -> tuple[StreamClaim, ...]:
    """The claims on TCP; the more exact a signature, the earlier it stands."""
    return (
        TLS,
        SSH,
        HTTP2,
        HTTP,
        smb.STREAM,
        kerberos.STREAM,
        ldap.STREAM,
        dcerpc.STREAM,
        rdp.STREAM,
        s7.STREAM,
        postgresql.STREAM,
        dameng.STREAM,
        mailbox.POP3,
        mailbox.IMAP,
        smtp.STREAM,
        ftp.STREAM,
        redis.STREAM,
        telnet.STREAM,
        mysql.STREAM,
        modbus.STREAM,
        DNS_TCP,
    )


@cache
def datagrams() -> tuple[DatagramDialect, ...]:
    """The readers of UDP; readers of one well-known port before readers of any."""
    return (dhcp.DATAGRAM, dhcp6.DATAGRAM, kerberos.DATAGRAM, snmp.DATAGRAM, DNS, QUIC, DTLS)
