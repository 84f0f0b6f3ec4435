"""What is reported of HTTP heads, of any version: ECS fields and Zeek's http.log names side by side."""

from sensors.event import Value
from sensors.network.dialect import Message
from sensors.network.http import HttpRequest, HttpResponse
from sensors.network.reading import MASK


def request_message(head: HttpRequest, depth: int, service: str = "http") -> Message:
    """net.http: a request, the ``depth``-th seen of its connection."""
    host = bare_host(head.host)
    fields: dict[str, Value] = {
        "event.action": "request",
        "http.request.method": head.method,
        "http.version": head.version,
        "url.original": head.uri,
        "url.path": head.path,
        "url.query": head.query,
        "url.domain": host,
        "user_agent.original": head.user_agent,
        "http.request.referrer": head.referrer,
    }
    native: dict[str, Value] = {
        "trans_depth": depth,
        "method": head.method,
        "host": head.host,
        "uri": head.decoded,
        "user_agent": head.user_agent,
        "referrer": head.referrer,
        "version": head.version,
        "cs-method": head.method,
        "cs-uri-stem": head.path,
        "cs-uri-query": head.query,
        "cs-host": head.host,
        "c-useragent": head.user_agent,
    }
    if head.origin:
        fields["gov.http.origin"] = native["origin"] = head.origin
    if head.forwarded_for:
        fields["gov.http.forwarded_for"] = head.forwarded_for
    if head.content_type:
        fields["http.request.mime_type"] = head.content_type
    if head.body.size >= 0:
        fields["http.request.body.bytes"] = head.body.size
    if head.upgrade:
        fields["gov.http.upgrade"] = head.upgrade
    if head.scheme:
        fields["gov.http.auth_scheme"] = head.scheme
    if head.basic_user is not None:
        fields |= {
            "gov.http.basic_auth": True,
            "user.name": head.basic_user,
            "gov.credential.clear": True,
            "gov.credential.kind": "password",
            "gov.credential.shown": MASK,
            "gov.credential.mark": head.basic_mark,
        }
        native["username"] = head.basic_user
    return Message("net.http", service, fields, native, log="http", category="webserver")


def response_message(
    head: HttpResponse, asked: HttpRequest | None, depth: int, service: str = "http"
) -> Message:
    """net.http: a response; ``asked`` is the request it answers, where that was seen."""
    fields: dict[str, Value] = {
        "event.action": "response",
        "http.version": head.version,
        "http.response.status_code": head.status,
        "http.response.mime_type": head.content_type,
        "gov.http.server": head.server,
    }
    native: dict[str, Value] = {
        "trans_depth": depth,
        "version": head.version,
        "status_code": head.status,
        "status_msg": head.reason,
        "sc-status": head.status,
    }
    if asked is not None:
        fields |= {
            "http.request.method": asked.method,
            "url.original": asked.uri,
            "url.domain": bare_host(asked.host),
        }
    if head.body.size >= 0:
        fields["http.response.body.bytes"] = head.body.size
    if head.location:
        fields["gov.http.location"] = head.location
    if head.challenge:
        fields["gov.http.challenge"] = head.challenge
    return Message("net.http", service, fields, native, reply=True, log="http", category="webserver")


def bare_host(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host
