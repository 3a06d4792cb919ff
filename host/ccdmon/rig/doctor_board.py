"""What `ccdmon doctor` asks a board: does it answer, is its firmware this package's, its configuration the rig's, its
clock good."""

import struct
import time
from binascii import crc32
from collections.abc import Mapping
from typing import Any

from ccdmon.errors import CcdmonError, DeviceError
from ccdmon.link.device import Device, mismatch
from ccdmon.link.port import find_board, is_pseudo_terminal
from ccdmon.rig.doctor import FAILED, FINE, NEGATIVE, SKIPPED, Check
from ccdmon.rig.gate_orders import open_device, scale_differences, wanted_settings, what_tripped
from ccdmon.rig.rig_file import Rig
from ccdmon_fw import limits

CLOCK_WAIT_S = 2.0
CLOCK_LIMIT_PPM = 200.0  # a crystal keeps 50; an analysis by half-cycles bears much more
CLOCK_MASK = (1 << 30) - 1


def check_board(port: str | None, rig: Rig | None) -> list[Check]:
    """Checks of the board on `port`, else on the rig file's, else of the only one plugged in; skipped without one."""
    named = port or (rig.port.device if rig is not None and rig.port.device != "auto" else None)
    try:
        with open_device(find_board(named)) as device:
            return [Check("port", FINE, f"{device.where} answers"), *_of_device(device, rig)]
    except DeviceError as error:
        if named is None:
            return [Check("port", SKIPPED, *_finding_and_advice(error))]
        return [Check("port", FAILED, *_finding_and_advice(error))]


def _of_device(device: Device, rig: Rig | None) -> list[Check]:
    status = device.status()
    return [
        _firmware(device.identity),
        _converters(device.identity, rig),
        _configuration(device, status, rig),
        _trip(device, status, rig),
        _clock(device),
    ]


def _firmware(identity: Mapping[str, Any]) -> Check:
    found = (
        f"firmware {identity.get('version')} on MicroPython {identity.get('micropython')}, "
        f"board {identity.get('board')}"
    )
    if mismatch(identity):
        return Check(
            "firmware", NEGATIVE, mismatch(identity).removesuffix(": `ccdmon flash`"), "ccdmon flash"
        )
    return Check("firmware", FINE, found)


def _converters(identity: Mapping[str, Any], rig: Rig | None) -> Check:
    if identity.get("fault"):
        return Check(
            "converters", NEGATIVE, str(identity["fault"]), "check its wiring and power, then reset the board"
        )
    differences = [] if rig is None else scale_differences(rig, identity)
    if differences:
        return Check(
            "converters",
            NEGATIVE,
            "; ".join(differences),
            "mend [front_end] in the rig file, or flash the board again",
        )
    return Check("converters", FINE, "they start, and their scales contradict nothing")


def _configuration(device: Device, status: Mapping[str, int], rig: Rig | None) -> Check:
    name, mend = "configuration", "ccdmon arm --rig-file FILE"
    settings = device.settings()
    kept_crc = status["config_crc"]
    if kept_crc == 0:
        return Check(name, NEGATIVE, "the board keeps none and would use its widest limits", mend)
    if crc32(struct.pack(f"<{len(settings)}i", *settings)) & 0xFFFFFFFF != kept_crc:
        return Check(name, NEGATIVE, f"what is in force is not what it keeps (CRC {kept_crc:08x})", mend)
    if rig is None:
        return Check(name, FINE, f"kept, CRC {kept_crc:08x}; compared with no rig file (--rig-file)")
    wanted = wanted_settings(rig, device.identity)
    if wanted != settings:
        differ = [
            key
            for key, ours, theirs in zip(limits.SETTINGS, wanted, settings, strict=False)
            if ours != theirs
        ]
        return Check(name, NEGATIVE, f"not the rig file's: {', '.join(differ) or 'their number'}", mend)
    return Check(name, FINE, f"the rig file's, CRC {kept_crc:08x}")


def _trip(device: Device, status: Mapping[str, int], rig: Rig | None) -> Check:
    if status["trip_id"]:
        found = f"trip {status['trip_id']} is latched: {what_tripped(device, status, rig)}"
        return Check("gate", NEGATIVE, found, f"find its cause, then `ccdmon reset-trip {status['trip_id']}`")
    return Check("gate", FINE, "closed, armed" if status["armed"] else "open, nothing latched")


def _clock(device: Device) -> Check:
    """Compare how far both clocks went between two questions; half a round trip at each end is not known."""
    if is_pseudo_terminal(device.where.removeprefix("port ")):
        return Check("clock", SKIPPED, "an emulated board, behind a pseudo-terminal: its time is its own")
    first_us, first_s, unsure_first_s = _read_clock(device)
    time.sleep(CLOCK_WAIT_S)
    last_us, last_s, unsure_last_s = _read_clock(device)
    passed_s = last_s - first_s
    drift_ppm = (((last_us - first_us) & CLOCK_MASK) / passed_s) - 1e6
    unsure_ppm = (unsure_first_s + unsure_last_s) / passed_s * 1e6
    found = (
        f"{drift_ppm:+.0f} ppm against this machine, uncertain by {unsure_ppm:.0f} ppm in {passed_s:.1f} s"
    )
    if abs(drift_ppm) - unsure_ppm > CLOCK_LIMIT_PPM:
        return Check("clock", NEGATIVE, found, "times would drift: its crystal is bad; take another board")
    return Check("clock", FINE, found)


def _read_clock(device: Device) -> tuple[int, float, float]:
    """(board's time in us, the machine's in the middle of the question in s, half of how long it took)."""
    asked_s = time.monotonic()
    time_us = device.clock()["time_us"]
    answered_s = time.monotonic()
    return time_us, (asked_s + answered_s) / 2, (answered_s - asked_s) / 2


def _finding_and_advice(error: CcdmonError) -> tuple[str, str]:
    finding, _, advice = str(error).partition("; ")
    return finding, advice or "check the cable and the board"
