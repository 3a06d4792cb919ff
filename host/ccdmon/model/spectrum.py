"""One impedance spectrum, however it came in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccdmon.model.trace import FloatArray

ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Spectrum:
    """Falling frequencies in Hz, impedance in ohm (Im negative for a capacitor); both shape (points,)."""

    frequency_Hz: FloatArray
    impedance_ohm: ComplexArray
    name: str = ""

    def __len__(self) -> int:
        return len(self.frequency_Hz)

    @property
    def resistance_ohm(self) -> float:
        """Real part at the lowest frequency: bulk and interface together, ohm."""
        return float(self.impedance_ohm[-1].real)


def make_spectrum(frequency_Hz: FloatArray, impedance_ohm: ComplexArray, name: str = "") -> Spectrum:
    """A spectrum sorted by falling frequency, without points that are not finite or not above 0 Hz."""
    good = np.isfinite(frequency_Hz) & (frequency_Hz > 0) & np.isfinite(impedance_ohm)
    order = np.argsort(-frequency_Hz[good], kind="stable")
    return Spectrum(frequency_Hz[good][order], impedance_ohm[good][order], name)
