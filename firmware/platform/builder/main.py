# SPDX-License-Identifier: BSD-3-Clause
"""Build script: the board's JSON → compiler and linker flags, image, size summary, upload."""

import os
import shlex
import subprocess
import sys

from SCons.Script import COMMAND_LINE_TARGETS, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
platform = env.PioPlatform()
board = env.BoardConfig()
builder_dir = os.path.join(platform.get_dir(), "builder")

sys.path.insert(0, builder_dir)
import uf2  # noqa: E402
import upload_command  # noqa: E402
from object_cache import use_object_cache  # noqa: E402
from precompiled import FOLDERS, Precompiled  # noqa: E402

HELIUM_CPUS = ("cortex-m55", "cortex-m85")

machine_flags = board.get("build.machine_flags")
prefix = "arm-none-eabi-"



def write_uf2(target, source, env):
    with open(str(source[0]), "rb") as file:
        data = uf2.from_elf(file.read(), board.get("upload.uf2_family"))
    with open(str(target[0]), "wb") as file:
        file.write(data)


env.Replace(
    AR=prefix + "gcc-ar",
    AS=prefix + "gcc",
    CC=prefix + "gcc",
    CXX=prefix + "g++",
    LINK=prefix + "g++",
    OBJCOPY=prefix + "objcopy",
    RANLIB=prefix + "gcc-ranlib",
    SIZETOOL=prefix + "size",
    ARFLAGS=["rcD"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
# Paths are put in here rather than as $VARIABLES: SCons splits at the spaces of what it expands.
project_dir = env.subst("$PROJECT_DIR")
image = env.subst(os.path.join("$BUILD_DIR", "$PROGNAME"))
# In an IT block, GCC writes a conditional conversion of an integer as "vcvtne", which the assembler
# takes for Helium's "vcvtn" there.
helium_flags = ["-fno-if-conversion2"] if board.get("build.cpu") in HELIUM_CPUS else []
env.Append(
    ASFLAGS=machine_flags,
    ASPPFLAGS=["-x", "assembler-with-cpp", *machine_flags],
    CCFLAGS=[
        *machine_flags,
        "-Os",  # a library's library.json may append another level
        *helium_flags,
        "-flto",  # an eighth of the code goes: the headers' inline accessors, mostly
        "-DNDEBUG",
        "-g1",  # addresses → lines, for fault reports; nothing of it is flashed
        "-ffp-contract=off",
        "-ffunction-sections",
        "-fdata-sections",
        "-fno-common",
        "-Wall",
        "-Wextra",
        "-Wundef",
        "-Wdouble-promotion",
        "-Wno-psabi",  # a note on 8-byte alignment for compilers older than GCC 7.1
        # Debug information without the project's place on disk: the ELF is the same everywhere.
        # An absolute name for it, because GCC notes the working folder beside relative ones in
        # LTO objects; the link takes it off again.
        *(f"-fdebug-prefix-map={folder}/=/project/{folder}/" for folder in ("src", "lib")),
        # Between $( and $), so that SCons leaves it out of the command's signature.
        "$(",
        f"-fmacro-prefix-map={project_dir}=.",
        f"-fdebug-prefix-map={project_dir}=/project",
        "$)",
    ],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=["-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    LINKFLAGS=[
        *machine_flags,
        "-Os",
        *helium_flags,
        "-flto",
        "-flto-partition=one",
        "-nostartfiles",
        "--specs=nano.specs",
        "--specs=nosys.specs",
        "-ffunction-sections",  # link-time optimization forgets it, and --gc-sections needs it
        "-Wl,--gc-sections",
        "-Wl,--build-id=none",
        f"-Wl,-Map,{image}.map",
        "-fdebug-prefix-map=/project/=",
        # The linker compiles, too, and names the folder it does it in.
        "$(",
        f"-fdebug-prefix-map={project_dir}=.",
        "$)",
    ],
    BUILDERS={
        "ElfToBin": Builder(
            action=env.VerboseAction("$OBJCOPY -O binary $SOURCES $TARGET", "Building $TARGET"),
            suffix=".bin",
        ),
        "ElfToUf2": Builder(
            action=env.VerboseAction(write_uf2, "Building $TARGET"),
            suffix=".uf2",
        ),
    },
)
# Sections as templates/memory.ld.j2 names them.
env.Replace(
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.isr_vector|\.text|\.rodata|\.ARM\.exidx|\.model_pte|\.data)\s+(\d+).*",
    SIZEDATAREGEXP=(
        r"^(?:\.data|\.bss|\.noinit|\.stack|\.planned_memory|\.method_pool|\.temp_pool|\.io_pool)"
        r"\s+(\d+).*"
    ),
)
use_object_cache(env)


def with_board_macros(env, node):
    macros = board.get("build.bsp_defines").items()
    return env.Object(node, CPPDEFINES=[*env.get("CPPDEFINES", []), *macros])


# Board-support code only, so that all else can be shared between boards with the same core.
env.AddBuildMiddleware(with_board_macros, "*/bsp/*")


def without_lto(env, node):
    return env.Object(node, CCFLAGS=[*env["CCFLAGS"], "-fno-lto"])


# LTO finds out that a library function is needed after archives have been searched for it, and
# takes the C library's: ours must be there as machine code.
env.AddBuildMiddleware(without_lto, "*/cortex_m/libc.cpp")

precompiled = Precompiled(project_dir)


def with_precompiled(env, node):
    return precompiled.object(env, node)


# An editor that reads compile_commands.json finds nothing that goes with the build.
for folder in FOLDERS if "compiledb" not in COMMAND_LINE_TARGETS else ():
    env.AddBuildMiddleware(with_precompiled, f"*/mcugen_runtime/{folder}/*.cpp")

#
# Image
#

# Static libraries of others, behind everything else on the linker's command line. Those with
# static constructors are linked as a whole: nothing calls what a constructor registers.
whole, rest = (board.get(key, []) for key in ("build.archives_whole", "build.archives"))
if whole or rest:
    whole_paths, rest_paths = (
        " ".join(f'"{os.path.join(project_dir, path)}"' for path in paths)
        for paths in (whole, rest)
    )
    env.Append(
        _LIBFLAGS=f" -Wl,--whole-archive {whole_paths} -Wl,--no-whole-archive"
        f" -Wl,--start-group {rest_paths} -lc -lm -lgcc -Wl,--end-group"
    )

elf = f"{image}.elf"
flat_image = None
if "nobuild" in COMMAND_LINE_TARGETS:
    env.AlwaysBuild(env.Alias("nobuild", elf))
    if not os.path.isfile(elf):
        sys.stderr.write(f"Error: there is no {elf}: build it first, without -t nobuild\n")
        env.Exit(1)
else:
    elf = env.BuildProgram()
    # PlatformIO does not look at the linker script when it decides whether to link.
    for path in (board.get("build.ldscript"), *whole, *rest):
        env.Depends(elf, os.path.join(project_dir, path))
    Default(elf)
    if board.get("build.single_image"):
        # Where code and model lie far apart, a flat image would fill the gap.
        flat_image = env.ElfToBin(image, elf)
        Default(flat_image)
    if board.get("upload.uf2_family", 0):
        # To be copied by hand where mcugen is not.
        Default(env.ElfToUf2(image, elf))

#
# Upload
#

protocol = os.environ.get("MCUGEN_UPLOAD_PROTOCOL") or env.subst("$UPLOAD_PROTOCOL")
# Shown by PlatformIO before the upload.
env.Replace(UPLOAD_PROTOCOL=protocol)

upload_action = env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")
if protocol in upload_command.PROTOCOLS:

    def upload(target, source, env):
        """Run the command as it is, without SCons' own idea of quoting."""
        try:
            words = upload_command.command(
                protocol,
                board.get("upload"),
                image,
                serial=os.environ.get("MCUGEN_PROBE_SERIAL"),
                port=os.environ.get("MCUGEN_UPLOAD_PORT"),
            )
            upload_command.before(protocol, image)
            print(f"$ {shlex.join(words)}", flush=True)
            return 0 if os.environ.get("MCUGEN_UPLOAD_DRY_RUN") else subprocess.call(words)
        except (upload_command.UploadError, OSError) as error:
            sys.stderr.write(f"Error: {error}\n")
            return 1

    upload_action = env.VerboseAction(upload, "Uploading $SOURCE")
elif protocol == "qemu":
    qemu = board.get("upload.qemu")
    env.Replace(
        UPLOADER=os.path.join(builder_dir, "qemu_session.py"),
        UPLOADERFLAGS=[
            "start",
            "--elf",
            f"{image}.elf",
            "--machine",
            qemu["machine"],
            *(["--cpu", qemu["cpu"]] if qemu.get("cpu") else []),
            "--serial-index",
            str(qemu["serial_index"]),
            *(f"--extra={argument}" for argument in qemu.get("extra_args", [])),
            *([f"--min-version={qemu['min_version']}"] if qemu.get("min_version") else []),
            "--state",
            os.path.join(project_dir, ".mcugen-qemu.json"),
            *(["--pty"] if os.environ.get("MCUGEN_SIMULATOR_PTY") == "1" else []),
        ],
        UPLOADCMD='"$PYTHONEXE" "$UPLOADER" $UPLOADERFLAGS',
    )
elif protocol != "custom" and "upload" in COMMAND_LINE_TARGETS:
    known = ", ".join((*upload_command.PROTOCOLS, "qemu"))
    sys.stderr.write(f"Error: unknown upload_protocol '{protocol}': {known}\n")
    env.Exit(1)

uploaded = [elf]
if upload_command.needs_bin(protocol) and "nobuild" not in COMMAND_LINE_TARGETS:
    # Beside the ELF, whether or not the board's usual image is flat.
    uploaded.append(flat_image or env.ElfToBin(image, elf))
env.AddPlatformTarget("upload", uploaded, upload_action, "Upload")
