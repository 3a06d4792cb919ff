"""Where a list of kinds must be written again, it is the one of `model/kinds.py`."""

import json
from importlib.resources import files

import ccd_fastcore
from ccdmon.model import kinds
from ccdmon.report.colours import EVENT_COLOURS
from ccdmon.rig.rig_file import HostTripsTable
from ccdmon_fw import limits


def test_the_firmware_and_the_core_know_the_same_configurations_in_the_same_order() -> None:
    assert limits.CONFIGURATIONS == kinds.CONFIGURATIONS == ccd_fastcore.MODES


def test_every_kind_is_a_reason_of_the_firmware_a_colour_and_a_word_of_the_schema() -> None:
    schema = json.loads((files("ccdmon") / "data" / "report.schema.json").read_text())
    assert set(schema["$defs"]["kind"]["enum"]) == set(kinds.EVENT_KINDS) == set(EVENT_COLOURS)
    assert set(kinds.EVENT_KINDS) <= set(limits.REASONS)


def test_what_the_host_may_ask_for_the_board_takes_and_the_rig_file_names() -> None:
    taken = {limits.REASONS[reason] for reason in limits.HOST_REASONS}
    assert set(kinds.HOST_KINDS) <= taken
    assert set(kinds.HOST_KINDS) <= set(HostTripsTable.model_fields)
