"""The firmware broken on purpose, one way at a time: each must make the suite fail, or the suite proves nothing."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """`old` is replaced by `new` in `file`; `tests` are what must notice (paths and pytest options)."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


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
        "    m[SAMPLE] = (m[SAMPLE] + 1) & 0x3FFFFFFF\n    verdict = 0\n",
        "    m[SAMPLE] = (m[SAMPLE] + 1) & 0x3FFFFFFF\n    verdict = 0x1801\n",
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
)
