"""Wiring as a figure and a parts list, with the values of a rig: the relay board, or a potentiostat's connectors.

Each input and output is a drawing of its own, joined to the Pico by the names of its pins, as `firmware/README.md` says
it. Drawn by schemdraw (the extra `ccdmon[schematic]`), as SVG with text as text.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ccdmon.errors import InputError
from ccdmon.extras import how_to_install
from ccdmon.rig.parts import RELAY, Part, potentiostat
from ccdmon.rig.parts import divider as divider_parts
from ccdmon.rig.sizing import OPEN_ENDED_V, divider

FONT_pt = 11
RELAY_BOARD = "relay"


class Values(NamedTuple):
    """What is particular to a rig; None where it was not sized."""

    shunt: str | None = None  # "50 ohm"
    gain: str | None = None  # "x33"
    voltage_full_scale_V: float = OPEN_ENDED_V


def draw(
    wiring: str,
    path: Path,
    shunt: str | None = None,
    gain: str | None = None,
    voltage_full_scale_V: float | None = None,
) -> list[Part]:
    """Write the figure of one of `WIRINGS`; what has to be bought. `shunt`, `gain`: as they are to be read there.

    The full scale chooses the relay board's divider; None: the wide one.

    Raises `InputError` for another ending than .svg, a folder that cannot be written, or a missing library.
    """
    values = Values(shunt, gain, voltage_full_scale_V or OPEN_ENDED_V)
    try:
        import schemdraw
        from schemdraw import elements
    except ImportError:
        raise InputError(f"schemdraw is missing; {how_to_install('schematic')}") from None
    if path.suffix.lower() != ".svg":
        raise InputError(f"{path}: the figure is SVG; name a file that ends with .svg")
    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    drawing = schemdraw.Drawing(show=False)
    drawing.config(unit=2.2, fontsize=FONT_pt, bgcolor="white", margin=0.8)
    blocks, parts = WIRINGS[wiring]
    for number, block in enumerate(blocks):
        column, row = number % 3, number // 3
        block(drawing, elements, (12.5 * column, -8.0 * row), values)
    try:
        drawing.save(str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot write ({error.strerror}); choose another folder") from error
    if wiring == RELAY_BOARD:
        parts = (*divider_parts(divider(values.voltage_full_scale_V)), *parts)
    return [part._replace(what=_named(part.what, values)) for part in parts]


def _named(text: str, values: Values) -> str:
    return text.replace("SHUNT", values.shunt or "value: --current").replace(
        "GAIN", values.gain or "gain: --current"
    )


def _text(
    d: Any, e: Any, at: tuple[float, float], text: str, side: str = "left", size: float = FONT_pt
) -> None:
    """Text that begins there (`left`) or ends there (`right`), upright whatever was drawn before."""
    d.add(e.Label().at(at).right().label(text, loc="center", halign=side, valign="center", fontsize=size))


def _title(d: Any, e: Any, at: tuple[float, float], text: str) -> None:
    _text(d, e, (at[0], at[1] + 3.4), text, size=FONT_pt + 2)


def _from(d: Any, e: Any, at: tuple[float, float], name: str) -> None:
    """A name that a wire begins with, there."""
    d.add(e.Dot(open=True).at(at).right())
    _text(d, e, (at[0] - 0.2, at[1]), name, "right")


def _net(d: Any, e: Any, at: tuple[float, float], name: str) -> None:
    """A wire to the right that ends in a name."""
    d.add(e.Line().at(at).right().length(0.8))
    d.add(e.Dot(open=True))
    _text(d, e, (at[0] + 1.0, at[1]), name)


def _divider(
    d: Any,
    e: Any,
    at: tuple[float, float],
    source: str,
    pin: str,
    ohms: tuple[str, str, str | None],
    farad: str = "10 nF",
) -> None:
    """R_IN from the source, R_UP to 3.3 V, R_DOWN to ground, a capacitor beside it."""
    x, y = at
    r_in, r_up, r_down = ohms
    _from(d, e, (x + 1.2, y), source)
    d.add(e.Resistor().at((x + 1.2, y)).right().label(r_in))
    node = (x + 3.4, y)
    d.add(e.Dot().at(node))
    d.add(e.Resistor().at(node).up().length(1.7).label(r_up, loc="bottom"))
    d.add(e.Vdd().label("3.3 V"))
    if r_down:
        d.add(e.Resistor().at(node).down().label(r_down, loc="top"))
        d.add(e.Ground())
    d.add(e.Line().at(node).right().length(1.3))
    d.add(e.Dot())
    d.add(e.Capacitor().down().label(farad, loc="bottom"))
    d.add(e.Ground())
    if pin:
        _net(d, e, (x + 4.7, y), pin)


def _follower(d: Any, e: Any, at: tuple[float, float], begin: tuple[float, float], name: str) -> None:
    """An op amp that follows what comes from `begin`; its input stands at `at`, its output is `name`."""
    follower = d.add(e.Opamp(leads=True).at(at).anchor("in2").right().flip())
    d.add(e.Line().at(begin).to(follower.in2))
    out, back = tuple(follower.out), tuple(follower.in1)
    low = float(back[1]) - 1.0
    d.add(e.Wire("c", k=-0.4).at(back).to((back[0], low)))
    d.add(e.Line().at((back[0], low)).to((out[0], low)))
    d.add(e.Line().at((out[0], low)).to(out))
    d.add(e.Dot().at(out))
    _net(d, e, out, name)


def _voltage(d: Any, e: Any, at: tuple[float, float], values: Values) -> None:
    _title(d, e, at, f"Cell's voltage, +-{values.voltage_full_scale_V:g} V")
    _divider(d, e, at, "cell +", "", divider(values.voltage_full_scale_V), "220 pF")
    _follower(d, e, (at[0] + 6.8, at[1]), (at[0] + 4.7, at[1]), "GP26")
    _text(d, e, (at[0] + 6.4, at[1] - 2.9), "op amp on 3.3 V, as follower", size=9)


def _current(d: Any, e: Any, at: tuple[float, float], values: Values) -> None:
    x, y = at
    high, low = (x + 2.2, y + 1.1), (x + 2.2, y - 1.1)
    _title(d, e, at, "Current: shunt in the cell's return")
    for end, name in ((high, "cell -"), (low, "cycler -")):
        _from(d, e, (x + 1.2, end[1]), name)
        d.add(e.Line().at((x + 1.2, end[1])).right().length(1.0))
        d.add(e.Dot())
    d.add(e.Resistor().at(high).down().length(2.2).label(values.shunt or "shunt", loc="top"))
    d.add(e.Line().at(low).down().length(0.5))
    d.add(e.Ground())
    amplifier = d.add(e.Opamp().at((x + 4.4, y)).anchor("center").right().flip())
    _text(d, e, (x + 3.9, y), values.gain or "gain")
    for end, pin in ((high, amplifier.in2), (low, amplifier.in1)):
        d.add(e.Wire("c", k=-0.5).at(pin).to(end))
    _text(d, e, (x + 3.1, y - 2.4), "difference amplifier on 3.3 V,", size=9)
    _text(d, e, (x + 3.1, y - 2.9), "reference pin: the 1.65 V drawn beside", size=9)
    d.add(e.Resistor().at(tuple(amplifier.out)).right().length(1.6).label("10 k"))
    node = (amplifier.out[0] + 1.6, amplifier.out[1])
    d.add(e.Dot().at(node))
    d.add(e.Capacitor().at(node).down().length(1.2).label("10 nF", loc="bottom"))
    d.add(e.Ground())
    _net(d, e, node, "GP27")


def _mid_supply(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
    """Half of the converter's supply, so that zero current lands at mid-range whatever that supply is."""
    x, y = at
    _title(d, e, at, "1.65 V: reference of the current's amplifier")
    node = (x + 2.2, y)
    d.add(e.Dot().at(node))
    d.add(e.Resistor().at(node).up().length(1.7).label("10 k", loc="bottom"))
    d.add(e.Vdd().label("3.3 V"))
    d.add(e.Resistor().at(node).down().length(1.9).label("10 k", loc="top"))
    d.add(e.Ground())
    d.add(e.Line().at(node).right().length(1.2))
    d.add(e.Dot())
    d.add(e.Capacitor().down().length(1.9).label("100 nF", loc="bottom"))
    d.add(e.Ground())
    _follower(d, e, (x + 5.0, y), (x + 3.4, y), "reference pin")
    _text(d, e, (x + 4.6, y - 2.9), "op amp on 3.3 V, as follower", size=9)


