"""Every rig does what a rig must; a rig that does not is caught."""

import dataclasses

import pytest

from ccdmon_hil import conformance
from ccdmon_hil.rigs.session import Session


@pytest.mark.parametrize("case", conformance.CASES, ids=lambda case: case.__name__)
def test_on_the_unix_port_and_the_emulated_pico(rig: Session, case) -> None:  # type: ignore[no-untyped-def]
    case(rig)


def test_a_rig_that_loses_a_row_is_caught(unix: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = conformance.run_rows

    def one_lost(*arguments, **options):  # type: ignore[no-untyped-def]
        result = plain(*arguments, **options)
        return dataclasses.replace(result, samples_received=result.samples_received - 1)

    monkeypatch.setattr(conformance, "run_rows", one_lost)
    with pytest.raises(AssertionError, match="gave 59 samples"):
        conformance.rows_arrive_as_played(unix)


def test_a_channel_that_a_rig_does_not_have_is_not_compared(
    unix: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = conformance.run_rows

    def no_pressure(*arguments, **options):  # type: ignore[no-untyped-def]
        result = plain(*arguments, **options)
        codes = result.codes.copy()
        codes[:, 2] = 0
        return dataclasses.replace(result, codes=codes)

    monkeypatch.setattr(conformance, "run_rows", no_pressure)
    with pytest.raises(AssertionError, match="other codes than were played, by up to 32768"):
        conformance.rows_arrive_as_played(unix)
    monkeypatch.setattr(unix.target, "channels", 2, raising=False)
    conformance.rows_arrive_as_played(unix)
