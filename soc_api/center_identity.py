"""The center's own certificates, kept in force: those of its links and of its signatures renew themselves."""

from datetime import datetime

from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.words import Words
from sensors.renewal import due
from soc_api.sensor_configuration import signing_identity
from soc_api.speech import say


def keep_identities(authority: LinkAuthority, center: str, now: datetime) -> LinkIdentity:
    """Renew at two thirds of a certificate's life, with a new key; the link's identity that serves now.

    The certificate before stays good to its end, so that connections go on. To be called by one process now
    and then. Raises LiuheError where a key cannot be read or nothing can be issued.
    """
    signing_identity(authority, center, now)
    identity = authority.identity()
    if not due(identity.certificate, now):
        return identity
    renewed = authority.renew_identity(center, now)
    ends = renewed.certificate.not_after.date().isoformat()
    say(Words(f"中心链路证书已续期至 {ends}", f"the center's certificate is renewed until {ends}"))
    return renewed
