"""The firmware broken on purpose, one way at a time: each must make the suite fail, or the suite proves nothing."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """`old` is replaced by `new` in `file`; `tests` are what must notice (paths and pytest options)."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


GUARD_TESTS = "tests/host/live/test_guard.py"
DETECTOR_TESTS = ("tests/firmware/test_detector.py", "tests/hil/play/test_closed_loop.py", "-m", "not pico")

MUTANTS = (
    Mutant(
        "a detector that never trips",
        "firmware/ccdmon_fw/rules.py",
        "    action = m[_ACTIONS_AT + rule]\n",
        "    action = m[_ACTIONS_AT + rule]\n    if action == 3:\n        action = 2\n",
        DETECTOR_TESTS,
    ),
    Mutant(
        "a detector that always trips",
        "firmware/ccdmon_fw/detector.py",
        "    m[SAMPLE] = (m[SAMPLE] + 1) & _WRAP\n    verdict = 0\n",
        "    m[SAMPLE] = (m[SAMPLE] + 1) & _WRAP\n    verdict = 0x1801\n",
        DETECTOR_TESTS,
    ),
    Mutant(
        "a detector that is one confirmation late",
        "firmware/ccdmon_fw/detector.py",
        "    if low < needed:\n",
        "    if low < needed + 1:\n",
        DETECTOR_TESTS,
    ),
    Mutant(
        "a gate that does not latch",
        "firmware/ccdmon_fw/gate.py",
        "            self.reason = reason\n",
        "            self.reason = 0\n",
        ("tests/firmware/test_gate.py", "tests/firmware/test_app.py"),
    ),
    Mutant(
        "a decoder on the board that skips the CRC",
        "firmware/ccdmon_fw/wire.py",
        "    if binascii.crc32(content) & 0xFFFFFFFF != crc:\n",
        "    if False:\n",
        ("tests/firmware/test_wire.py", "tests/host/link/test_decoder.py"),
    ),
    Mutant(
        "a decoder on the host that skips the CRC",
        "ccd_fastcore/_reference_frames.py",
        '    if binascii.crc32(content) != int.from_bytes(payload[-4:], "little"):\n',
        "    if False:\n",
        ("tests/fastcore/test_frames.py",),
    ),
    Mutant(
        "a page whose socket opens for any origin",
        "host/ccdmon/live/guard.py",
        "        if origin is None or origin.lower()",
        "        if False and origin.lower()",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a page whose socket opens without an origin",
        "host/ccdmon/live/guard.py",
        "        if origin is None or origin.lower()",
        "        if origin is not None and origin.lower()",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a page for any browser that has its token",
        "host/ccdmon/live/guard.py",
        "        if owner is None or owner != self._owner(handler):\n",
        "        if owner is None:\n",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a link that may bring a session along",
        "host/ccdmon/live/guard.py",
        "any(key in request.arguments for key in OWN_KEYS)",
        "False",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a wrong token that costs no pause",
        "host/ccdmon/live/controls.py",
        "        pause_s = WRONG_TOKEN_PAUSE_S if tries >= FREE_TRIES else 0.0\n",
        "        pause_s = 0.0\n",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a wrong token that everybody waits for",
        "host/ccdmon/live/controls.py",
        "        return max(0.0, self._wrong.get(client, _NEVER)[1] - self._clock_s())\n",
        "        return max([0.0, *(until_s - self._clock_s() for _, until_s in self._wrong.values())])\n",
        (GUARD_TESTS,),
    ),
    Mutant(
        "a link that takes the memory of the host",
        "host/ccdmon/record/serial_link.py",
        "        return self._bytes_received - self._bytes_taken > MOST_BYTES_WAITING\n",
        "        return False\n",
        ("tests/host/record/test_serial_link.py",),
    ),
    Mutant(
        "a log that takes the memory of the host",
        "host/ccdmon/record/event_log.py",
        "        if len(self._file.waiting) >= MOST_WAITING_BYTES:\n",
        "        if False:\n",
        ("tests/host/record/test_beside.py",),
    ),
    Mutant(
        "a log that takes the disk",
        "host/ccdmon/record/event_log.py",
        "        if kind.lines > FREE_LINES and now.monotonic_s < kind.due_s:\n",
        "        if False:\n",
        ("tests/host/record/test_beside.py",),
    ),
    Mutant(
        "a run.toml that is written in place",
        "host/ccdmon/run/folder.py",
        '    part = path.with_suffix(path.suffix + ".part")\n',
        "    part = path\n",
        ("tests/host/run/test_schema.py",),
    ),
    Mutant(
        "a rig whose pressure limit does not reach the board",
        "host/ccdmon/rig/settings.py",
        '        "pressure_limit_Pa": _nominal(wanted.pressure_max_Pa, pressure),\n',
        "",
        ("tests/host/rig/test_settings.py",),
    ),
    Mutant(
        "an answer that is taken for another command's",
        "host/ccdmon/link/command_queue.py",
        ' or ack["command"] != current.kind',
        "",
        ("tests/host/link/test_command_queue.py",),
    ),
    Mutant(
        "a restart that keeps what samples were expected",
        "host/ccdmon/link/decoder.py",
        "            self._next_sample.clear()\n",
        "",
        ("tests/host/link/test_decoder.py",),
    ),
    Mutant(
        "a part that is closed before the next is open",
        "host/ccdmon/run/frame_files.py",
        "        try:\n            following = PatientFile(part_path(self._folder, self.part + 1))\n",
        "        self._file.close()\n        try:\n"
        "            following = PatientFile(part_path(self._folder, self.part + 1))\n",
        ("tests/host/record/test_beside.py",),
    ),
    Mutant(
        "a thread that ends where a run cannot be followed",
        "host/ccdmon/live/follower.py",
        "        except Exception as error:  # noqa: BLE001  "
        "a thread that ended would leave the page as it was, green\n",
        "        except KeyError as error:\n",
        ("tests/host/live/test_health.py",),
    ),
    Mutant(
        "extremes that are always drawn down-up",
        "host/ccdmon/live/history.py",
        "    one, other = np.where(falling, highest, lowest), np.where(falling, lowest, highest)\n",
        "    one, other = lowest, highest\n",
        ("tests/host/live/test_history.py",),
    ),
)
