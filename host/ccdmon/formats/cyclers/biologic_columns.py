"""Numbers of the columns in BioLogic's binaries: what is publicly known of them.

There is no specification. The numbers and widths are facts that users of several open readers and comparisons of
binaries
with their text exports brought together; the names are those of EC-Lab's text export. Numbers below 256 came with the
first version of the format, which wrote them in one byte; some columns have a second number, 256 higher.
"""

# Columns that share one byte of a record.
FLAGS = (1, 2, 3, 21, 31, 65)
MODE_MASK = 0x03  # of that byte: 1 current controlled, 2 voltage controlled, 3 open circuit
_F4 = """
5 control/V/mA; 6 Ewe/V; 8 I/mA; 9 Ece/V; 15 Phase(Z1)/deg; 16 Analog IN 1/V; 17 Analog IN 2/V; 18 Analog IN 3/V;
19 control/V; 20 control/mA; 26 Rapp/Ohm; 27 Ewe-Ece/V; 32 freq/Hz; 33 |Ewe|/V; 34 |I|/A; 35 Phase(Z)/deg; 36 |Z|/Ohm;
37 Re(Z)/Ohm; 38 -Im(Z)/Ohm; 45 |Z1|/Ohm; 46 |Z2|/Ohm; 69 R/Ohm; 70 P/W; 75 Analog OUT/V; 76 <I>/mA;
77 <Ewe>/V; 78 Cs-2/uF-2;
96 |Ece|/V; 98 Phase(Zce)/deg; 99 |Zce|/Ohm; 100 Re(Zce)/Ohm; 101 -Im(Zce)/Ohm; 105 -Im(Z1)/Ohm; 106 -Im(Z2)/Ohm;
135 <E1>/V; 136 <E2>/V; 163 |Estack|/V; 166 Phase(Zstack)/deg; 167 |Zstack|/Ohm; 168 Rcmp/Ohm; 169 Cs/uF; 172 Cp/uF;
173 Cp-2/uF-2; 174 <Ewe/V>; 175 |Zwe-ce|/Ohm; 176 Re(Zwe-ce)/Ohm; 177 -Im(Zwe-ce)/Ohm; 178 (Q-Qo)/C; 179 dQ/C;
185 <Ecv>/V;
206 Temperature/degC; 215 <Ece>/V; 217 THD Ewe/%; 218 THD I/%; 219 THD Ece/%; 220 NSD Ewe/%; 221 NSD I/%; 222 NSD Ece/%;
223 NSR Ewe/%; 224 NSR I/%; 225 NSR Ece/%; 230 |Ewe h2|/V; 231 |Ewe h3|/V; 232 |Ewe h4|/V; 233 |Ewe h5|/V;
234 |Ewe h6|/V;
235 |Ewe h7|/V; 236 |I h2|/A; 237 |I h3|/A; 238 |I h4|/A; 239 |I h5|/A; 240 |I h6|/A; 241 |I h7|/A; 242 |Ece h2|/V;
243 |Ece h3|/V; 244 |Ece h4|/V; 245 |Ece h5|/V; 246 |Ece h6|/V; 247 |Ece h7|/V; 248 Rac/Ohm; 249 Rdc/Ohm;
271 Phase(Z1)/deg;
272 Phase(Z2)/deg; 301 |Z1|/Ohm; 302 |Z2|/Ohm; 331 Re(Z1)/Ohm; 332 Re(Z2)/Ohm; 361 -Im(Z1)/Ohm;
362 -Im(Z2)/Ohm; 391 <E1>/V;
392 <E2>/V; 422 Phase(Zstack)/deg; 423 |Zstack|/Ohm; 424 Re(Zstack)/Ohm; 425 -Im(Zstack)/Ohm; 426 <Estack>/V;
430 Phase(Zwe-ce)/deg; 431 |Zwe-ce|/Ohm; 432 Re(Zwe-ce)/Ohm; 433 -Im(Zwe-ce)/Ohm; 434 (Q-Qo)/C; 435 dQ/C; 441 <Ecv>/V;
462 Temperature/degC; 471 <Ece>/V; 473 THD Ewe/%; 474 THD I/%; 475 THD Ece/%; 476 NSD Ewe/%; 477 NSD I/%; 478 NSD Ece/%;
479 NSR Ewe/%; 480 NSR I/%; 481 NSR Ece/%; 486 |Ewe h2|/V; 487 |Ewe h3|/V; 488 |Ewe h4|/V; 489 |Ewe h5|/V;
490 |Ewe h6|/V;
491 |Ewe h7|/V; 492 |I h2|/A; 493 |I h3|/A; 494 |I h4|/A; 495 |I h5|/A; 496 |I h6|/A; 497 |I h7|/A;
504 Rac/Ohm; 505 Rdc/Ohm
"""
_F8 = """
4 time/s; 7 dq/mA.h; 11 <I>/mA; 13 (Q-Qo)/mA.h; 23 dQ/mA.h; 24 cycle number; 74 |Energy|/W.h;
110 Energy ce/W.h; 112 Energy we/W.h;
115 Energy ce charge/W.h; 116 Energy ce discharge/W.h; 123 Energy charge/W.h; 124 Energy discharge/W.h;
125 Capacitance charge/uF; 126 Capacitance discharge/uF; 182 step time/s; 211 Q charge/discharge/mA.h; 438 step time/s;
467 Q charge/discharge/mA.h; 498 Q charge/mA.h; 499 Q discharge/mA.h; 500 step time/s; 501 Efficiency/%;
502 Capacity/mA.h
"""
_OTHERS = {
    "<u2": "39 I Range; 131 Ns",
    "<u4": "212 half cycle; 213 z cycle; 468 half cycle; 469 z cycle",
    "<u1": "253 Acir/Dcir control; 509 Acir/Dcir control",
}


def _parsed(listed: str, kind: str) -> dict[int, tuple[str, str]]:
    pairs = (entry.strip().split(" ", 1) for entry in listed.split(";"))
    return {int(number): (name, kind) for number, name in pairs}


COLUMNS: dict[int, tuple[str, str]] = {  # number: (name, type)
    **_parsed(_F4, "<f4"),
    **_parsed(_F8, "<f8"),
    **{
        number: column for kind, listed in _OTHERS.items() for number, column in _parsed(listed, kind).items()
    },
}
