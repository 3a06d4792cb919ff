"""A browser's part of the live page, without one: loads the page, opens its socket, sees its document, clicks."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlparse

from bokeh.protocol import Protocol
from bokeh.protocol.receiver import Receiver
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

AsyncHTTPClient.configure(None, max_clients=200)


async def get(address: str, cookie: str = "", **headers: str) -> HTTPResponse:
    """A page as a browser asks for it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        named["Cookie"] = cookie
    return await AsyncHTTPClient().fetch(
        HTTPRequest(address, headers=named, follow_redirects=False, request_timeout=120), raise_error=False
    )


def cookie_of(answer: HTTPResponse) -> str:
    """What the browser keeps."""
    return answer.headers["Set-Cookie"].split(";")[0]


def token_of(answer: HTTPResponse) -> str:
    """The session's token, as it stands in the page."""
    found = re.search(rb'"token":"([^"]+)"', answer.body)
    assert found is not None, answer.body[:500]
    return found[1].decode()


async def socket_of(address: str, token: str, **headers: str) -> WebSocketClientConnection:
    """The page's socket; raises `HTTPClientError` where it is refused."""
    url = address.replace("http", "ws", 1) + "ws"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await websocket_connect(
        HTTPRequest(url, headers=named, request_timeout=120), subprotocols=["bokeh", token],
        max_message_size=1 << 28,
    )  # fmt: skip


class Page:
    """An open page; `models` by name as the document had them, attributes patched as messages come."""

    def __init__(self, address: str, cookie: str, token: str, socket: WebSocketClientConnection) -> None:
        self.address, self.cookie, self.token, self.socket = address, cookie, token, socket
        self._protocol = Protocol()
        self._receiver = Receiver(self._protocol)
        self.models: dict[str, dict[str, Any]] = {}  # by id
        self.document = ""

    async def message(self) -> Any:
        """The next whole message."""
        while True:
            fragment = await self.socket.read_message()
            assert fragment is not None, "the server closed the socket"
            whole = await self._receiver.consume(fragment)
            if whole is not None:
                if whole.msgtype == "PATCH-DOC":
                    self._patch(whole.content["events"])
                return whole

    async def changed(self) -> str:
        """Id of the model that the next message changes; empty for other messages."""
        message = await self.message()
        events = message.content.get("events", []) if message.msgtype == "PATCH-DOC" else []
        return next((str(e["model"]["id"]) for e in events if "model" in e), "")

    async def send(self, message: Any) -> None:
        """A message of Bokeh's protocol."""
        for part in (message.header_json, message.metadata_json, message.content_json):
            await self.socket.write_message(part)

    async def pull(self) -> None:
        """Fetch the document as it is."""
        await self.send(self._protocol.create("PULL-DOC-REQ"))
        while (answer := await self.message()).msgtype != "PULL-DOC-REPLY":
            pass
        self.document = json.dumps(answer.content, default=str)
        self._walk(answer.content)

    def _walk(self, value: Any) -> None:
        if isinstance(value, dict):
            if value.get("type") == "object" and "id" in value:
                self.models[value["id"]] = {"id": value["id"], **value.get("attributes", {})}
            for inner in value.values():
                self._walk(inner)
        elif isinstance(value, list):
            for inner in value:
                self._walk(inner)

    def _patch(self, events: list[Any]) -> None:
        for event in events:
            self._walk(event)
            model = self.models.get(event.get("model", {}).get("id", "")) if "model" in event else None
            if model is not None and event["kind"] == "ModelChanged":
                model[event["attr"]] = event["new"]

    def named(self, name: str) -> dict[str, Any]:
        """A model of the page; empty where there is none."""
        return next((model for model in self.models.values() if model.get("name") == name), {})

    async def click(self, name: str) -> None:
        """Press a button, as the page's code would."""
        event = {"type": "event", "name": "button_click",
                 "values": {"type": "map", "entries": [["model", {"id": self.named(name)["id"]}]]}}  # fmt: skip
        content = {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]}
        header = {"msgid": "1", "msgtype": "PATCH-DOC"}
        for part in (header, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def unlock(self, token: str, cookie: str | None = None) -> tuple[int, str]:
        """Type the control token; the answer's code and words."""
        found = re.search(r'\["key", ?"([^"]+)"\]', self.document)
        assert found is not None, "no page key in the document"
        host = urlparse(self.address).netloc
        request = HTTPRequest(
            self.address + "unlock", method="POST", body=json.dumps({"page": found[1], "token": token}),
            headers={"Cookie": self.cookie if cookie is None else cookie, "Origin": f"http://{host}"},
            request_timeout=120,
        )  # fmt: skip
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        said = json.loads(answer.body)["said"] if answer.code == 200 else ""
        return answer.code, said

    async def until(self, done: Any, limit: int = 400) -> None:
        """Take messages until `done()`."""
        for _ in range(limit):
            if done():
                return
            await self.message()
        raise AssertionError("it never came")


@asynccontextmanager
async def opened_page(address: str, cookie: str = "") -> AsyncIterator[Page]:
    """The page with its document."""
    while (answer := await get(address, cookie)).code == 429:  # whatever the tests before have asked for
        await asyncio.sleep(0.5)
    assert answer.code == 200, answer.reason
    cookie = cookie or cookie_of(answer)
    token = token_of(answer)
    socket = await socket_of(address, token, Cookie=cookie, Origin=address.rstrip("/"))
    page = Page(address, cookie, token, socket)
    try:
        assert (await page.message()).msgtype == "ACK"
        await page.pull()
        yield page
    finally:
        socket.close()
