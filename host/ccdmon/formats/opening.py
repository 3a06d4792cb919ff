"""Opens what a user names, bounded: regular files only, no more bytes than fit, a bomb ends with one line.

A name may be a pipe that nobody writes to, a device without an end, or 10 MB that unpack to 10 GB. Text comes out in
blocks cut at line ends, as UTF-8 with '\\n', whatever it was written in.
"""

import gzip
import io
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ccdmon.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
HEAD_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20  # of text: some 30 000 rows, which with their columns fit a core's cache
LONGEST_LINE_BYTES = 1 << 20
WHOLE_BYTES = 1 << 29  # what is held whole (binaries, workbooks, stdin)
UNPACKED_BYTES = 1 << 36  # of one compressed table, read in blocks
LEAST_BOMB_BYTES = 1 << 26
LARGEST_RATIO = 60  # gzip of a trace packs 3 to 20 times, of one repeated line up to 1000
# Any bytes are text in a Western code page, many in the Chinese one: what only a Chinese table says, and what of the
# upper
# half of Latin-1 stands in tables.
_CHINESE = ("电压", "电流", "时间", "频率", "阻抗", "实部", "虚部", "循环", "工步", "容量", "Ω", "μ", "℃")
_WESTERN = (
    frozenset("°µ²³±·×ßº§©®«»¼½") | {chr(code) for code in range(0xC0, 0x100)} | {"\xa0", "\x80", "\x85"}
)
_WESTERN |= set("\x91\x92\x93\x94\x96\x97\x99")  # quotation marks and dashes of Windows


def checked(path: Path) -> Path:
    """The path of a regular file. Raises `InputError` for a folder, a pipe, a device, or nothing there."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}; check the path") from error
    if stat.S_ISDIR(mode):
        if (path / "frames.bin").is_file():
            raise InputError(
                f"{path}: is a run folder; 'ccdmon convert {path} NAME.bdf.parquet' makes a trace of it"
            )
        raise InputError(f"{path}: is a folder; name a file")
    if not stat.S_ISREG(mode):
        raise InputError(
            f"{path}: not a regular file (a pipe or device); save it as a file, or give it as - on stdin"
        )
    return path


def read_head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first bytes of a file, unpacked where it is gzip. Raises `InputError`."""
    try:
        with checked(path).open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error
    return gunzipped_part(head, size) if head.startswith(GZIP_MAGIC) else head


