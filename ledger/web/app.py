"""Serves a ledger on this machine until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import uvicorn
from datasette.app import Datasette
from datasette.plugins import pm

from ledger.datasets.support.description import SUPPORT
from ledger.errors import StorageFailed, WrongUsage
from ledger.web import routes as pages
from ledger.web.database import LedgerFile
from ledger.web.guard import ADDRESS, guarded
from ledger.web.limits import limit_memory
from ledger.web.metadata import DATABASE, SETTINGS, metadata

_SECONDS_TO_END = 1


def make_datasette(path: Path) -> Datasette:
    """A Datasette with a ledger in it and nothing else. It makes no file."""
    if not pm.is_registered(pages):
        pm.register(pages)
    folder = files("ledger.web")
    datasette = Datasette(
        metadata=metadata(SUPPORT),
        settings=SETTINGS,
        template_dir=str(folder / "templates"),
        static_mounts=[("ledger-static", str(folder / "static"))],
    )
    # Datasette adds it where it is given no file by name.
    datasette.remove_database("_memory")
    datasette.add_database(LedgerFile(datasette, path), name=DATABASE)
    return datasette


def serve(path: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve a ledger until the process is interrupted.

    A query that runs then goes on, in a thread: the caller must end the process without waiting
    for its threads.

    Args:
        path: of its file.
        port: at which to listen; 0 for any that is free.
        ready: is given the address from when it answers.

    Raises:
        WrongUsage: the port is in use.
        StorageFailed: the system does not let this user listen there.
        KeyboardInterrupt: it was interrupted.
    """
    limit_memory()
    with _listening(port) as listening:
        taken = listening.getsockname()[1]
        app = guarded(make_datasette(path).app(), taken)
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        ready(f"http://{ADDRESS}:{taken}/")
        uvicorn.Server(config).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((ADDRESS, port))
    except PermissionError:
        raise StorageFailed(f"port {port} is not for this user; choose another") from None
    except OSError:
        raise WrongUsage(
            f"port {port} is in use; choose another with --port, or 0 for any that is free"
        ) from None
