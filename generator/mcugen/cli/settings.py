# SPDX-License-Identifier: BSD-3-Clause
"""Options, `mcugen.toml` and defaults, put together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from mcugen.cli.config import Config, load_config
from mcugen.cli.options import Options
from mcugen.flow.settings import Settings, settle


def resolve(options: Options, *, cwd: Path | None = None) -> Settings:
    """Return the settings that apply. Raises ConfigError."""
    return resolve_with(options, load_config(cwd or Path.cwd()))


def resolve_with(options: Options, config: Config) -> Settings:
    """Return the settings that apply: an option, else what the file says, else the default."""
    given: dict[str, Any] = {}
    for field in fields(Options):
        value = getattr(options, field.name)
        given[field.name] = getattr(config, field.name, None) if value is None else value
    for name in ("dim", "layer_method", "float_layer"):
        given[name] = getattr(options, name) or getattr(config, name)
    given["preprocess"] = config.preprocess
    given["device"] = options.device
    # --device on the command line outranks simulate = true in the file.
    if options.device is not None and options.simulate is None:
        given["simulate"] = None
    return settle(given, config.root, usual_device=config.device)
