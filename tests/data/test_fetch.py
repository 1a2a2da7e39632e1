"""Fetching, against a server on this machine: right, wrong, cut off, stalled, 404, nobody there, killed."""

import gzip
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from bitwright.data import fetch as fetch_module
from bitwright.data.fetch import FetchError, RemoteFile, fetch
from bitwright.data.idx import IdxDataset, IdxFile

BODY = np.random.default_rng(0).bytes(1_000_000)
RIGHT = "sha256:" + hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour, _, path = self.path[1:].partition("/")
        body = self.server.files.get(path, BODY)
        if behaviour == "garbled":
            self.wfile.write(b"\x1b[2Jno HTTP\r\n\r\n")
            return
        if behaviour == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        if behaviour == "endless":
            self.end_headers()
            while not self.server.released.is_set() and self.server.sent < 200_000_000:
                self.server.sent += self.wfile.write(BODY)
            return
        if behaviour != "unmeasured":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour == "wrong":
            body = body[:-1] + bytes([body[-1] ^ 1])
        elif behaviour in ("cut", "unmeasured", "stall"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if behaviour == "stall":
            self.server.released.wait(20)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files, server.released, server.sent = {}, threading.Event(), 0
    server.handle_error = lambda *args: None  # a client that hangs up is part of the tests
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("BITWRIGHT_MIRROR", raising=False)


def remote(*urls, checksum=RIGHT, n_bytes=1_000_000):
    return RemoteFile("made/file.gz", urls, n_bytes, checksum)


@pytest.mark.parametrize("checksum", [RIGHT, "md5:" + hashlib.md5(BODY).hexdigest()])
def test_a_right_file_arrives_whole_under_its_name(server, tmp_path, checksum):
    root = tmp_path / "not" / "there" / "yet"
    path = fetch(remote(f"{server.url}/right/file.gz", checksum=checksum), root)
    assert path == root / "made" / "file.gz" and path.read_bytes() == BODY
    assert os.listdir(path.parent) == ["file.gz"] and path.stat().st_mode & 0o777 == 0o644


FAILURES = {
    "garbled": r"was cut off after 0 bytes \(BadStatusLine\('\\x1b\[2Jno HTTP",
    "wrong": r"delivered a file with checksum [0-9a-f]{64}: damaged, or another file",
    "cut": r"was cut off after 500,000 bytes",
    "unmeasured": r"was cut off after 500,000 bytes",
    "absent": r"answers 404 Not Found",
}


@pytest.mark.parametrize("behaviour", FAILURES)
def test_a_failure_names_file_rule_and_way_out_and_leaves_nothing(server, tmp_path, behaviour):
    with pytest.raises(FetchError, match=FAILURES[behaviour]) as error:
        fetch(remote(f"{server.url}/{behaviour}/file.gz"), tmp_path)
    said = str(error.value)
    assert "no file.gz" in said and f"Expected 1,000,000 bytes with {RIGHT}" in said
    assert str(tmp_path / "made" / "file.gz") in said and "BITWRIGHT_DATA" in said
    assert os.listdir(tmp_path / "made") == []


def test_a_file_that_never_ends_is_not_read_to_its_end(server, tmp_path):
    with pytest.raises(FetchError, match="delivers more than the expected bytes"):
        fetch(remote(f"{server.url}/endless/file.gz", n_bytes=1000), tmp_path)
    assert os.listdir(tmp_path / "made") == [] and server.sent < 50_000_000


def test_a_server_that_falls_silent_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "TIMEOUT", 0.3)
    with pytest.raises(FetchError, match=r"was cut off after [\d,]+ bytes \(.*timed out"):
        fetch(remote(f"{server.url}/stall/file.gz"), tmp_path)
    assert os.listdir(tmp_path / "made") == []


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_offline_is_said(tmp_path):
    with pytest.raises(FetchError, match=r"cannot be reached \(.*refused.*\); is this machine offline\?"):
        fetch(remote(f"http://127.0.0.1:{closed_port()}/file.gz"), tmp_path)


def test_a_mirror_that_is_no_url_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("BITWRIGHT_MIRROR", "somewhere")
    with pytest.raises(FetchError, match="'somewhere/made/file.gz' is not a URL"):
        fetch(remote("http://127.0.0.1/unused"), tmp_path)


def test_a_failed_fetch_keeps_the_file_that_was_there(server, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "file.gz").write_bytes(b"old")
    with pytest.raises(FetchError):
        fetch(remote(f"{server.url}/wrong/file.gz"), tmp_path)
    assert (tmp_path / "made" / "file.gz").read_bytes() == b"old"


def test_the_next_url_is_tried_and_the_mirror_replaces_them(server, tmp_path, monkeypatch):
    assert fetch(remote(f"{server.url}/absent/x", f"{server.url}/right/x"), tmp_path).read_bytes() == BODY
    monkeypatch.setenv("BITWRIGHT_MIRROR", f"{server.url}/absent/")
    with pytest.raises(FetchError, match=r"/absent/made/file.gz answers 404"):
        fetch(remote(f"{server.url}/right/x"), tmp_path)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "made").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=r"made cannot be written"):
        fetch(remote(f"{server.url}/right/x"), tmp_path)


def test_a_full_disk_is_named_and_leaves_nothing(server, tmp_path):
    """A limit on the size of files stands for the disk: the write fails in the same way."""
    file = remote(f"{server.url}/right/x")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    code = f"from pathlib import Path; from bitwright.data.fetch import *; fetch({file!r}, Path({str(tmp_path)!r}))"
    code = f"{limit}; {code}"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert re.search(r"FetchError: fetch: no file.gz: .*file.gz cannot be written \(File too large\)", child.stderr)
    assert os.listdir(tmp_path / "made") == []


def test_a_killed_download_leaves_no_file_behind_the_name(server, tmp_path):
    file = remote(f"{server.url}/stall/x")
    code = f"from pathlib import Path; from bitwright.data.fetch import *; fetch({file!r}, Path({str(tmp_path)!r}))"
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 20
    while not any(part.stat().st_size for part in tmp_path.glob("made/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert [part.name[:9] for part in (tmp_path / "made").iterdir()] == [".file.gz."]
    assert fetch(remote(f"{server.url}/right/x"), tmp_path).read_bytes() == BODY


def test_a_data_set_fetches_what_is_missing_and_then_needs_no_network(server, tmp_path, monkeypatch):
    files = []
    for k, shape in enumerate([(20, 4, 4), (20,), (10, 4, 4), (10,)]):
        content = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
        content += bytes(i * (k + 1) % 2 for i in range(int(np.prod(shape))))
        packed, name = gzip.compress(content), f"part{k}.gz"
        server.files[name] = packed
        checksum = "sha256:" + hashlib.sha256(packed).hexdigest()
        files.append(IdxFile(name, len(packed), checksum, hashlib.sha256(content).hexdigest()))
    made = IdxDataset("made", ("made",), f"{server.url}/right/", tuple(files), ("a", "b"), "a test", "none")
    monkeypatch.delenv("BITWRIGHT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched = made.load()
    assert sorted(path.name for path in (tmp_path / "bitwright" / "made").iterdir()) == [
        f"part{k}.gz" for k in range(4)
    ]
    monkeypatch.setenv("BITWRIGHT_MIRROR", f"http://127.0.0.1:{closed_port()}")
    assert (made.load().x_train == fetched.x_train).all()
    (tmp_path / "bitwright" / "made" / "part3.gz").unlink()
    with pytest.raises(FetchError, match=r"no part3.gz: .*/made/part3.gz cannot be reached"):
        made.load()
