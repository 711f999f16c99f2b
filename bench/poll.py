"""What a poll with nothing new costs: requests and bytes to the lab's RT, and bytes to the terminal.

`python -m bench.poll [SECONDS]`: the console polls through a counting relay; needs the lab's RT.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
import threading
from pathlib import Path

from bench.measure import leave, open_app
from bench.wire import idle

_LAB = Path(os.environ.get("MSPLAB", "/tmp/msplab")) / "run" / "rt"
_POLL_S = 5
_REQUEST = re.compile(rb"^[A-Z]+ \S+ HTTP/1\.1\r\n", re.MULTILINE)


class Relay:
    """A TCP relay on loopback that counts HTTP requests and bytes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.requests = self.sent = self.received = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._server.accept()
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, asking: bool) -> None:
        while data := source.recv(65536):
            if asking:
                self.requests += len(_REQUEST.findall(data))
                self.sent += len(data)
            else:
                self.received += len(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    if not (_LAB / "port").exists():
        print("poll with nothing new: not measured, the lab's RT is not here")
        return
    relay = Relay(int((_LAB / "port").read_text()))
    token = json.loads((_LAB / "keys.json").read_text())["ines"]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        url = f"http://127.0.0.1:{relay.port}"
        config.write_text(f'[connections.rt]\nkind = "rt"\nurl = "{url}"\npoll_s = {_POLL_S}\n')
        env = {
            "MSPTERM_CONFIG": str(config),
            "MSPTERM_STATE_DIR": folder,
            "MSPTERM_SECRET_RT_TOKEN": token,
        }
        with open_app("mspterm", env=env) as terminal:
            terminal.wait_for(lambda: relay.requests > 0)
            idle(terminal, 15.0)
            before = (relay.requests, relay.sent, relay.received)
            drawn = idle(terminal, seconds)
            asked, sent, received = (
                now - then
                for now, then in zip((relay.requests, relay.sent, relay.received), before, strict=True)
            )
            leave(terminal)
    polls = seconds / _POLL_S
    print(
        f"poll with nothing new: {asked / polls:.2f} requests, {sent / polls:.0f} bytes out, "
        f"{received / polls:.0f} bytes in, {drawn / polls:.0f} bytes to the terminal (budget 1 request)"
    )


if __name__ == "__main__":
    main()
