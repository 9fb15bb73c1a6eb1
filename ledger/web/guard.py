"""Lets through what a browser on this machine asks of the ledger, and nothing else.

A page from elsewhere may have a name of its own resolve to 127.0.0.1, and then reads what is served
there as its own. So the address by which the server is called must be one of this machine. A page
from elsewhere cannot read an answer to its own request, but it can measure how long the answer
took, and so find out what is recorded. So no request of such a page is answered, a link that the
user follows included. What comes out must neither load from elsewhere nor be shown within a page
from elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ADDRESS = "127.0.0.1"
HTTP_PORT = 80

# Datasette's pages have scripts and styles within; nothing of them comes from elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'{eval}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Vega makes functions of the expressions of a chart.
_DRAWING = "/-/dashboards"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


_OUR_SITES = {"same-origin", "none"}
"""What a browser says of requests of these pages, and of an address that the user entered."""


def guarded(app: App, port: int) -> App:
    """Wrap an application that is served on a port of this machine.

    Refuses, before the application sees it, a request by another name than `127.0.0.1` or
    `localhost` (421), one that comes from a page of another origin (403), and one that is not for
    reading (405). What is answered bears the headers that keep it on this machine.
    """
    hosts = set(_hosts(port))

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = dict(_headers(scope["path"]))
                others = [
                    pair for pair in message.get("headers", ()) if pair[0].lower() not in ours
                ]
                message["headers"] = [*others, *ours.items()]
            await send(message)

        named = _values(scope, b"host")
        if len(named) != 1 or named[0] not in hosts:
            await _refuse(with_headers, 421, f"This is a ledger on {ADDRESS}:{port} alone.\n")
        elif _is_foreign(scope, f"http://{named[0]}"):
            text = f"Another site asked for this. Enter the address: http://{named[0]}/\n"
            await _refuse(with_headers, 403, text)
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(with_headers, 405, "This ledger is only read here.\n")
        else:
            await app(scope, receive, with_headers)

    return guard


def _hosts(port: int) -> Iterator[str]:
    for name in (ADDRESS, "localhost"):
        yield f"{name}:{port}"
        if port == HTTP_PORT:
            yield name


def _is_foreign(scope: Scope, origin: str) -> bool:
    """Whether a page of another origin made a request: another port is another origin."""
    sites, origins = _values(scope, b"sec-fetch-site"), _values(scope, b"origin")
    return bool({*sites} - _OUR_SITES or {*origins} - {origin})


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]


def _headers(path: str) -> Iterator[tuple[bytes, bytes]]:
    policy = _POLICY.format(eval=" 'unsafe-eval'" if path.startswith(_DRAWING) else "")
    for name, value in {"content-security-policy": policy, **_HEADERS}.items():
        yield name.encode(), value.encode()


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
