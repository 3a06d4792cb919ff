"""A board in memory: what `ccdmon_fw.board` describes, with codes and time set by the test."""

import struct

from ccdmon_fw import app, limits, wire


class FakeBoard:
    """`play` takes samples; `store` is a folder or None."""

    NAME = "fake"

    def __init__(self, store: str | None = None) -> None:
        self.STORE = store
        self.level = 0
        self.levels: list[int] = []
        self.sent = b""
        self.inbox = b""
        self.now_us = 0
        self.codes = (32768, 32768, 32768)
        self.room = 1 << 20  # bytes the host takes in one go
        self.period_us = 0

    def gate(self, level: int) -> None:
        self.level = level
        self.levels.append(level)

    def read(self, memory) -> None:
        memory[0], memory[1], memory[2] = self.codes
        memory[3] = self.now_us & 0x3FFFFFFF

    def start_timer(self, period_us: int, callback) -> None:
        self.period_us, self.tick = period_us, callback

    def sample_period_us(self) -> int:
        return self.period_us

    def lock(self) -> int:
        return 0

    def unlock(self, _held: int) -> None: ...

    def service(self) -> None: ...

    def receive(self) -> bytes:
        data, self.inbox = self.inbox, b""
        return data

    def send(self, buffer, size: int) -> int:
        taken = min(size, self.room)
        self.sent += bytes(buffer[:taken])
        return taken

    def time_us(self) -> int:
        return self.now_us & 0x3FFFFFFF

    def uptime_ms(self) -> int:
        return self.now_us // 1000

    def unique_id(self) -> str:
        return "00"


class Bench:
    """Firmware on a fake board, spoken to by frames. `ready`: with the default settings and a passed self-test."""

    def __init__(
        self, store: str | None = None, *, ready: bool = True, board: FakeBoard | None = None
    ) -> None:
        self.board = board or FakeBoard(store)
        self.app = app.App(self.board)
        self.app.start()
        self.number = 0
        self.asked: list[tuple[str, dict, bytes]] = []  # what came beside the last answer
        self._unframer = wire.Unframer()
        if ready:
            if self.app.config.generation == 0:
                assert self.put(limits.default_settings())["result"] == wire.OK
            if not self.app.gate.reason:
                assert self.test()["result"] == wire.OK
            self.board.levels.clear()

    def put(self, settings: list[int] | None = None, **edge: int) -> dict:
        """Send settings, the default ones with some changed by name; the fields of the ACK."""
        settings = list(settings or limits.default_settings())
        for name, value in edge.items():
            settings[limits.SETTINGS.index(name)] = value
        rest = struct.pack(f"<{len(settings)}i", *settings)
        return self.ask(wire.SET_CONFIG, limits.SCHEMA, 0, len(settings), rest=rest)

    def test(self, kind: int = wire.SELF_TEST, *values: int) -> dict:
        """Let the self-test run, with samples; the fields of the ACK that ends it."""
        self.number += 1
        self.board.inbox += wire.encode(kind, self.number, wire.pack(kind, *values))
        answers = []
        for _ in range(400):
            self.play(*self.board.codes)
            answers += [fields for name, fields, _ in self.messages(1, 1000) if name == "ack"]
            if answers:
                return answers[0]
        raise AssertionError("the self-test does not end")

    def play(self, *codes: int, count: int = 1) -> None:
        """Take `count` samples of these codes."""
        self.board.codes = (*codes, 32768)[:3]
        for _ in range(count):
            self.board.now_us += 250
            self.board.tick(None)

    def messages(self, rounds: int = 60, step_us: int = 10_000) -> list[tuple[str, dict, bytes]]:
        """Run the main loop; (name, fields, rest) of everything it sent."""
        for _ in range(rounds):
            self.board.now_us += step_us
            self.app.step()
        data, self.board.sent = self.board.sent, b""
        return [
            (wire.MESSAGES[kind][0], *wire.unpack(kind, body)) for kind, _, body in self._unframer.feed(data)
        ]

    def ask(self, kind: int, *values: int, rest: bytes = b"", number: int | None = None) -> dict:
        """Send one command; the fields of its ACK."""
        if number is None:
            self.number += 1
            number = self.number
        self.board.inbox += wire.encode(kind, number, wire.pack(kind, *values) + rest)
        self.asked = self.messages(40, 1000)
        acks = [fields for name, fields, _ in self.asked if name == "ack"]
        assert [ack["command_sequence"] for ack in acks] == [number]
        return acks[0]
