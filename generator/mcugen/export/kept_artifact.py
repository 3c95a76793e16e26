# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte` and the report of its lowering, kept between runs. No torch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from mcugen.base import cache
from mcugen.base.errors import PteError
from mcugen.export.fidelity import Fidelity
from mcugen.export.layer_report import QuantizationReport
from mcugen.export.lowering_report import LoweringReport
from mcugen.program.artifact import PteArtifact


def load_kept(key: str) -> tuple[PteArtifact, LoweringReport] | None:
    """Return an earlier result, unless a file that it was made of is another one now."""
    files = cache.load("artifacts", key)
    if files is None:
        return None
    try:
        document = json.loads(files["artifact.json"])
        for path, digest in document["dependencies"].items():
            if not Path(path).is_file() or cache.file_sha256(Path(path)) != digest:
                return None
        report = LoweringReport.from_json(document["report"])
        return (
            PteArtifact.from_json(document["artifact"], files["model.pte"]),
            replace(
                report,
                fidelity=Fidelity.from_json(document["fidelity"]),
                dependencies=document["dependencies"],
                quantization=QuantizationReport.from_json(document["quantization"]),
            ),
        )
    except (KeyError, TypeError, ValueError, OSError, PteError):
        return None


def keep(key: str, artifact: PteArtifact, report: LoweringReport) -> None:
    """Keep a result, with the hashes of the files that it was made of."""
    document = {
        "artifact": artifact.to_json(),
        "report": report.to_json(),
        "fidelity": report.fidelity.to_json(),
        "quantization": report.quantization.to_json(),
        "dependencies": report.dependencies,
    }
    text = json.dumps(document, sort_keys=True, indent=1)
    cache.store("artifacts", key, {"model.pte": artifact.pte, "artifact.json": text.encode()})
