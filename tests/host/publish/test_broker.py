"""A broker's URL: read, or refused in a line that shows no password."""

from pathlib import Path

import pytest

from ccdmon.errors import InputError
from ccdmon.publish.broker import broker_of, shows_password


def test_what_a_url_leaves_out_is_known() -> None:
    broker = broker_of("mqtt://lab", {})
    assert (broker.host, broker.port, broker.prefix, broker.user, broker.tls) == (
        "lab",
        1883,
        "ccdmon",
        None,
        None,
    )
    assert broker.target == "mqtt://lab:1883/ccdmon"
    assert broker_of("mqtt://[::1]:99/a/b/", {}).target == "mqtt://[::1]:99/a/b"


def test_a_user_comes_from_the_url_or_the_environment_and_is_never_shown() -> None:
    environment = {"CCDMON_MQTT_USER": "bay", "CCDMON_MQTT_PASSWORD": "secret"}
    broker = broker_of("mqtt://lab", environment)
    assert (broker.user, broker.password) == ("bay", "secret")
    broker = broker_of("mqtt://me:p%40ss@lab", environment)
    assert (broker.user, broker.password) == ("me", "p@ss")
    assert shows_password("mqtt://me:p@lab") and not shows_password("mqtt://me@lab")
    assert "p@ss" not in repr(broker) + broker.target


def test_tls_checks_certificates() -> None:
    broker = broker_of("mqtts://lab", {})
    assert broker.port == 8883 and broker.tls is not None and broker.tls.check_hostname


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("lab:1883", {}),
        ("http://lab", {}),
        ("mqtt://", {}),
        ("mqtt://lab:port", {}),
        ("mqtt://lab:99999", {}),
        ("mqtt://lab/a/+/b", {}),
        ("mqtt://lab/a?x=1", {}),
        ("mqtt://:secret@lab", {}),
        ("mqtts://lab", {"CCDMON_MQTT_CA": "/no/such/file"}),
    ],
)
def test_what_is_no_broker_is_refused_in_one_line(url: str, environment: dict[str, str]) -> None:
    with pytest.raises(InputError) as error:
        broker_of(url, environment)
    assert "secret" not in str(error.value) and "\n" not in str(error.value)


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(InputError, match="CCDMON_MQTT_CA="):
        broker_of("mqtts://lab", {"CCDMON_MQTT_CA": str(tmp_path / "ca.pem")})
