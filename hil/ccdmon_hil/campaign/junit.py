"""A campaign as JUnit's XML: a suite for each rig and kind, a case for each scenario or fault."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby

from ccdmon_hil.campaign.summary import Record

_PLAIN = (str, int, float)


def junit(records: Sequence[Record], firmware_hash: str) -> str:
    """The document; what was measured stands in each case's properties."""
    root = ET.Element("testsuites", name="ccdmon campaign")
    for (rig, kind), group in groupby(records, lambda record: (record["rig"], record["kind"])):
        cases = list(group)
        counts = {word: sum(case["outcome"] == word for case in cases) for word in ("failed", "skipped")}
        suite = ET.SubElement(
            root, "testsuite", name=f"{rig}: {kind}s", tests=str(len(cases)), errors="0",
            failures=str(counts["failed"]), skipped=str(counts["skipped"]),
        )  # fmt: skip
        for case in cases:
            _add_case(suite, case, firmware_hash)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, record: Record, firmware_hash: str) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"{record['rig']}.{record['kind']}", name=record["name"]
    )
    latency = {f"latency_{name}": value for name, value in record.get("latency", {}).items()}
    properties = ET.SubElement(case, "properties")
    for name, value in {**record, **latency, "firmware_hash": firmware_hash}.items():
        if isinstance(value, _PLAIN) and name not in ("kind", "name", "outcome"):
            ET.SubElement(properties, "property", name=name, value=str(value))
    tag = {"failed": "failure", "skipped": "skipped"}.get(record["outcome"])
    if tag:
        ET.SubElement(case, tag, message="; ".join(record["problems"]))
