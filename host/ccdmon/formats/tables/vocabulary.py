"""What columns are called: role by name, in English, German, French and Chinese, best name first.

A name is compared without case, blanks, underscores, dots and hyphens ('Test_Time', 'TestTime' and 'test time' are
one);
a leading minus counts, for '-Im(Z)' is not 'Im(Z)'. A role that several columns could have goes to the name that stands
first here.
"""

import re

# quantity of each role, which says which units its column may have
QUANTITY = {
    "time": "time",
    "step_time": "time",
    "date": "time",
    "voltage": "voltage",
    "counter_voltage": "voltage",
    "current": "current",
    "set_current": "current",
    "pressure": "pressure",
    "temperature": "temperature",
    "cycle": "count",
    "step": "count",
    "frequency": "frequency",
    "real": "resistance",
    "imaginary": "resistance",
    "minus_imaginary": "resistance",
    "magnitude": "resistance",
    "phase": "angle",
    "minus_phase": "angle",
    "spectrum": "count",
}
NAMES: dict[str, str] = {
    "time": """test time; total time; elapsed time; time elapsed; run time; prog time; programme time; cumulative time;
        testzeit; gesamtzeit; laufzeit; versuchszeit; prüfzeit; temps total; temps écoulé; temps ecoule; durée;
        测试时间; 总时间; 累计时间; 运行时间; 实验时间; test; time; t; zeit; temps; 时间; corrected elapsed time;
        elapsed; total elapsed time; time elapsed in test; tps; messzeit; versuchsdauer; testdauer; experiment time""",
    "step_time": """step time; t step; schrittzeit; temps pas; temps de pas; temps d'étape; 工步时间; 步时间; 相对时间;
        单步时间; relative time; time in step; schrittdauer; step duration; elapsed step time""",
    "date": """date time; datetime; date and time; date; absolute time; real time; realtime; system time; timestamp;
        time stamp; dpt time; unix time; epoch time; wall clock; datum; datum/zeit; datum und zeit;
        datum uhrzeit; uhrzeit;
        zeitstempel; date heure; date et heure; horodatage; 绝对时间; 系统时间; 日期时间; 日期; 真实时间; 记录时间""",
    "voltage": """ewe ece; <ewe ece>; voltage; cell voltage; potential; cell potential; ecell; e cell; <ecell>;
        ewe; <ewe>;
        volt; volts; vol; vf; vm; vcell; v cell; ucell; u cell; uzelle; u zelle; u; v; e; spannung;
        zellspannung; klemmenspannung;
        tension; tension cellule; potentiel; potenzial; potential applied; 电压; 电池电压; 单体电压; 电位;
        电势; we potential; working electrode; working electrode voltage; working electrode potential;
        wepotential; measured voltage; we(1) potential; terminal voltage; pack voltage; voltage measured; e vs ref""",
    "counter_voltage": "ece; <ece>",
    "current": """current; cell current; amps; amp; i; <i>; im; cur; icell; i cell; izelle; i zelle; strom; zellstrom;
        stromstärke; stromstaerke; courant; intensité; intensite; 电流; 电池电流; we current; wecurrent;
        measured current;
        we(1) current; current measured""",
    "set_current": "control",
    "pressure": """pressure; stack pressure; surface pressure; cell pressure; druck; anpressdruck; stapeldruck;
        pression; 压力""",
    "temperature": """temperature; temp; t; cell temperature; surface temperature; ambient temperature; temp 1;
        t1; aux temperature 1;
        temperature 1; temperatur; zelltemperatur; température; evtemp; aux temp; 温度; 环境温度; 辅助温度; 电池温度""",
    "cycle": """cycle count; cycle; cycle number; cycle index; cycle id; cyc#; cycle c; cycle p; cyc count; cyc; zyklus;
        zyklusnummer; zykluszahl; cycle no; cycle n°; numéro de cycle; 循环号; 循环序号; 循环; 循环次数""",
    "step": """step count; step number; step index; step; step id; ns; schritt; schrittnummer; pas; étape; etape; line;
        工步号; 工步序号; 工步; 步次; 步骤""",
    "frequency": """frequency; freq; f; frequenz; fréquence; 频率; freq.; zfreq; measured frequency""",
    "real": """re(z); z'; zre; z re; rez; re z; re{z}; zreal; z real; real(z); real z; real; re; real part;
        realteil; realteil(z);
        real impedance; impedance real; impedance real part; zr; real part of impedance; partie réelle; 实部; 阻抗实部;
        rs; rseries; real impedanz; re z'; r; z1real; z1; zs'""",
    "imaginary": """im(z); z''; zim; z im; imz; im z; im{z}; zimag; z imag; imag(z); imag z; imag; im;
        imaginary part; imaginärteil;
        imaginaerteil; imaginärteil(z); imaginary impedance; impedance imaginary; impedance imaginary part; zi;
        imaginary;
        imaginary part of impedance; partie imaginaire; 虚部; 阻抗虚部; xs; x; z imaginary; zimaginary; z2;
        zs''; zimg; z img""",
    "minus_imaginary": """-im(z); -z''; -zim; -z im; -imz; -im z; -im{z}; -zimag; -z imag; -imag(z); -imag z;
        -imag; -im; neg im z; negimz;
        minus im z; minusimz; negative imaginary impedance; -imaginary impedance; -imaginary; -imaginary part;
        -imaginärteil;
        -zi; -x; negim(z); neg im(z); negative im(z); -虚部; -阻抗虚部; -partie imaginaire; negzim;
        -z imaginary; -z2; -zs''; -zimg; -(z''); minus z'';
        -impedance imaginary""",
    "magnitude": """|z|; zmod; z mod; modz; mod z; zmag; z mag; magz; magnitude; impedance;
        impedance magnitude; |impedance|; betrag;
        |z| magnitude; absz; abs(z); abs z; z; modulus; module; impedanz; 阻抗; 阻抗模; 模; impedance modulus;
        z modulus; mag""",
    "phase": """phase(z); phase; zphz; zph; z phase; phase of z; phase angle; theta; θ; phi; φ; arg(z); argz;
        argument; phasenwinkel; angle;
        phasez; 相位; 相位角; 相角; phase shift; impedance phase; z phz""",
    "minus_phase": """-phase(z); -phase; -zphz; -phase of z; -phase angle; -theta; -θ; -phi; -φ; -phasenwinkel;
        neg phase;
        negphase; -arg(z); -angle; -相位; -相位角; -phasez""",
    "spectrum": """spectrum; z cycle; loop index; loop; sweep; sweep number; scan; scan number; spektrum;
        measurement number; spectrum number; loop number""",
    "state": """state; status; step type; step state; md; mode; workmode; step mode; step name; zustand;
        schritttyp; modus; type de pas; état;
        工步类型; 工步状态; 状态; 工作模式; 工步名称; instruction name; command; charge/discharge; c/d;
        chg/dchg; step description""",
}
_LIKE = str.maketrans(
    {"’": "'", "‘": "'", "′": "'", "`": "'", "´": "'", "−": "-", "–": "-", "—": "-", "（": "(", "）": ")", "／": "/",
     "：": ":", "，": ",", "【": "[", "】": "]", "［": "[", "］": "]", "∣": "|", "\u00a0": " ", "\u202f": " "}
)  # fmt: skip


def alike(text: str) -> str:
    """The text with the characters that stand for one another made the same; two primes for a double one."""
    return re.sub(r"[\"”“″]|''", "''", text.translate(_LIKE))


def key_of(name: str) -> str:
    """What names are compared by."""
    text = alike(name).strip().lower()
    sign = "-" if text.startswith("-") else ""
    return sign + re.sub(r"[\s_.\-:]+", "", text.lstrip("-").strip("~#* "))


RANKS: dict[str, dict[str, int]] = {}  # by key: the roles a name may have, with its place there
for _role, _names in NAMES.items():
    for _rank, _name in enumerate(_names.split(";")):
        RANKS.setdefault(key_of(_name), {}).setdefault(_role, _rank)
OF_A_TEST = frozenset(QUANTITY) - frozenset(
    ("frequency", "real", "imaginary", "minus_imaginary", "magnitude", "phase", "minus_phase", "spectrum")
) | {"state"}  # fmt: skip


def roles_of(name: str) -> dict[str, int]:
    """The roles that a column of that name may have, each with the name's place among its names (0 is best)."""
    return RANKS.get(key_of(name), {})
