"""Many clients at once who ask the live page for all it has: `python -m tests.host.live.flood ADDRESS SECONDS`.

Prints how much was asked. A process of its own, for an enemy's work is not the page's.
"""

import asyncio
import contextlib
import sys
import time
from collections import Counter

from tests.host.live.page_client import cookie_of, get, socket_of, token_of

CLIENTS = 12
PULLS = 20


async def loads(address: str, until_s: float, asked: Counter[str]) -> None:
    """Pages and files, one after the other."""
    while time.monotonic() < until_s:
        with contextlib.suppress(Exception):
            asked[f"page {(await get(address)).code}"] += 1
            asked[f"file {(await get(address + 'static/js/bokeh-gl.min.js')).code}"] += 1


async def pulls(address: str, until_s: float, asked: Counter[str]) -> None:
    """Sockets, whole documents, and a megabyte of nonsense."""
    cookie = token = ""
    while time.monotonic() < until_s:
        with contextlib.suppress(Exception):
            if not token:
                answer = await get(address)
                asked[f"page {answer.code}"] += 1
                cookie, token = cookie_of(answer), token_of(answer)
            socket = await socket_of(address, token, Cookie=cookie, Origin=address.rstrip("/"))
            asked["socket"] += 1
            for _ in range(PULLS):
                await socket.write_message('{"msgtype": "PULL-DOC-REQ", "msgid": "1"}')
                await socket.write_message("{}")
                await socket.write_message("{}")
                asked["document"] += 1
            await socket.write_message("x" * (1 << 20))
            socket.close()


async def flood(address: str, seconds: float) -> Counter[str]:
    """All of them."""
    asked: Counter[str] = Counter()
    until_s = time.monotonic() + seconds
    kinds = (loads, pulls)
    await asyncio.gather(*(kinds[n % 2](address, until_s, asked) for n in range(CLIENTS)))
    return asked


if __name__ == "__main__":
    counts = asyncio.run(flood(sys.argv[1], float(sys.argv[2])))
    print(sum(counts.values()), dict(counts))
