"""Builds the MicroPython image of the Raspberry Pi Pico from Debian's packages: the stock one, or with our firmware.

For machines that reach a Debian mirror but not the image's home. Nothing is installed: the package lists and
sources live in a folder of their own; the compilers must be there (the error says which are not). Debian's
development suites move, so any MicroPython from 1.26 on is accepted: hard timers on the Pico exist from
there.

Where each part comes from, and why so: the sources of MicroPython and Mbed TLS unpack with `apt-get source`;
those of the Pico SDK and TinyUSB do not (their source packages are repacked), but their `-source` binary
packages hold the tree.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.link.firmware import MANIFEST, firmware_files, firmware_hash, manifest_text
from ccdmon_hil.rigs import uf2

MICROPYTHON_MINIMUM = (1, 26)
MIRROR_SETTING = "CCDMON_DEBIAN_MIRROR"  # else the mirror this machine installs its own packages from
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# tool -> Debian package that brings it
TOOLS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "dpkg-source": "dpkg-dev",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-g++": "gcc-arm-none-eabi",
    "cmake": "cmake",
    "make": "make",
    "gcc": "gcc",
    "python3": "python3",
}
# file the cross compiler must find -> Debian package that brings it
TARGET_LIBRARIES = {"nosys.specs": "libnewlib-arm-none-eabi", "libstdc++.a": "libstdc++-arm-none-eabi-newlib"}
SOURCES = """\
deb [{options}] {mirror} trixie main
deb-src [{options}] {mirror} trixie main
deb-src [{options}] {mirror} forky main
deb-src [{options}] {mirror} sid main
"""

Say = Callable[[str], None]


def build_image(work_dir: Path, say: Say, frozen: bool = False) -> Path:
    """Download, build and return a UF2 file inside `work_dir`; `say` gets one line per step.

    `frozen`: with the firmware of this package in it, as `firmware/manifest.py` says, its hash in the name.

    Raises `InputError` naming what is missing, or the step that failed and its log.
    """
    _require_tools()
    work_dir.mkdir(parents=True, exist_ok=True)
    apt = _Apt(work_dir)
    say("reading Debian's package lists")
    apt.update()
    version = apt.newest_source("micropython", MICROPYTHON_MINIMUM)
    say(f"fetching MicroPython {version} and its libraries")
    tree = _lay_out(apt, version)
    say("building the cross compiler of MicroPython")
    jobs = f"-j{os.cpu_count() or 1}"
    _run(["make", "-C", str(tree / "mpy-cross"), jobs], work_dir)
    say("building the image (a few minutes)")
    if frozen:
        _align_native_code(tree)
    manifest = _firmware_manifest(work_dir) if frozen else _stock_manifest(tree, work_dir)
    binary = _build_port(tree, work_dir, manifest, jobs)
    prefix = f"ccdmon-{firmware_hash()}-" if frozen else ""
    image = work_dir / f"{prefix}RPI_PICO-micropython-{version.split('+')[0].split('-')[0]}.uf2"
    image.write_bytes(uf2.encode(binary.read_bytes()))
    return image


def _require_tools() -> None:
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if shutil.which("arm-none-eabi-gcc"):
        missing += [package for name, package in TARGET_LIBRARIES.items() if not _compiler_finds(name)]
    else:
        missing += TARGET_LIBRARIES.values()
    if not KEYRING.exists():
        missing.append("debian-archive-keyring")
    if missing:
        packages = " ".join(dict.fromkeys(missing))
        raise InputError(
            f"building the image needs Debian packages that are missing: apt-get install {packages}"
        )


def _compiler_finds(name: str) -> bool:
    command = ["arm-none-eabi-g++", "-mcpu=cortex-m0plus", "-mthumb", f"-print-file-name={name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()).is_absolute()


class _Apt:
    """apt with lists, cache and sources of its own: the machine's stay untouched, no root is needed."""

    def __init__(self, work_dir: Path) -> None:
        self.dir = work_dir
        state = work_dir / "apt"
        for folder in ("lists/partial", "cache/archives/partial"):
            (state / folder).mkdir(parents=True, exist_ok=True)
        mirror = os.environ.get(MIRROR_SETTING) or _own_mirror()
        (state / "sources.list").write_text(SOURCES.format(options=f"signed-by={KEYRING}", mirror=mirror))
        self.options = [
            f"-oDir::Etc::SourceList={state}/sources.list", "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State::Lists={state}/lists", f"-oDir::Cache={state}/cache",
            "-oDir::State::status=/dev/null", "-oAPT::Sandbox::User=root", "-oAPT::Architecture=amd64",
        ]  # fmt: skip

    def update(self) -> None:
        _run(["apt-get", *self.options, "-qq", "update"], self.dir)

    def newest_source(self, package: str, low: tuple[int, ...], high: tuple[int, ...] = (999,)) -> str:
        """Newest source version v of a package with low <= v < high."""
        listing = _run(["apt-cache", *self.options, "showsrc", package], self.dir)
        versions = re.findall(r"^Version: (\S+)", listing, re.MULTILINE)
        fitting = [version for version in versions if low <= _numbers(version) < high]
        if not fitting:
            wanted = ".".join(map(str, low))
            raise InputError(
                f"Debian has no source of {package} {wanted} or newer, only {', '.join(versions) or 'none'}"
            )
        return str(max(fitting, key=_numbers))

    def source(self, package: str, version: str) -> Path:
        """Unpack a source package; its folder."""
        _run(["apt-get", *self.options, "-qq", "source", f"{package}={version}"], self.dir)
        return max(
            self.dir.glob(f"{package}-[0-9]*/"), key=lambda folder: _numbers(folder.name.split("-")[-1])
        )

    def binary(self, package: str) -> Path:
        """Unpack a binary package without installing it; the folder it was unpacked to."""
        _run(["apt-get", *self.options, "-qq", "download", package], self.dir)
        archive = max(self.dir.glob(f"{package}_*.deb"), key=lambda file: file.stat().st_mtime)
        _run(["dpkg-deb", "-x", str(archive), package], self.dir)
        return self.dir / package


