# SPDX-License-Identifier: BSD-3-Clause
"""PlatformIO development platform for generated projects.

Works with the tools on PATH and without the network. What is not on PATH comes from PlatformIO's
registry, if that can be reached; if not, the user is told what to install, at once.
"""

import os
import shutil
import socket
import tempfile

import semantic_version
from platformio import __registry_mirror_hosts__
from platformio.compat import is_proxy_set
from platformio.dependencies import get_core_dependencies
from platformio.exception import UserSideException
from platformio.package.meta import PackageSpec
from platformio.platform.base import PlatformBase

INSTALL_HINTS = {
    "arm-none-eabi-g++": (
        "Debian, Ubuntu: sudo apt install gcc-arm-none-eabi libnewlib-arm-none-eabi "
        "libstdc++-arm-none-eabi-newlib; macOS: brew install --cask gcc-arm-embedded"
    ),
    "openocd": "Debian, Ubuntu: sudo apt install openocd; macOS: brew install open-ocd",
    "qemu-system-arm": "Debian, Ubuntu: sudo apt install qemu-system-arm; macOS: brew install qemu",
    "pyocd": "pip install pyocd",
    "JLinkExe": "https://www.segger.com/downloads/jlink",
    "JLink": "https://www.segger.com/downloads/jlink",
    "bossac": "Debian, Ubuntu: sudo apt install bossa-cli; macOS: brew install bossa",
    "dfu-util": "Debian, Ubuntu: sudo apt install dfu-util; macOS: brew install dfu-util",
    "stm32flash": "Debian, Ubuntu: sudo apt install stm32flash; macOS: brew install stm32flash",
    "SCons": "pip install 'scons==4.11.1' into the environment that runs PlatformIO",
}
# upload_protocol → the program that has to be on PATH; builder/upload_command.py has the commands.
UPLOADERS = {
    "pyocd": "pyocd",
    "jlink": "JLink" if os.name == "nt" else "JLinkExe",
    "bossac": "bossac",
    "dfu": "dfu-util",
    "stm32flash": "stm32flash",
}


class McugencortexmPlatform(PlatformBase):
    """The class name is PlatformIO's rule for a platform called mcugen-cortexm."""

    def is_embedded(self):
        # The base class looks for an uploader package, which may have been dropped.
        return True

    def configure_default_packages(self, options, targets):
        """Called by Core before it installs packages and before it looks for SCons."""
        self._use_path_or_registry("arm-none-eabi-g++", "toolchain-gccarmnoneeabi")
        protocol = self._upload_protocol(options)
        uploading = any("upload" in target for target in targets)
        if uploading and protocol == "qemu" and shutil.which("qemu-system-arm") is None:
            raise _missing("qemu-system-arm")
        if uploading and protocol in ("openocd", "stlink"):
            self._use_path_or_registry("openocd", "tool-openocd")
        else:
            # Core requires every package of type uploader on `-t upload`.
            self.packages.pop("tool-openocd", None)
        if uploading and (program := UPLOADERS.get(protocol)) and shutil.which(program) is None:
            raise _missing(program)
        self._provide_scons()
        return super().configure_default_packages(options, targets)

    def _upload_protocol(self, options):
        chosen = os.environ.get("MCUGEN_UPLOAD_PROTOCOL") or options.get("upload_protocol")
        if chosen or "board" not in options:
            return chosen
        return self.board_config(options["board"]).get("upload.protocol", "")

    def _use_path_or_registry(self, program, package):
        """Drop `package` where `program` is on PATH; make sure the registry answers where not."""
        if shutil.which(program) is not None:
            self.packages.pop(package, None)
        elif package in self.packages and self.get_package(package) is None:
            _require_registry(program)

    def _provide_scons(self):
        """Install Core's SCons package from the SCons of the Python that runs PlatformIO."""
        requirement = get_core_dependencies()["tool-scons"]
        wanted = PackageSpec(owner="platformio", name="tool-scons", requirements=requirement)
        if self.pm.get_package(wanted) is not None:
            return
        try:
            import SCons
        except ImportError:
            return _require_registry("SCons")
        # PlatformIO's numbering: 4.11.1 is packaged as 4.41101.0.
        major, minor, patch = (int(n) for n in SCons.__version__.split(".")[:3])
        version = f"{major}.{major}{minor:02}{patch:02}.0"
        if semantic_version.Version(version) not in semantic_version.SimpleSpec(requirement):
            return _require_registry("SCons")
        self.pm.lock()
        try:
            self.pm.memcache_reset()
            if self.pm.get_package(wanted) is not None:
                return  # Another build installed it while this one waited for the lock.
            with tempfile.TemporaryDirectory(prefix="mcugen-scons-") as staged:
                _stage_scons(os.path.dirname(SCons.__file__), version, staged)
                spec = PackageSpec(owner="platformio", name="tool-scons", uri="file://" + staged)
                self.pm.install(spec, skip_dependencies=True)
        finally:
            self.pm.unlock()


def _stage_scons(package_dir, version, staged):
    shutil.copytree(
        package_dir,
        os.path.join(staged, "SCons"),
        ignore=shutil.ignore_patterns("__pycache__", "*Tests.py"),
    )
    with open(os.path.join(staged, "package.json"), "w", encoding="utf-8") as file:
        file.write(f'{{"name": "tool-scons", "version": "{version}"}}\n')
    with open(os.path.join(staged, "scons.py"), "w", encoding="utf-8") as file:
        file.write("import SCons.Script\n\nSCons.Script.main()\n")


def _missing(program):
    return UserSideException(f"{program} is not on PATH. Install it: {INSTALL_HINTS[program]}")


def _require_registry(program):
    """Fail now rather than after Core's minute of silent retries."""
    if is_proxy_set():
        return
    for host in __registry_mirror_hosts__:
        try:
            socket.create_connection((f"api.{host}", 443), timeout=3).close()
            return
        except OSError:
            pass
    what = "not installed for this Python" if program == "SCons" else "not on PATH"
    raise UserSideException(
        f"{program} is {what}, and PlatformIO's registry cannot be reached. "
        f"Install it: {INSTALL_HINTS[program]}"
    )