def _gate(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
    x, y = at
    top, low = (x + 3.8, y + 1.9), (x + 3.8, y)
    _title(d, e, at, "Gate: relay, normally open")
    fet = d.add(e.NFet().right().reverse().at((x + 3.8, y - 0.3)).anchor("drain"))
    pin = (x + 1.2, float(fet.gate[1]))
    _from(d, e, pin, "GP22")
    d.add(e.Line().at(pin).to(fet.gate))
    node = (x + 2.1, pin[1])
    d.add(e.Dot().at(node))
    d.add(e.Resistor().at(node).down().length(1.6).label("10 k", loc="top"))
    d.add(e.Ground())
    d.add(e.Ground().at(fet.source))
    d.add(e.Line().at(fet.drain).to(low))
    d.add(e.Dot().at(low))
    d.add(e.Inductor2(loops=3).at(low).to(top).label("coil", loc="top"))
    d.add(e.Dot().at(top))
    d.add(e.Vdd().at(top).right().label("5 V (VBUS)"))
    d.add(e.Line().at(low).right().length(1.0))
    d.add(e.Diode().up().length(1.9).label("1N4148", loc="bottom"))
    d.add(e.Line().left().length(1.0))
    contact = (x + 7.2, y)
    d.add(e.Dot(open=True).at(contact))
    d.add(e.Switch().at(contact).up().length(1.9))
    d.add(e.Dot(open=True))
    _text(d, e, (contact[0], y - 0.4), "cycler +", "center")
    _text(d, e, (contact[0], y + 2.3), "cell +", "center")


def _trip(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
    x, y = at
    _title(d, e, at, "External trip: opens, or its wire off: trips")
    _from(d, e, (x + 1.2, y), "GP14")
    d.add(e.Line().at((x + 1.2, y)).right().length(0.8))
    d.add(e.Switch(action="open").right().label("contacts, or a link"))
    d.add(e.Line().right().length(0.6))
    d.add(e.Ground())


def _pressure(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
    x, y = at
    _title(d, e, at, "Pressure: load cell's amplifier, or ground")
    _from(d, e, (x + 1.2, y), "0 ... 3.3 V")
    d.add(e.Resistor().at((x + 1.2, y)).right().label("10 k"))
    d.add(e.Dot())
    d.add(e.Capacitor().down().label("10 nF", loc="bottom"))
    d.add(e.Ground())
    _net(d, e, (x + 3.4, y), "GP28")


def _e_monitor(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
    _title(d, e, at, "E monitor, +-5.27 V")
    _divider(d, e, at, "E monitor", "GP26", ("16 k", "10 k", "27 k"))


def _i_monitor(r_in: str) -> Callable[[Any, Any, tuple[float, float], Values], None]:
    def block(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
        _title(d, e, at, "I monitor, +-3.3 V")
        _divider(d, e, at, "I monitor", "GP27", (r_in, "10 k", None))

    return block


def _stop(source: str, name: str) -> Callable[[Any, Any, tuple[float, float], Values], None]:
    def block(d: Any, e: Any, at: tuple[float, float], _values: Values) -> None:
        from schemdraw import logic as untyped

        logic: Any = untyped

        x, y = at
        _title(d, e, at, "Stop: asserted while low")
        _from(d, e, (x + 1.2, y), source)
        d.add(e.Line().at((x + 1.2, y)).right().length(0.9))
        d.add(e.Dot())
        d.add(e.Resistor().at((x + 2.1, y)).down().label("10 k", loc="top"))
        d.add(e.Ground())
        buffer = d.add(logic.Buf().at((x + 2.1, y)).right())
        _text(d, e, (x + 2.1, y + 1.0), "74AHCT1G125 on 5 V (VBUS), OE to ground", size=9)
        d.add(e.Line().at(buffer.out).right().length(1.2))
        node = d.here
        d.add(e.Dot())
        d.add(e.Resistor().at(node).down().label("680", loc="top"))
        d.add(e.Ground())
        _text(d, e, (node[0] + 0.5, node[1] - 0.9), "in the plug at", size=9)
        _text(d, e, (node[0] + 0.5, node[1] - 1.4), "the potentiostat", size=9)
        _net(d, e, tuple(node), name)

    return block


Block = Callable[[Any, Any, tuple[float, float], Values], None]
WIRINGS: dict[str, tuple[tuple[Block, ...], tuple[Part, ...]]] = {
    RELAY_BOARD: ((_voltage, _current, _mid_supply, _gate, _pressure, _trip), RELAY),
    "biologic": (
        (_e_monitor, _i_monitor("10 k"), _stop("GP22", "OPEN In"), _pressure, _trip),
        potentiostat("10 k"),
    ),
    "gamry": (
        (_e_monitor, _i_monitor("9.1 k"), _stop("GP22", "Digital In 0"), _pressure, _trip),
        potentiostat("9.1 k"),
    ),
}
