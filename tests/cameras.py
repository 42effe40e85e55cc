"""A real camera in another process: 16-bit gray over TCP, which drops whole frames when nobody takes them.

It speaks YUV4MPEG2 "Cmono16", which FFmpeg opens as ``tcp://127.0.0.1:port``. Each frame carries its count in
the first four pixels, one byte each, highest first, and has pixels that follow from the count, so a test can
tell exactly which frames came through and whether they came through unharmed::

    with Y4mCamera(width=64, height=48, rate=50) as camera:
        source = open_source(camera.url, settings)
        ...
        print(camera.report().dropped)

It is told what to do (``stall``, ``unplug``) while it runs, or by ``stall_at``/``unplug_at`` in advance. It
counts from the moment somebody connects for the first time.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUEUE = 4
"""Whole frames that wait for the network before the camera drops."""


def picture(count: int, width: int, height: int) -> NDArray[np.uint16]:
    """Return the (H, W) picture that carries a count."""
    y, x = np.ogrid[:height, :width]
    image = (7 * x + 131 * y + 257 * (count % 65536)).astype(np.uint16)
    image[0, :4] = [count >> shift & 0xFF for shift in (24, 16, 8, 0)]
    return image


@dataclass
class Report:
    """What the camera did: frames made, handed whole to the network, and the counts of the others."""

    made: int = 0
    sent: int = 0
    connections: int = 0
    dropped: list[int] = field(default_factory=list)


class Y4mCamera:
    """Runs the camera as a child process while the ``with`` block lasts."""

    def __init__(self, width: int = 64, height: int = 48, rate: float = 50.0, **options: float) -> None:
        words = {"width": width, "height": height, "rate": rate, **options}
        self._command = [sys.executable, "-m", "tests.cameras"]
        for name, value in words.items():
            self._command += [f"--{name.replace('_', '-')}", str(value)]
        self._report: Report | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=Path(__file__).parent.parent, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.port = int(self._read()["port"])
        self.url = f"tcp://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.report()
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def stall(self, seconds: float) -> None:
        """Make no frames for a while, but stay connected."""
        self._say(f"stall {seconds}")

    def unplug(self, seconds: float) -> None:
        """Hang up and refuse connections for a while."""
        self._say(f"unplug {seconds}")

    def report(self) -> Report:
        """Switch the camera off and return what it did."""
        if self._report is None:
            self._say("stop")
            self._report = Report(**self._read())
        return self._report

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Server:
    """The child's side: one thread makes frames and feeds one client; another listens for orders."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.report = Report()
        self.count = options.first
        self.orders: deque[list[str]] = deque()
        self.queue: deque[tuple[int, bytes]] = deque()
        self.rest = memoryview(b"")
        self.sending: int | None = None
        self.client: socket.socket | None = None
        self.selector = selectors.DefaultSelector()
        self.listener: socket.socket | None = None
        self.replug_at = 0.0
        self.port = options.port
        self.listen()

    def listen(self) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Small buffers, or megabytes of old frames would wait in the kernel before the first drop.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(1)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector.register(self.listener, selectors.EVENT_READ)

    def run(self) -> Report:
        print(json.dumps({"port": self.port}), flush=True)
        due = 0.0
        while self.obey():
            now = time.perf_counter()
            if self.listener is None and now >= self.replug_at:
                self.listen()
                if self.options.restart:
                    self.count = self.options.first
            due = due or now
            if not self.report.connections:
                self.serve(0.05)
                due = 0.0
                continue
            if now >= due:
                due = self.plan(due) + 1 / self.options.rate
                self.make()
            self.serve(max(0.0, min(due - time.perf_counter(), 0.05)))
        return self.report

    def plan(self, due: float) -> float:
        """Follow what was asked in advance; return when the next frame counts as made."""
        if self.report.made == self.options.stall_at:
            due += self.options.stall_for
            while time.perf_counter() < due and not self.orders:
                self.serve(0.02)
        if self.report.made == self.options.unplug_at:
            self.unplug(self.options.unplug_for)
        return due

    def obey(self) -> bool:
        while self.orders:
            word, *rest = self.orders.popleft()
            if word == "stop":
                return False
            if word == "unplug":
                self.unplug(float(rest[0]))
            if word == "stall":
                end = time.perf_counter() + float(rest[0])
                while time.perf_counter() < end and not self.orders:
                    self.serve(0.02)
        return True

    def unplug(self, seconds: float) -> None:
        self.hang_up()
        if self.listener is not None:
            self.selector.unregister(self.listener)
            self.listener.close()
            self.listener = None
        self.replug_at = time.perf_counter() + seconds

    def make(self) -> None:
        count, self.count = self.count, (self.count + 1) % 2**32
        self.report.made += 1
        if self.client is None or len(self.queue) >= QUEUE:
            self.report.dropped.append(count)
            return
        image = picture(count, self.options.width, self.options.height)
        self.queue.append((count, b"FRAME\n" + image.astype("<u2").tobytes()))

    def serve(self, seconds: float) -> None:
        if self.client is not None:
            busy = bool(self.rest or self.queue)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if busy else 0)
            self.selector.modify(self.client, events)
        for key, events in self.selector.select(seconds):
            if key.fileobj is self.listener:
                self.accept()
            elif events & selectors.EVENT_READ and self.gone():
                self.hang_up()
            elif events & selectors.EVENT_WRITE:
                self.send()

    def accept(self) -> None:
        assert self.listener is not None
        client, _ = self.listener.accept()
        self.hang_up()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = client
        self.selector.register(client, selectors.EVENT_READ)
        self.report.connections += 1
        rate = round(self.options.said_rate or self.options.rate)
        size = f"W{self.options.width} H{self.options.height}"
        self.rest = memoryview(f"YUV4MPEG2 {size} F{rate}:1 Ip A1:1 Cmono16\n".encode())

    def gone(self) -> bool:
        assert self.client is not None
        try:
            return self.client.recv(1024) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send(self) -> None:
        assert self.client is not None
        try:
            while self.rest or self.queue:
                if not self.rest:
                    self.sending, frame = self.queue.popleft()
                    self.rest = memoryview(frame)
                self.rest = self.rest[self.client.send(self.rest) :]
                if not self.rest and self.sending is not None:
                    self.report.sent += 1
                    self.sending = None
        except BlockingIOError:
            return
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        if self.client is None:
            return
        self.selector.unregister(self.client)
        self.client.close()
        self.client = None
        if self.sending is not None:
            self.report.dropped.append(self.sending)
        self.report.dropped += [count for count, _ in self.queue]
        self.queue.clear()
        self.rest, self.sending = memoryview(b""), None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("width", "height", "port", "first", "restart"):
        parser.add_argument(f"--{name}", type=int, default={"width": 64, "height": 48}.get(name, 0))
    for name in ("rate", "said-rate", "stall-for", "unplug-for"):
        parser.add_argument(f"--{name}", type=float, default=50.0 if name == "rate" else 0.0)
    for name in ("stall-at", "unplug-at"):
        parser.add_argument(f"--{name}", type=int, default=-1)
    server = Server(parser.parse_args())

    def listen() -> None:
        for line in sys.stdin:
            server.orders.append(line.split())
        server.orders.append(["stop"])

    threading.Thread(target=listen, daemon=True).start()
    report = server.run()
    report.dropped.sort()
    print(json.dumps(asdict(report)), flush=True)


if __name__ == "__main__":
    main()
