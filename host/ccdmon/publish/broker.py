"""Which MQTT broker, and how it is entered: a URL, and what the environment adds to it.

    mqtt://[user[:password]@]host[:1883][/prefix]      plain
    mqtts://[user[:password]@]host[:8883][/prefix]     TLS; the machine's authorities, or those of CCDMON_MQTT_CA

A command line is seen by everybody on the machine, the environment of a service is not: `CCDMON_MQTT` holds the whole
URL, or `CCDMON_MQTT_USER` and `CCDMON_MQTT_PASSWORD` what it lacks.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ccdmon.errors import InputError

URL, USER, PASSWORD = "CCDMON_MQTT", "CCDMON_MQTT_USER", "CCDMON_MQTT_PASSWORD"
CA, CERTIFICATE, KEY = "CCDMON_MQTT_CA", "CCDMON_MQTT_CERT", "CCDMON_MQTT_KEY"
PREFIX = "ccdmon"
PORTS = {"mqtt": 1883, "mqtts": 8883}
FORM = "it has the form mqtt://host:1883 or mqtts://user@host:8883/prefix"


@dataclass(frozen=True)
class Broker:
    """`target` is what may be shown of it and written down. `tls` is None for a plain connection."""

    scheme: str
    host: str
    port: int
    prefix: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """Without who enters."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.prefix}"


def broker_of(url: str, environment: Mapping[str, str]) -> Broker:
    """Read it. Raises `InputError`, which never quotes a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"--mqtt: not a URL; {FORM}") from None
    scheme, host = parts.scheme, parts.hostname
    if scheme not in PORTS or not host:
        raise InputError(f"--mqtt: {scheme or 'no scheme'}://{host or ''} names no broker; {FORM}")
    prefix = parts.path.strip("/") or PREFIX
    if any(character in prefix for character in "+#\0") or parts.query or parts.fragment:
        raise InputError(f"--mqtt: the path is the first part of all topics, without + # ? in it; {FORM}")
    user = unquote(parts.username) if parts.username else environment.get(USER)
    password = unquote(parts.password) if parts.password else environment.get(PASSWORD)
    if password and not user:
        raise InputError(f"--mqtt: a password without a user; name one in the URL or in {USER}")
    tls = _context(environment) if scheme == "mqtts" else None
    return Broker(scheme, host, PORTS[scheme] if port is None else port, prefix, user, password, tls)


def shows_password(url: str) -> bool:
    """Whether whoever sees the URL sees a password."""
    return bool(urlsplit(url).password)


def _context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Certificates are checked, always. Raises `InputError` for files that cannot be used."""
    name = CA
    try:
        context = ssl.create_default_context(cafile=environment.get(CA))
        if certificate := environment.get(CERTIFICATE):
            name = CERTIFICATE
            context.load_cert_chain(certificate, environment.get(KEY))
    except OSError as error:  # also what the library says of their content
        raise InputError(
            f"{name}={environment.get(name)}: cannot be used ({error.strerror or error}); name a PEM file"
        ) from error
    return context
