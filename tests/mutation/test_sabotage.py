"""The named breaks fit the source as it is."""

import pytest

from tests.conftest import PROJECT_DIR
from tests.mutation.sabotage import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_lines_that_a_break_changes_are_there_once(mutant: Mutant) -> None:
    assert (PROJECT_DIR / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
