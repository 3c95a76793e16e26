# SPDX-License-Identifier: BSD-3-Clause
"""What was built last in a folder: `mcugen_out/last.json` and `last.pte`.

`flash`, `verify` and `bench` without a model act on it, with no torch, no compiler and no question
whether a source has changed since.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.cache import file_sha256
from mcugen.base.errors import ConfigError, PteError
from mcugen.base.files import write_atomically, writing_to
from mcugen.export.fidelity import Fidelity, not_compared
from mcugen.export.layer_report import QuantizationReport
from mcugen.program.level import Level

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.project.build import BuiltImage

OUT_NAME = "mcugen_out"
SCHEMA = "mcugen.last/2"


@dataclass(frozen=True)
class LastBuild:
    """Enough to flash, verify and time the last build.

    model: as it was named, paths absolute. board_id: or the file of a user's own board. project
    paths and `elf` are absolute.
    """

    model: str
    board_id: str
    io: str | None
    calibrate: str | None
    artifact: PteArtifact
    exported: PteArtifact  #: before it was prepared for the board
    image: BuiltImage
    fidelity: Fidelity = field(default_factory=not_compared)
    pixels: str | None = None
    dim: tuple[str, ...] = ()
    level: Level = Level.BALANCED
    layers: tuple[str, ...] = ()  #: the model's module of each operator call, where it is known
    quantization: QuantizationReport = field(default_factory=QuantizationReport)


def out_dir(root: Path) -> Path:
    """Return the folder of everything mcugen makes in the project at `root`."""
    return root / OUT_NAME


def save_last_build(root: Path, last: LastBuild) -> None:
    """Remember a build. Written whole or not at all."""
    folder = out_dir(root)
    document = {
        "schema": SCHEMA,
        "model": last.model,
        "board": last.board_id,
        "io": last.io,
        "calibrate": last.calibrate,
        "pixels": last.pixels,
        "dim": list(last.dim),
        "layers": list(last.layers),
        "optimize": last.level.value,
        "artifact": last.artifact.to_json(),
        "exported": last.exported.to_json(),
        "image": _plain(asdict(last.image)),
        "fidelity": last.fidelity.to_json(),
        "quantization": last.quantization.to_json(),
        "elf_sha256": file_sha256(last.image.elf),
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    with writing_to(folder):
        # The description names each .pte's hash, so a crash between them is noticed.
        write_atomically(folder / "last.pte", last.artifact.pte)
        write_atomically(folder / "last_exported.pte", last.exported.pte)
        write_atomically(folder / "last.json", text.encode("utf-8"))


def has_last_build(root: Path) -> bool:
    """Return whether something was built in the project at `root`."""
    return (out_dir(root) / "last.json").is_file()


def load_last_build(root: Path) -> LastBuild:
    """Return the last build of the project at `root`.

    Raises ConfigError: none, unreadable, or its ELF is gone or not the one that was built.
    """
    path = out_dir(root) / "last.json"
    again = "Build again: mcugen build MODEL --board BOARD"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"nothing has been built in {root} yet", hint=again) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint=again) from None
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        from mcugen.program.artifact import PteArtifact

        artifact, exported = (
            PteArtifact.from_json(document[name], (out_dir(root) / file).read_bytes())
            for name, file in (("artifact", "last.pte"), ("exported", "last_exported.pte"))
        )
        image = _image(document["image"])
        last = LastBuild(
            document["model"],
            document["board"],
            document["io"],
            document["calibrate"],
            artifact,
            exported,
            image,
            # An earlier mcugen did not compare.
            Fidelity.from_json(document["fidelity"]) if "fidelity" in document else not_compared(),
            document.get("pixels"),
            tuple(document.get("dim", ())),
            Level(document.get("optimize", Level.BALANCED)),
            tuple(document.get("layers", ())),
            QuantizationReport.from_json(document["quantization"])
            if "quantization" in document
            else QuantizationReport(),
        )
        elf_sha256 = document["elf_sha256"]
    except (OSError, KeyError, TypeError, ValueError, AttributeError, PteError) as error:
        raise ConfigError(f"{path} is not usable: {error}", hint=again) from None
    try:
        actual = file_sha256(image.elf)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise ConfigError(f"the last build's {image.elf} is gone", hint=again) from None
    if actual != elf_sha256:
        raise ConfigError(
            f"{image.elf} is not the file mcugen built",
            hint=f"{again} (a pio run by hand replaces it, too).",
        )
    return last


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _image(document: dict[str, Any]) -> BuiltImage:
    from mcugen.project.build import BuiltImage
    from mcugen.project.manifest import FirmwareProject

    project_values = dict(document["project"])
    project_values["root"] = Path(project_values["root"])
    names = {f.name for f in fields(BuiltImage)}
    values = {key: value for key, value in document.items() if key in names}
    values["project"] = FirmwareProject(**project_values)
    for name in ("elf", "bin", "log_path"):
        if values.get(name) is not None:
            values[name] = Path(values[name])
    return BuiltImage(**values)
