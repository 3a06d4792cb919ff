"""What a page shows, to keep: its rows as CSV with the labels of a trace file, its plots as one picture.

Both are made in the browser, of what it has: the extremes of each bucket, no more. Every sample is in the run folder
(`ccdmon convert`).
"""

from typing import Any

from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.widgets import Button

from ccdmon.live.plots import DRAWN_FOR_LIGHT

_SAVE = """
const save = (parts, type, ending) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, {type: type}));
  link.download = stem + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
"""
# Column of the source: label and factor of the file's.
_LABELS: dict[str, tuple[str, float]] = {
    "time_s": ("Test Time / s", 1.0),
    "voltage_V": ("Voltage / V", 1.0),
    "current_mA": ("Current / A", 1e-3),
    "pressure_MPa": ("Surface Pressure / Pa", 1e6),
    "temperature_degC": ("Ambient Temperature / degC", 1.0),
}
_CSV = """
const names = Object.keys(labels).filter((name) => name in rows.data);
const lines = [names.map((name) => labels[name][0]).join(",")];
const number = (value, factor) => Number.isFinite(value) ? String(Number((value * factor).toPrecision(9))) : "";
for (let n = 0; n < rows.data.time_s.length; n++)
  lines.push(names.map((name) => number(rows.data[name][n], labels[name][1])).join(","));
save([lines.join("\\n") + "\\n"], "text/csv", "-shown.bdf.csv");
"""
_PICTURE = """
const drawn = plots.filter((plot) => plot.visible).map((plot) => Bokeh.index.find_one(plot).export("png").canvas);
const whole = document.createElement("canvas");
whole.width = Math.max(...drawn.map((one) => one.width));
whole.height = drawn.reduce((sum, one) => sum + one.height, 0);
const pen = whole.getContext("2d");
pen.fillStyle = "#fff";
pen.fillRect(0, 0, whole.width, whole.height);
let top = 0;
for (const one of drawn) { pen.drawImage(one, 0, top); top += one.height; }
whole.toBlob((picture) => save([picture], "image/png", ".png"), "image/png");
"""


def buttons(name: str, stem: str, rows: ColumnDataSource, plots: list[Any]) -> list[Button]:
    """Two of them; `stem` of the files' names."""
    csv = Button(label="Save CSV", width=86, name=f"{name}-save-csv", styles=DRAWN_FOR_LIGHT)
    csv.js_on_click(CustomJS(args={"rows": rows, "labels": _LABELS, "stem": stem}, code=_SAVE + _CSV))
    picture = Button(label="Save picture", width=106, name=f"{name}-save-picture", styles=DRAWN_FOR_LIGHT)
    picture.js_on_click(CustomJS(args={"plots": plots, "stem": stem}, code=_SAVE + _PICTURE))
    return [csv, picture]
