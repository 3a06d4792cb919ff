"""What a person orders a board to do: arm, disarm, clear a trip; over its port or through its recorder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon.link import control_socket
from ccdmon.link.device import Device, RefusedError, is_trip, named
from ccdmon.link.port import Port
from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.rig_file import Rig
from ccdmon.rig.settings import settings_of
from ccdmon.rig.trip_words import trip_words
from ccdmon.rig.watched import watched
from ccdmon.rig.weak_settings import weak_settings
from ccdmon_fw import limits, wire

ANSWER_LIMIT_S = 15.0  # as long as a person is kept waiting
SCALE_TOLERANCE = 0.02  # between a rig file's full scales and those the board states


@contextmanager
def open_device(port: str) -> Iterator[Device]:
    """The firmware on a port. `DeviceError` where no port, or no firmware, answers."""
    with Port(port) as open_port:
        open_port.write(b"\0")  # ends what an earlier program may have left half-sent
        device = Device(open_port.write, open_port.read, f"port {port}", answer_limit_s=ANSWER_LIMIT_S)
        try:
            device.identify()
        except DeviceError as error:
            raise DeviceError(
                f"{error}; is it the right port? `ccdmon flash --port {port}` puts the firmware on a board"
            ) from error
        yield device


def status_document(device: Device, rig: Rig | None = None) -> dict[str, Any]:
    """`ccdmon status --json`: who the board is, and how it stands; a latched trip in the units of `rig`."""
    identity, status = device.identity, device.status()
    tenths = status["temperature_dC"]
    return {
        "schema": "ccdmon.status/1",
        "board": identity.get("board"),
        "id": identity.get("id"),
        "firmware": identity.get("version"),
        "micropython": identity.get("micropython"),
        "sample_period_us": identity.get("sample_period_us"),
        "fault": identity.get("fault"),
        **_zero(identity),
        "weak": weak_settings(dict(zip(limits.SETTINGS, device.settings(), strict=True)), identity),
        "armed": bool(status["armed"]),
        "gate": "closed" if status["gate"] else "open",
        "trip_id": status["trip_id"] or None,
        "reason": reason_name(identity, status["reason"]),
        "what": what_tripped(device, status, rig),
        "self_test": named(wire.SELF_TESTS, status["self_test"]),
        "run": status["run"],
        "samples": status["sample"],
        "dropped": status["dropped"],
        "overruns": status["overruns"],
        "crc_errors": status["crc_errors"],
        "uptime_s": status["uptime_ms"] / 1000,
        # Of the board, as it tells it.
        "temperature_degC": None if tenths == wire.NO_TEMPERATURE else tenths / 10,
    }


def scales_of(identity: Mapping[str, Any], rig: Rig | None) -> FrontEnd | None:
    """The rig file's front end, else what the board states of its own; None: nobody knows its full scales."""
    if rig is not None:
        return rig.front_end_scales()
    stated = identity.get("front_end") or {}
    if stated.get("voltage_full_scale_V") is None or stated.get("current_full_scale_A") is None:
        return None
    return FrontEnd.from_table(stated)


def what_tripped(device: Device, status: Mapping[str, int], rig: Rig | None) -> str | None:
    """The latched trip in words; None without one."""
    if not status["trip_id"]:
        return None
    reason = reason_name(device.identity, status["reason"]) or "none"
    fields = device.trip(status["trip_id"])
    if fields is None:
        return reason.replace("_", " ")
    return trip_words(reason, fields, device.identity, scales_of(device.identity, rig))


def _zero(identity: Mapping[str, Any]) -> dict[str, int | None]:
    """Where the board takes zero to be, codes, and the current that counts as one, 1/16384 of full scale."""
    voltage, current, on = identity.get("zero") or (None, None, None)
    return {"voltage_zero_code": voltage, "current_zero_code": current, "current_on_units": on}


def reason_name(identity: Mapping[str, Any], code: int) -> str | None:
    """A reason code by name; None for no reason."""
    names = identity.get("reasons", limits.REASONS)
    if code == 0:
        return None
    return str(names[code]) if code < len(names) else f"reason {code}"


def arm(device: Device, rig: Rig | None) -> dict[str, Any]:
    """Put the rig's settings in force, read back and compared, then close the gate; the board's status afterwards.

    Raises `DeviceError` where a converter does not run, the rig's scales are not the board's, or the board refuses.
    """
    fault = device.identity.get("fault")
    if fault:
        raise DeviceError(
            f"the board's converter does not start: {fault}; check its wiring and power, then reset it"
        )
    if rig is not None:
        wrong = scale_differences(rig, device.identity)
        if wrong:
            raise DeviceError(f"{wrong[0]}; mend [front_end] in the rig file, or the board's description")
        device.configure(wanted_settings(rig, device.identity))
        device.identify()  # whose settings say what a trip means
    with saying_what_tripped(device, rig):
        device.arm()
    document = status_document(device, rig)
    if document["gate"] != "closed":
        why = document["what"] or "it states no reason"
        raise DeviceError(f"armed, but the gate is open again: {why} (trip {document['trip_id']})")
    settings = dict(zip(limits.SETTINGS, device.settings(), strict=True))
    return {**document, "watched": watched(settings, scales_of(device.identity, rig))}


@contextmanager
def saying_what_tripped(device: Device, rig: Rig | None) -> Iterator[None]:
    """A refusal because the self-test tripped says which rule it was, and of what value."""
    try:
        yield
    except RefusedError as error:
        what = what_tripped(device, device.status(), rig) if is_trip(error.result, error.detail) else None
        if what is None:
            raise
        raise RefusedError(error.where, error.command, error.result, error.detail, what) from error


def wanted_settings(rig: Rig, identity: Mapping[str, Any]) -> list[int]:
    """The rig's settings for a board that samples as it states. `DeviceError` where they cannot be made."""
    try:
        return settings_of(rig, identity.get("sample_period_us", limits.SAMPLE_PERIOD_US) * 1e-6)
    except ValueError as error:
        raise DeviceError(f"the rig file's limits do not fit this board: {error}") from error


def scale_differences(rig: Rig, identity: Mapping[str, Any]) -> list[str]:
    """One line for each full scale that the board states otherwise than the rig file."""
    stated = identity.get("front_end") or {}
    lines = []
    for name in ("voltage_full_scale_V", "current_full_scale_A", "pressure_full_scale_Pa"):
        ours, theirs = getattr(rig.front_end, name), stated.get(name)
        if ours is not None and theirs is not None and abs(ours - theirs) > SCALE_TOLERANCE * theirs:
            lines.append(f"{name} is {ours:g} in the rig file and {theirs:g} on the board")
    return lines


def through_recorder(folder: Path, action: str, **fields: Any) -> dict[str, Any]:
    """Order it through the recorder of a run folder; the recorder's own state afterwards."""
    control_socket.ask(folder, {"do": action, **fields})
    state: dict[str, Any] = control_socket.ask(folder, {"do": "state"})["state"]
    return state
