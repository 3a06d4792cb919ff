"""The one schema of what a board says of itself. Every identity passes `checked`, wherever it comes from.

All keys are optional (older firmware lacks some, newer has more); what is there has its type and range. One that
breaks them is refused whole: a sample period that cannot be true would place every row of a run in time.
"""

import json
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccdmon.link.bounds import problem

Name = Annotated[str, Field(max_length=200)]
Names = Annotated[list[Name], Field(max_length=256)]
Setting = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]  # as on the wire
Positive = Annotated[float, Field(gt=0)]


class _Stated(BaseModel):
    """Types as JSON has them: no text is taken for a number; unknown keys may be there."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class StatedFrontEnd(_Stated):
    """Full scales of the board's front end."""

    voltage_full_scale_V: Positive | None = None
    current_full_scale_A: Positive | None = None
    pressure_full_scale_Pa: Positive | None = None


class IdentityDocument(_Stated):
    """The JSON of the identity message (`firmware/ccdmon_fw/identity.py` writes it)."""

    schema_: Annotated[int, Field(alias="schema", ge=0, le=255)] = 0
    protocol: Annotated[int, Field(ge=0, le=65535)] = 0
    version: Name | None = None
    micropython: Name | None = None
    board: Name | None = None
    id: Name | None = None
    sample_period_us: Annotated[int, Field(ge=1, lt=1 << 32)] | None = None
    front_end: StatedFrontEnd | None = None
    fault: Name | None = None
    temperature: bool = False
    external_trip: bool = False  # whether it has an input for one
    reasons: Names = []
    rules: Names = []
    compared: Names = []  # by the rules: a kind of `limits.COMPARED` each
    rule_reasons: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(max_length=256)] = []
    settings: Annotated[dict[Name, Setting], Field(max_length=256)] = {}


def checked(text: bytes) -> dict[str, Any]:
    """The document of an identity's JSON. Raises ValueError: what is wrong, in a few words."""
    try:
        document = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    if (wrong := problem(document)) is not None:
        raise ValueError(wrong)
    try:
        IdentityDocument.model_validate(document)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise ValueError(f"{where}: {detail['msg']}"[:200]) from None
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
