# SPDX-License-Identifier: BSD-3-Clause
"""A builder of a user's own: prepared, broken off, and downloaded in two goes from a server."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading

import numpy as np
import pytest

from mcugen.base.errors import ConfigError
from mcugen.model.data import load_source, source_fingerprint

BUILDER = '''
import os
import numpy as np
import tensorflow_datasets as tfds

class Builder(tfds.core.GeneratorBasedBuilder):
    """Made up; for tests."""
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "first"}

    def _info(self):
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict({
            "x": tfds.features.Tensor(shape=(2,), dtype=np.float32),
            "label": tfds.features.ClassLabel(names=["no", "yes"]),
        }), supervised_keys=("x", "label"))

    def _split_generators(self, dl_manager):
        base = os.environ.get("TEST_BASE_URL")
        for name in ("a", "b") if base else ():
            dl_manager.download(f"{base}/{name}.bin")
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(40):
            if number == 30 and os.environ.get("TEST_STOP") == "error":
                raise RuntimeError("the disk is full")
            if number == 30 and os.environ.get("TEST_STOP") == "kill":
                os._exit(9)
            yield number, {"x": np.full(2, number, np.float32), "label": number // 20}
'''


@pytest.fixture
def builder(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "things_dataset_builder.py"
    path.write_text(BUILDER)
    return f"tfds:{path}"


def test_a_builder_of_a_file_gives_labels_and_their_names(builder):
    steps = []

    samples = load_source(builder, 10, progress=lambda *step: steps.append(step))

    assert set(samples.labels.tolist()) == {0, 1} and samples.class_names == ("no", "yes")
    assert (samples.inputs[:, 0] // 20).tolist() == samples.labels.tolist()
    assert steps[0][0].startswith("preparing tfds:") and steps[-1][1:] == (10, 10)
    assert samples.provenance == "tfds:things_dataset_builder.py/train"


@pytest.mark.parametrize("how", ["error", "kill"])
def test_a_preparation_that_broke_off_is_no_dataset(builder, monkeypatch, how, tmp_path):
    monkeypatch.setenv("TEST_STOP", how)
    if how == "kill":  # nothing is tidied up
        code = f"from mcugen.model.data import load_source; load_source({builder!r})"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 9
    else:
        with pytest.raises(ConfigError, match="the disk is full"):
            load_source(builder)
    monkeypatch.delenv("TEST_STOP")

    assert len(load_source(builder)) == 40
    assert not list((tmp_path / "cache").rglob("incomplete.*"))


def test_what_was_downloaded_before_a_break_is_not_downloaded_again(builder, monkeypatch):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404 if self.path == "/b.bin" and broken else 200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"data")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TEST_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    try:
        broken = True
        with pytest.raises(ConfigError, match="404"):
            load_source(builder)
        broken = False
        samples = load_source(builder)
    finally:
        server.shutdown()
        server.server_close()

    assert len(samples) == 40
    assert asked.count("/a.bin") == 1 and asked[-1] == "/b.bin"


def test_an_edited_builder_is_prepared_anew(builder):
    before = load_source(builder).inputs, source_fingerprint(builder)
    path = builder.removeprefix("tfds:")
    with open(path, "w") as file:
        file.write(BUILDER.replace("np.full(2, number", "np.full(2, -number"))

    assert (load_source(builder, seed=None).inputs == -np.abs(before[0])).all()
    assert source_fingerprint(builder) != before[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [("x = 1", "no dataset builders"), ("import nowhere", "cannot be imported: No module")],
)
def test_a_file_without_a_builder_is_named(builder, text, words):
    with open(builder.removeprefix("tfds:"), "w") as file:
        file.write(text)

    with pytest.raises(ConfigError, match=words):
        load_source(builder)


def test_a_builder_that_is_not_there():
    with pytest.raises(ConfigError, match="no such file: nowhere"):
        load_source("tfds:nowhere_dataset_builder.py/train")