def _numbers(version: str) -> tuple[int, ...]:
    """(1, 26, 1) of '1.26.1+ds-1'; an epoch is dropped."""
    upstream = re.match(r"(?:\d+:)?([\d.]+)", version)
    return tuple(int(part) for part in upstream[1].split(".") if part) if upstream else ()


def _lay_out(apt: _Apt, version: str) -> Path:
    """MicroPython's source tree with the libraries where its build looks for them."""
    tree = apt.source("micropython", version)
    mbedtls = apt.source("mbedtls", apt.newest_source("mbedtls", (3, 6), (4,)))
    _replace(tree / "lib/mbedtls", mbedtls)
    _replace(tree / "lib/pico-sdk", _holding(apt.binary("pico-sdk-source"), "pico_sdk_init.cmake"))
    _replace(tree / "lib/tinyusb", _holding(apt.binary("tinyusb-source"), "src/tusb.h"))
    (tree / "lib/micropython-lib").mkdir(exist_ok=True)
    (tree / "lib/micropython-lib/README.md").touch()  # what the build takes as proof of the library
    return tree


def _holding(folder: Path, marker: str) -> Path:
    """The folder below `folder` in which the file `marker` lies."""
    found = next(folder.rglob(marker), None)
    if found is None:
        raise InputError(f"Debian's {folder.name} no longer holds {marker}: this recipe needs a look")
    return found.parents[marker.count("/")]


def _replace(target: Path, source: Path) -> None:
    if target.is_symlink() or target.is_file():
        target.unlink()
    shutil.rmtree(target, ignore_errors=True)
    target.symlink_to(source.resolve(), target_is_directory=True)


# mpy-tool.py of MicroPython 1.26 puts frozen native code of ARMv6-M at even addresses, but such code reads its 32-bit
# constants at multiples of four (py/asmthumb.c, asm_thumb_mov_reg_i32): at half of the addresses it reads others.
_UNALIGNED = "            MP_NATIVE_ARCH_ARMV6,\n            MP_NATIVE_ARCH_XTENSA,\n"
_ALIGNED = "            MP_NATIVE_ARCH_ARMV6,\n            MP_NATIVE_ARCH_ARMV6M,\n            MP_NATIVE_ARCH_XTENSA,\n"


def _align_native_code(tree: Path) -> None:
    """Let the firmware's native code be frozen at multiples of four. Raises `InputError` for an unknown tool."""
    tool = tree / "tools/mpy-tool.py"
    text = tool.read_text()
    if _ALIGNED in text:
        return
    if _UNALIGNED not in text:
        raise InputError(
            f"{tool}: not the tool whose alignment of native code is known; build with MicroPython 1.26"
        )
    tool.write_text(text.replace(_UNALIGNED, _ALIGNED))


def _stock_manifest(tree: Path, work_dir: Path) -> Path:
    """The port's own without the drivers of micropython-lib, which Debian does not have."""
    manifest = work_dir / "manifest.py"
    manifest.write_text(f'freeze("{tree}/ports/rp2/modules")\ninclude("{tree}/extmod/asyncio")\n')
    return manifest


def _firmware_manifest(work_dir: Path) -> Path:
    """That of the firmware, beside the files it names, which an installed package keeps in two places."""
    folder = work_dir / "firmware"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in (firmware_files() | {MANIFEST: manifest_text()}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / MANIFEST


def _build_port(tree: Path, work_dir: Path, manifest: Path, jobs: str) -> Path:
    port = tree / "ports/rp2"
    build = work_dir / "build"
    shutil.rmtree(build, ignore_errors=True)
    _run(
        [
            "cmake", "-S", str(port), "-B", str(build), "-DMICROPY_BOARD=RPI_PICO",
            f"-DMICROPY_BOARD_DIR={port}/boards/RPI_PICO", f"-DMICROPY_FROZEN_MANIFEST={manifest}",
            "-DPICO_NO_PICOTOOL=1", "-DPICO_BUILD_DOCS=0",
        ],
        work_dir,
    )  # fmt: skip
    _run(["cmake", "--build", str(build), jobs], work_dir)
    return build / "firmware.bin"


def _run(command: list[str], work_dir: Path) -> str:
    """Run one step with its output in build.log; returns stdout."""
    log = work_dir / "build.log"
    done = subprocess.run(command, cwd=work_dir, capture_output=True, text=True, check=False)
    with log.open("a") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise InputError(f"building the image: {Path(command[0]).name} failed: {reason} (log: {log})")
    return str(done.stdout)


def _own_mirror() -> str:
    """The Debian mirror in this machine's package sources. Raises InputError on a machine without one."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    mirrors = [line.rstrip("/") for line in answer.splitlines() if line.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise InputError(f"no Debian mirror in this machine's package sources; set {MIRROR_SETTING} to one")
    return mirrors[0]
