"""The makers whose tables are known, each by its habits; any other table with labels is `PLAIN`."""

from ccdmon.formats.cyclers import arbin, basytec, biologic_mpt, gamry, landt, maccor, neware_text, novonix
from ccdmon.formats.cyclers.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (
    biologic_mpt.DIALECT,
    gamry.DIALECT,
    basytec.DIALECT,
    novonix.DIALECT,
    maccor.DIALECT,
    arbin.DIALECT,
    landt.DIALECT,
    neware_text.DIALECT,
)
PLAIN = Dialect("plain table")