def read_whole(path: Path) -> bytes:
    """All bytes of a file that must be held at once. Raises `InputError`."""
    size = checked(path).stat().st_size
    if size > WHOLE_BYTES:
        raise InputError(
            f"{path}: {size >> 20} MB, and no more than {WHOLE_BYTES >> 20} MB of this kind are read; split it"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error


def read_stdin() -> bytes:
    """All of stdin, bounded."""
    data = sys.stdin.buffer.read(WHOLE_BYTES + 1)
    if len(data) > WHOLE_BYTES:
        raise InputError(f"-: more than {WHOLE_BYTES >> 20} MB on stdin; give it as a file")
    return data


def gunzipped_part(data: bytes, limit: int = HEAD_BYTES) -> bytes:
    """As much as can be unpacked, up to `limit` bytes."""
    unpacker, out = zlib.decompressobj(31), b""
    with suppress(zlib.error):
        out = unpacker.decompress(data, limit)
    return out


def _bomb(name: str, unpacked: int, packed: int) -> InputError:
    return InputError(
        f"{name}: unpacks to {unpacked >> 20} MB and more out of {packed >> 10} kB; unpack it yourself if that is meant"
    )


class _Counted(io.RawIOBase):
    """The bytes of a gzip file, unpacked; too many of too few raise."""

    def __init__(self, file: gzip.GzipFile, packed: int, name: str) -> None:
        self._file, self._packed, self._name, self._out = file, packed, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(min(len(into), 1 << 20))  # so that a bomb is seen before it is held
        into[: len(data)] = data
        self._out += len(data)
        if self._out > UNPACKED_BYTES or self._out > LARGEST_RATIO * self._packed + LEAST_BOMB_BYTES:
            raise _bomb(self._name, self._out, self._packed)
        return len(data)


def unpacked_size(path: Path) -> int:
    """Bytes of the file, of a gzip file those that its end tells."""
    size = checked(path).stat().st_size
    with path.open("rb") as file:
        if size < 18 or file.read(2) != GZIP_MAGIC:
            return size
        file.seek(-4, io.SEEK_END)
        return max(size, int.from_bytes(file.read(4), "little"))


def opened(source: Path | bytes, name: str) -> io.BufferedReader:
    """The file's bytes, unpacked where it is gzip."""
    if isinstance(source, bytes):
        raw: io.BufferedReader = io.BufferedReader(io.BytesIO(source))
        packed, start = len(source), source[:2]
    else:
        file = checked(source).open("rb")
        raw, packed, start = file, source.stat().st_size, file.peek(2)[:2]
    if start != GZIP_MAGIC:
        return raw
    return io.BufferedReader(_Counted(gzip.GzipFile(fileobj=raw), packed, name), 1 << 16)


def encoding_of(head: bytes, name: str) -> str:
    """How text is written, told by its first bytes. Raises `InputError` for what is no text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in head[:4096]:
        odd, even = head[1:4096:2].count(0), head[:4096:2].count(0)
        if max(odd, even) > 4 * min(odd, even) + len(head[:4096]) // 4:
            return "utf-16-le" if odd > even else "utf-16-be"
        raise InputError(f"{name}: a binary file that ccdmon does not know; export it as text")
    if not head.strip():
        raise InputError(f"{name}: the file is empty; nothing to read")
    whole = head[: head.rfind(b"\n") + 1] or head  # not cut within a letter
    try:
        whole.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "gb18030" if _is_chinese(whole) else "cp1252" if _decodes(whole, "cp1252") else "latin-1"
    return "utf-8"


def _is_chinese(head: bytes) -> bool:
    """Whether text that is not UTF-8 is GB 18030 (GBK): it says a Chinese word, or makes no sense in Latin-1."""
    if not _decodes(head, "gb18030"):
        return False
    if any(word.encode("gb18030") in head for word in _CHINESE):
        return True
    return any(letter not in _WESTERN for letter in head.decode("latin-1") if letter > "\x7f")


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def text_blocks(source: Path | bytes, name: str, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Whole lines as UTF-8 that end in '\\n', a block at a time. Raises `InputError`; damaged gzip as it comes."""
    with opened(source, name) as file:
        head = file.peek(1 << 16)[: 1 << 16] if not isinstance(source, bytes) else source[:HEAD_BYTES]
        if head.startswith(GZIP_MAGIC) or (isinstance(source, Path) and len(head) < 1 << 16):
            head = read_head(source) if isinstance(source, Path) else gunzipped_part(source)
        encoding = encoding_of(head, name)
        if encoding.startswith("utf-16"):
            yield _unwidened(file.read(WHOLE_BYTES), encoding)
            return
        old_mac = b"\n" not in head and b"\r" in head
        rest, first = b"", True
        while block := file.read(block_bytes):
            if old_mac:
                block = block.replace(b"\r", b"\n")
            if first:
                block, first = block.removeprefix(b"\xef\xbb\xbf"), False
            end = block.rfind(b"\n") + 1
            if not end and len(rest) + len(block) > LONGEST_LINE_BYTES:
                raise InputError(
                    f"{name}: a line longer than {LONGEST_LINE_BYTES >> 20} MB; this is no table"
                )
            if end:
                yield _as_utf8(rest + block[:end], encoding)
            rest = block[end:] if end else rest + block
        if rest:
            yield _as_utf8(rest + b"\n", encoding)


def _as_utf8(block: bytes, encoding: str) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return block if encoding == "utf-8" else block.decode(encoding, "replace").encode()


def _unwidened(data: bytes, encoding: str) -> bytes:
    text = data.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    return (text if text.endswith("\n") else text + "\n").encode("utf-8", "replace")
