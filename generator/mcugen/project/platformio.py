# SPDX-License-Identifier: BSD-3-Clause
"""Run PlatformIO, quietly and offline, and say what it complained about."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mcugen.base.cache import CACHE_HINT, cache_dir
from mcugen.base.errors import BuildError, DoesNotFitError, McugenError
from mcugen.base.files import cannot_write, writing_to
from mcugen.base.toolchain import search_path
from mcugen.project.libraries import ARCHIVES

BUILD_TIMEOUT_S = 900.0
# Taken out of the environment: each changes what is built, where or how fast, behind our back.
_SCRUBBED = frozenset(
    {
        *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "GCC_EXEC_PREFIX"),
        *("SCONSFLAGS", "MCUGEN_UPLOAD_PROTOCOL", "MCUGEN_PROBE_SERIAL"),
        *("MCUGEN_UPLOAD_PORT", "MCUGEN_UPLOAD_DRY_RUN", "MCUGEN_SIMULATOR_PTY"),
        # SCons is a copy in our cache: without bytecode it is compiled in every build.
        "PYTHONDONTWRITEBYTECODE",
    }
)
_KEPT_PLATFORMIO = frozenset(
    {"PLATFORMIO_CORE_DIR", "PLATFORMIO_PACKAGES_DIR", "PLATFORMIO_RUN_JOBS"}
)
_ERROR_LINE = re.compile(
    r"(^|[\s:])((fatal )?error:|Error:)|undefined reference|multiple definition of|overflowed by|"
    r"/ld(\.bfd)?: (?!warning)|\*\*\* \["
)
# What PlatformIO prints for each source, compiled or taken from the object cache.
_OBJECT_LINE = re.compile(r"^(Compiling|Retrieved) .*\.o\b")
# In strerror()'s words, which compilers, archivers and Python repeat.
_NO_SPACE = "No space left on device"
# The archiver forgets why its last bytes could not be written; "Success" is what is left.
_FORGOTTEN = r"(?<=reason: )Success$"
_NOT_WRITTEN = re.compile(rf"{_NO_SPACE}|Disk quota exceeded|Read-only file system|{_FORGOTTEN}")
# The assembler names what it reads, and what it writes after that.
_ASSEMBLED = re.compile(r"can't write \d+ bytes to section \S+ of (\S+): ")
_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")
_UNDEFINED = re.compile(r"undefined reference to `(.*)'")
_SMALLER_LIBRARIES = (
    "Build ExecuTorch for size, without logging, with a pinned MAX_KERNEL_NUM and installed with "
    "its kernel libraries, so that no *_ops_lib.a is linked (docs/upstream.md)."
)


def pio_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for PlatformIO: quiet, no network, nothing that changes the build."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _SCRUBBED
        and (not name.startswith("PLATFORMIO_") or name in _KEPT_PLATFORMIO)
    }
    environment.setdefault("PLATFORMIO_CORE_DIR", str(cache_dir() / "platformio"))
    environment.setdefault("MCUGEN_OBJECT_CACHE", str(cache_dir() / "objects"))
    environment |= {
        "PATH": search_path(),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PYTHONUNBUFFERED": "1",
        # Compiler messages are read for "error:".
        "LC_ALL": "C.UTF-8",
    }
    return environment | dict(extra or {})


def run_pio(
    arguments: Sequence[str],
    log_path: Path,
    timeout_s: float,
    explain: Callable[[Sequence[str], str], McugenError],
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run PlatformIO to its end, its output into `log_path`.

    Args:
        explain: (lines, how it ended) → the error to raise when it fails.
        environment: added to `pio_environment()`.
    """
    command = [sys.executable, "-m", "platformio", *arguments]
    full_environment = pio_environment(environment)
    home = Path(full_environment["PLATFORMIO_CORE_DIR"])
    with writing_to(home, hint=CACHE_HINT):
        home.mkdir(parents=True, exist_ok=True)
        # PlatformIO's own answer is a page about environment variables.
        with tempfile.TemporaryFile(dir=home):
            pass
    lines: list[str] = []
    timed_out = threading.Event()
    with writing_to(log_path.parent), open(log_path, "w", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command,
            env=full_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that compilers can be ended with it
        )

        def give_up() -> None:
            timed_out.set()
            _end_group(process)

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        assert process.stdout is not None
        try:
            # Read to the end whatever happens: PlatformIO hangs for good on a closed pipe.
            for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace"):
                log.write(line)
                lines.append(line.rstrip())
                if on_line is not None:
                    on_line(line)
            status = process.wait()
        except BaseException:
            _end_group(process)
            raise
        finally:
            timer.cancel()
    if timed_out.is_set():
        error = explain(lines, f"no end after {timeout_s:.0f} s")
    elif status != 0:
        error = explain(lines, f"exit status {status}")
    else:
        return
    error.log_path = log_path
    raise error


def object_counter(
    progress: Callable[[str, int, int], None] | None, total: int
) -> Callable[[str], None] | None:
    if progress is None:
        return None
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        if _OBJECT_LINE.match(line):
            done = min(done + 1, total)
            progress("compiling", done, total)

    return on_line


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End PlatformIO and everything it started. GCC and ld remove half-written files on SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def explain_build_failure(root: Path, lines: Sequence[str], why: str) -> McugenError:
    """Return the error to raise when the project in `root` was not built."""
    for line in lines:
        if match := _NOT_WRITTEN.search(line):
            places = [root, cache_dir(), Path(tempfile.gettempdir())]
            assembled = _ASSEMBLED.search(line)
            written = line if assembled is None else assembled[1]
            named = [place for place in places if f"{place}{os.sep}" in written]
            # One may lie in another; without a full path it is the project's.
            place = max(named, key=lambda place: len(str(place)), default=root)
            text = line[max(0, match.start() - 200) : match.end() + 100].strip()
            hint = CACHE_HINT if place == cache_dir() else None
            why_not = _NO_SPACE if match[0] == "Success" else match[0]
            return cannot_write(place, f"{why_not}\n{text}", hint=hint)
    foreign = any((root / ARCHIVES).glob("*.a"))
    overflows = [match for line in lines if (match := _OVERFLOW.search(line))]
    if overflows:
        text = "; ".join(f"region '{m[1]}' by {int(m[2]):,} B" for m in overflows)
        return DoesNotFitError(
            f"the linked image is too big: {text}",
            hint=_SMALLER_LIBRARIES
            if foreign
            else "Take a smaller model, or a board with more memory.",
        )
    undefined = sorted({match[1] for line in lines if (match := _UNDEFINED.search(line))})
    if undefined and foreign:
        more = f" and {len(undefined) - 6} more" if len(undefined) > 6 else ""
        return BuildError(
            f"nothing in {ARCHIVES} defines what is called: {', '.join(undefined[:6])}{more}",
            hint="Its kernels take other arguments: PREFIX is of another version of ExecuTorch "
            "than the installed package."
            if any("::native::" in name for name in undefined)
            else "A library is missing in PREFIX/lib, or was built with other options than the "
            "rest; docs/upstream.md lists both.",
        )
    return BuildError(f"the build failed ({why}):\n" + "\n".join(telling_lines(lines)))


def telling_lines(lines: Sequence[str], limit: int = 12) -> list[str]:
    """Return the lines that name errors; the last lines if none does."""
    told = [line for line in lines if _ERROR_LINE.search(line)]
    # The compiler's first errors matter, the rest follow from them.
    return told[:limit] if told else [line for line in lines if line.strip()][-limit:]
