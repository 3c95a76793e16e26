# SPDX-License-Identifier: BSD-3-Clause
"""Where `make setup` takes PyTorch from: an index of CPU-only builds, if one answers."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / ".ci" / "torch-index"
VERSION = re.search(r'"torch==([0-9.]+)', (ROOT / "pyproject.toml").read_text())[1]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.path.exists("/dev/nvidia0"),
    reason="an index of CPU-only builds is for Linux without a GPU",
)


def wheel_of_torch(version: str) -> tuple[str, bytes]:
    """A wheel with nothing in it but its name."""
    name = f"torch-{version}-py3-none-any.whl"
    info = f"torch-{version}.dist-info"
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"{os.getpid()}-{name}"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    content = path.read_bytes()
    path.unlink()
    return name, content


@contextlib.contextmanager
def index(*versions: str, answers_after_s: float = 0.0) -> Iterator[str]:
    """A simple index (PEP 503) on this machine that has torch in these versions."""
    wheels = dict(wheel_of_torch(version) for version in versions)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(answers_after_s)
            name = self.path.strip("/").replace("%2B", "+")
            if name == "torch" and wheels:
                links = "".join(f'<a href="/{w.replace("+", "%2B")}">{w}</a>\n' for w in wheels)
                body = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
            elif name in wheels:
                body = wheels[name]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            kind = "application/zip" if name in wheels else "text/html"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def option(url: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, SCRIPT],
        env={"PATH": os.defpath, "MCUGEN_TORCH_INDEX": url, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_an_index_that_answers_is_handed_to_pip():
    with index(f"{VERSION}+cpu") as url:
        assert option(url) == f"--extra-index-url {url}"


def test_pip_args_win():
    with index(f"{VERSION}+cpu") as url:
        assert option(url, PIP_ARGS="--no-index") == ""


def test_a_machine_with_a_gpu_takes_what_it_took(tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    with index(f"{VERSION}+cpu") as url:
        assert option(url, PATH=f"{tmp_path}:{os.defpath}") == ""


def test_an_index_of_other_versions_or_of_none_is_left_alone():
    with index("1.0.0+cpu", VERSION) as url:
        assert option(url) == ""
    with index() as url:
        assert option(url) == ""
    assert option("http://127.0.0.1:1") == ""


def test_an_index_that_is_slow_is_waited_for_two_seconds():
    with index(f"{VERSION}+cpu", answers_after_s=4.0) as url:
        started = time.monotonic()

        assert option(url) == ""
        assert time.monotonic() - started < 3.5


def test_pip_prefers_the_cpu_only_build_to_pypis(tmp_path):
    """An extra index: everything else still comes from where it came."""
    with index(VERSION) as pypi, index(f"{VERSION}+cpu") as url:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--isolated"]
        command += ["--disable-pip-version-check", "--no-cache-dir", "--index-url", pypi]
        command += [*option(url).split(), "--dest", str(tmp_path), f"torch=={VERSION}"]
        plain = {"PATH": os.defpath, "HOME": str(tmp_path), "NO_PROXY": "*", "no_proxy": "*"}
        subprocess.run(command, env=plain, check=True, capture_output=True, timeout=60)

    assert [path.name for path in tmp_path.glob("*.whl")] == [
        f"torch-{VERSION}+cpu-py3-none-any.whl"
    ]


def test_make_setup_asks_for_it():
    shown = subprocess.run(
        ["make", "-n", "-W", "pyproject.toml", "setup"], cwd=ROOT, capture_output=True, text=True
    ).stdout

    assert ".ci/torch-index) --editable" in shown
