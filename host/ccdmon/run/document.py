"""`run.toml` of a recording: what the rig file says, and what the board says of itself once it answers."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ccdmon.link.firmware import firmware_hash
from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.physical import physical_limits
from ccdmon.run.folder import firmware_of, read_config, rewrite_config
from ccdmon.run.time_axis import RunTime
from ccdmon.version import __version__
from ccdmon_fw import limits

WRITE_INTERVAL_S = 1.0
# Tables of the rig file that a run keeps; not the addresses of people, which may hold passwords.
KEPT = ("name", "cell", "conditions", "limits", "rules", "host_trips", "protocol")


def config_of(rig: Mapping[str, Any], port: str, source: str) -> dict[str, Any]:
    """`run.toml` of a new recording; the sample period is the board's to state."""
    return {
        "made_by": "record",
        "rig": port,
        "source": source,
        "versions": {"ccdmon": __version__, "firmware_hash": firmware_hash()},
        **{key: rig[key] for key in KEPT if key in rig},
        "time": {"seconds_per_sample": limits.SAMPLE_PERIOD_US * 1e-6, "segments": "joined"},
        "front_end": rig["front_end"],
    }


class RunDocument:
    """The `run.toml` of one folder; `config` is what it says, `axis` the time axis that it names."""

    def __init__(self, folder: Path, say: Callable[[str], object]) -> None:
        self._folder, self._say = folder, say
        self.config: dict[str, Any] = dict(read_config(folder))
        self.axis = RunTime.of_config(self.config)
        self._stale = self._told = False
        self._due_s = 0.0

    @property
    def front_end(self) -> FrontEnd:
        """The scales in force."""
        return FrontEnd.from_table(self.config["front_end"])

    @property
    def board_id(self) -> str | None:
        """The own number of the board whose run this is; None: not known yet."""
        firmware = self.config.get("firmware")
        return firmware.get("id") if isinstance(firmware, Mapping) else None

    def learn(self, identity: Mapping[str, Any], *, begun: bool) -> bool:
        """Take what the board says of itself; True where another firmware goes on with a recording.

        `begun`: there are rows already, whose period, scales and columns stay.
        """
        if not begun:
            self._scale(identity)
        firmware, settings = firmware_of(identity), dict(identity.get("settings", {}))
        known = self.config.get("firmware")
        if begun and "temperature" in firmware:
            firmware["temperature"] = (known or {}).get("temperature", False)
        if (known, self.config.get("settings")) == (firmware, settings):
            return False
        self.config.update(firmware=firmware, settings=settings)
        if "limits" not in self.config and set(limits.SETTINGS) <= settings.keys():
            period_s = self.axis.seconds_per_sample
            self.config["limits"] = physical_limits(settings, self.front_end, period_s)
        self._stale = True
        self.write_in_time()
        return begun and known not in (None, firmware)

    def _scale(self, identity: Mapping[str, Any]) -> None:
        """The board's period; without a rig file also the full scales it states."""
        if period_us := identity.get("sample_period_us"):
            self.axis.seconds_per_sample = period_us * 1e-6
            self.config["time"] = {**self.config["time"], "seconds_per_sample": period_us * 1e-6}
        table, stated = self.config["front_end"], identity.get("front_end")
        if table.get("assumed") and isinstance(stated, dict):
            known = {key: value for key, value in stated.items() if key in table and value is not None}
            self.config["front_end"] = {**table, **known}

    def write_in_time(self) -> None:
        """Write what was learnt, at most every `WRITE_INTERVAL_S`: a board may say something else each time."""
        if self._stale and time.monotonic() >= self._due_s:
            self.write()

    def write(self) -> None:
        """Write what was learnt since the last time; what the disk does not take is tried again."""
        if not self._stale:
            return
        self._due_s = time.monotonic() + WRITE_INTERVAL_S
        try:
            rewrite_config(self._folder, self.config)
        except OSError as error:
            if not self._told:
                self._say(f"{self._folder}/run.toml: cannot write ({error.strerror}); make space")
            self._told = True
            return
        self._stale = self._told = False
