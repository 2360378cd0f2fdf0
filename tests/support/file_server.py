"""A server of files on this machine, for tests of downloads: with ranges or without, that may break off or answer oddly."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Site:
    """What a server sends by path, and how; `asked` are the paths and ranges that were asked for.

    `breaks` are the numbers of bytes after which the next answers break off; `status` and `kind` are of every answer.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked = files, []  # type: tuple[dict[str, bytes], list[tuple[str, str]]]
        self.ranges, self.breaks, self.status, self.kind, self.tag = True, [], 200, "application/zip", '"1"'  # type: tuple[bool, list[int], int, str, str]
        self.address = ""
        self.kinds: dict[str, str] = {}  # of single files, where it is another

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Site]:
    """A server of the files, by name."""
    site = Site(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    asked = request.headers.get("Range", "")
    site.asked.append((request.path.strip("/"), asked))
    data = site.files.get(request.path.strip("/"))
    if data is None or site.status != 200:
        request.send_response(404 if data is None else site.status)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    start, status = 0, 200
    match = re.fullmatch(r"bytes=(\d+)-", asked)
    if match and site.ranges and request.headers.get("If-Range", site.tag) == site.tag:
        start, status = int(match[1]), 206
    if start >= len(data) and status == 206:
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(data)}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    request.send_response(status)
    request.send_header("Content-Type", site.kinds.get(request.path.strip("/"), site.kind))
    request.send_header("Content-Length", str(len(data) - start))
    if site.tag:
        request.send_header("ETag", site.tag)
    if status == 206:
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    request.end_headers()
    stop = len(data)
    if site.breaks:
        stop = min(stop, start + site.breaks.pop(0))
    request.wfile.write(data[start:stop])
    if stop < len(data):
        request.wfile.flush()
        request.close_connection = True
