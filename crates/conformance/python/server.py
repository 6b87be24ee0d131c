"""Starts the program that PATH calls `nats-server`, and waits until it serves."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

READY_SECONDS_MAX = 20
# What the log says once a configuration was taken over.
RELOADED = "Reloaded server configuration"


class Server:
    """A running server; leaving the `with` block kills it."""

    def __init__(self, config="", streams=False, greets_over_tls=False):
        self._dir = tempfile.TemporaryDirectory(prefix="recado-e2e-")
        self._flags = ["-a", "127.0.0.1", "--ports_file_dir", self._dir.name]
        self._config_path = os.path.join(self._dir.name, "server.conf")
        if config:
            self._write(config)
            self._flags += ["-c", self._config_path]
        if streams:
            self._flags += ["-js", "-sd", os.path.join(self._dir.name, "store")]
        self.log_path = os.path.join(self._dir.name, "log")
        self.port = None
        self.monitoring_url = None
        self.websocket_url = None
        self._greets_over_tls = greets_over_tls
        self._start("-1")

    def _start(self, port):
        command = ["nats-server", *self._flags, "-l", self.log_path, "-p", port]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        ports = os.path.join(self._dir.name, f"nats-server_{self._process.pid}.ports")
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._serves(ports):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not come up:\n{self.log()}")
            time.sleep(0.005)

    def _serves(self, ports):
        try:
            with open(ports, encoding="utf-8") as file:
                urls = json.load(file)
                url = urls["nats"][0]
            port = int(url.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), 2) as connection:
                if not self._greets_over_tls and connection.recv(5) != b"INFO ":
                    return False
        except (OSError, ValueError):
            return False
        self.port = port
        self.monitoring_url = next(iter(urls.get("monitoring", [])), None)
        self.websocket_url = next(iter(urls.get("websocket", [])), None)
        return True

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8") as file:
                return file.read()
        except OSError:
            return ""

    def wait_for_log(self, words, count=1):
        """Waits until the log has these words so many times."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while self.log().count(words) < count:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"not {count} times {words!r} in the log:\n{self.log()}")
            time.sleep(0.005)

    def kill(self):
        """Ends it without giving it a chance to say anything."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Ends it as a service manager does."""
        self._process.terminate()
        self._process.wait(READY_SECONDS_MAX)

    @contextlib.contextmanager
    def stopped_for(self, seconds):
        """Runs the block while it does not run, and lets it go on when so much time of its own is over."""
        over = time.monotonic() + seconds
        self._process.send_signal(signal.SIGSTOP)
        yield
        time.sleep(max(0, over - time.monotonic()))
        self._process.send_signal(signal.SIGCONT)

    def start_again(self):
        """Starts it on the port that it had."""
        self._start(str(self.port))

    def reload(self, config, says=RELOADED):
        """Has it read another configuration, and waits until it says that it did, or something else."""
        done = self.log().count(says)
        self._write(config)
        self._process.send_signal(signal.SIGHUP)
        self.wait_for_log(says, done + 1)

    def _write(self, config):
        with open(self._config_path, "w", encoding="utf-8") as file:
            file.write(config)

    def lame_duck(self):
        self._process.send_signal(signal.SIGUSR2)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            state = "runs" if self._process.poll() is None else f"exit {self._process.returncode}"
            print(f"the server ({state}) says:\n{self.log()}", file=sys.stderr)
        self.kill()
        self._dir.cleanup()
