"""What an electrolyte's name means: which kind of solid electrolyte it is, whatever coats it.

Names are free text: a formula (`Li7La3Zr2O12`), an acronym (LLZO, LPSCl), a family (garnet), with dopants, coatings
and composites. NASICON is a structure that lithium and sodium phosphates share: the name alone tells an oxide.
"""

import re

SODIUM, POLYMER, SULFIDE, OXIDE = "sodium", "polymer", "sulfide", "oxide"

_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
# What is put on an electrolyte, or between it and the metal, does not make it another.
_COATING = re.compile(
    r"\bcoated with .*|\bwith .* (coating|interlayer|layer)\b|\S+[- ](coated|sputtered|modified)\b(?! with)"
)
# In the order of asking: ceramics in a polymer are told as polymers, a lithium garnet with some sodium is a garnet.
_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        POLYMER,
        re.compile(
            r"peo|pvdf|pmma|pegda|polymer|\bpoly|\bgel\b|\b(pan|pcl|peg|pec|ppc|ptmc|pvc|pva)\b|litfsi|lifsi"
        ),
    ),
    (OXIDE, re.compile(r"llz[a-z]*o|llto|lipon|lat[sz]?p|lagp|lisicon(?!-?s)|garnet|perovskite")),
    (
        SODIUM,
        re.compile(
            r"sodium|\bna\b|\bna(?=[\d(])|\d*na\d|nzsp|nasi?con-na|(beta|β)\W*(alumina|al2o3)|\bb[\"']+-?al2o3"
        ),
    ),
    (
        SULFIDE,
        re.compile(
            r"(p|si|ge|sn|sb|as)[\d.()x-]*s[\d.x-]+|li2s\b|\b(lgps|lps|lsps|lgsps|sulfide|sulphide)|lpsc?l|lpsbr|"
            r"argyrodite|thio"
        ),
    ),
    (OXIDE, re.compile(r"nasicon|oxide|\bli[\d.]*[a-z].*o[\d.]+\)?|ceramic")),
)


def kind_of_electrolyte(name: str | None) -> str | None:
    """`sodium`, `polymer`, `sulfide` or `oxide`; None where the name does not tell."""
    plain = _COATING.sub(" ", (name or "").lower().translate(_DIGITS))
    return next((kind for kind, mark in _MARKS if mark.search(plain)), None)
