"""Labels of columns as instruments and people write them: (label, role, unit in it or None), in four languages.

Collected from exports of Arbin, Basytec, BioLogic, CH Instruments, Corrtest, Gamry, Landt, Maccor, Neware, Novonix,
PEC, Solartron,
Autolab and from spreadsheets.
"""

TIMES = """Test Time (s)|s; Test_Time(s)|s; TestTime/Sec|s; Test Time (h)|h; time/s|s; Time (s)|s; Time_s|s;
Time/h|h; Run Time (h)|h;
Elapsed Time (s)|s; Elapsed Time(Sec)|s; Total Time (Seconds)|s; Total Time(s)|s; ~Time[s]|s; ~Time[h]|h;
Prog Time|; Time|; t|; t/s|s;
t (min)|min; t [ms]|ms; Time (min)|min; Test (Sec)|s; Test Time / s|s; test_time_second|s;
test_time_millisecond|ms; elapsed_time_s|s;
Zeit|; Zeit [s]|s; Zeit / min|min; Zeit/h|h; Zeit in s|s; Testzeit [h]|h; Testzeit (s)|s; Gesamtzeit/s|s;
Laufzeit [min]|min;
Temps (s)|s; Temps/h|h; Temps écoulé (s)|s; Durée (min)|min; Temps total [s]|s; 时间(s)|s; 测试时间(h)|h;
测试时间/Sec|s; 总时间(s)|s;
总时间(min)|min; 运行时间(s)|s; 时间/h|h; TIME (SEC)|s; Time [days]|d; Corrected Elapsed Time (s)|s"""
VOLTAGES = """Voltage (V)|V; Voltage(V)|V; Voltage/V|V; Voltage (mV)|mV; Voltage_mV|mV; Voltage_V|V; Voltage|;
Voltage V|V; Volts|V; Cell Voltage (V)|V;
Cell Voltage [mV]|mV; Ewe/V|V; <Ewe>/V|V; <Ewe/V>|V; Ecell/V|V; Ewe-Ece/V|V; E/V|V; E (mV)|mV; U[V]|V; U/V|V;
U [mV]|mV; U|;
V|; Vf|; Vol(V)|V; Potential (V)|V; Potential/V|V; Potential (V vs. Li/Li+)|V; Potential (mV vs. SCE)|mV;
E/V vs. Ref.|V;
WE(1).Potential (V)|V; Potential|; voltage_volt|V; voltage_millivolt|mV; VOLTAGE (V)|V; mV|mV; Spannung [V]|V;
Spannung/mV|mV; Spannung in V|V;
Spannung|; Zellspannung (V)|V; Klemmenspannung [V]|V; Tension (V)|V; Tension/mV|mV; Potentiel (V)|V; 电压(V)|V;
电压/mV|mV; 电压（V）|V;
电池电压(V)|V; 电位/V|V; Voltage, V|V; Terminal Voltage (V)|V"""
CURRENTS = """Current (A)|A; Current(A)|A; Current (mA)|mA; Current(mA)|mA; Current/mA|mA; Current_mA|mA;
Current_A|A; Current|; Current mA|mA;
Current (uA)|uA; Current/µA|uA; Current [nA]|nA; Cell Current (A)|A; I/mA|mA; <I>/mA|mA; I/A|A; I [mA]|mA;
I[A]|A; I (µA)|uA; I|; Im|; Amps|A;
mAmps|mA; Cur(mA)|mA; Cur(A)|A; current_ampere|A; current_milliampere|mA; WE(1).Current (A)|A; CURRENT (A)|A;
mA|mA; Strom [A]|A;
Strom/mA|mA; Strom in mA|mA; Strom|; Stromstärke (mA)|mA; Zellstrom [mA]|mA; Courant (mA)|mA; Courant/A|A;
Intensité (mA)|mA; 电流(mA)|mA;
电流(A)|A; 电流/mA|mA; 电流（mA）|mA; 电流/µA|uA; Measured Current (mA)|mA; Current, mA|mA"""
OTHERS = """Capacity(mAh)|mAh; Energy (Wh)|Wh; Cycle Index|; Step Index|; Step Time (s)|s; dV/dt(V/s)|V/s;
Internal Resistance(Ohm)|Ohm; P/W|W;
Ah[Ah]|Ah; I Range|; Efficiency/%|%; 容量(mAh)|mAh; 能量(mWh)|mWh; Kapazität [mAh]|mAh; Capacité (mAh)|mAh;
Aux_Voltage_1 (V)|V; Power (W)|W;
Charge_Capacity(Ah)|Ah; (Q-Qo)/mA.h|mA.h; Rec|; ES|; Zyklus|; 循环号|; 工步号|; Leistung [W]|W; Notes|;
control/mA|mA; Set Current (A)|A"""
FREQUENCIES = """Frequency / Hz|Hz; Frequency (Hz)|Hz; freq/Hz|Hz; Freq(Hz)|Hz; Freq|; freq|; f|; f/Hz|Hz;
f [kHz]|kHz; frequency|; Frequenz [Hz]|Hz;
Frequenz/kHz|kHz; Fréquence (Hz)|Hz; 频率/Hz|Hz; 频率(Hz)|Hz; freq_hz|Hz; Frequency_Hz|Hz; Freq/Hz|Hz"""
REALS = """Real Impedance / ohm|ohm; Re(Z)/Ohm|ohm; Z' (Ω)|ohm; Z'/ohm|ohm; Z'(a)|ohm; Z'|; Zre|; Zreal|;
Zreal (ohm)|ohm; Z_re [Ohm]|ohm; ReZ_ohm|ohm;
Re(Z) (mOhm)|mohm; Real(Ohm)|ohm; Z real|; real|; Realteil [Ohm]|ohm; Realteil (kΩ)|kohm; 阻抗实部/Ohm|ohm;
实部(Ω)|ohm; Partie réelle (Ohm)|ohm"""
IMAGINARIES = """Imaginary Impedance / ohm|ohm; Im(Z)/Ohm|ohm; Z'' (Ω)|ohm; Z"/ohm|ohm; Z''(b)|ohm; Z''|; Zim|;
Zimag|; Zimag (ohm)|ohm; ImZ_ohm|ohm;
Im(Z) (mOhm)|mohm; Imag(Ohm)|ohm; imaginary|; Imaginärteil [Ohm]|ohm; 虚部(Ω)|ohm"""
MINUS_IMAGINARIES = """-Im(Z)/Ohm|ohm; -Z'' (Ω)|ohm; -Z''/ohm|ohm; -Zim|; -Zimag (ohm)|ohm;
-Imaginary Impedance / ohm|ohm; negImZ_ohm|ohm;
-Im(Z) (kOhm)|kohm; −Z'' (Ω)|ohm; -Imaginärteil [Ohm]|ohm; -虚部(Ω)|ohm"""


def labels(text: str) -> list[tuple[str, str | None]]:
    """(label, unit) of each."""
    pairs = (entry.strip().rsplit("|", 1) for entry in text.replace("\n", " ").split(";"))
    return [(label.strip(), unit or None) for label, unit in pairs]
