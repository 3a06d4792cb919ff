"""Every test of the core runs on both twins."""

from typing import Any

import pytest

from ccd_fastcore import _core, _frames, _interpreted, _reference_frames


@pytest.fixture(params=["compiled", "reference"])
def stream_class(request: pytest.FixtureRequest) -> Any:
    """The class `Stream` of one twin."""
    return _core.Stream if request.param == "compiled" else _interpreted.Stream


@pytest.fixture(params=["compiled", "reference"])
def unframer_class(request: pytest.FixtureRequest) -> Any:
    """The class `Unframer` of one twin."""
    return _frames.Unframer if request.param == "compiled" else _reference_frames.Unframer
