// SPDX-License-Identifier: BSD-3-Clause
//
// What newlib asks of a system, for ExecuTorch's own libraries: they call snprintf and malloc, and
// newlib's stubs for those want a heap's place from the linker script. There is no heap, no file
// and no process here, and each call says so; a kernel that is refused memory returns an error.
#include <executorch/runtime/platform/platform.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>

namespace {

int fail(int code) {
  errno = code;
  return -1;
}

}  // namespace

extern "C" {

// A static object whose destructor would run at exit is registered under this name; nothing exits.
void* __dso_handle = nullptr;
int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }

void* _sbrk(ptrdiff_t) {
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}

int _write(int, const void*, size_t) { return fail(EBADF); }
int _read(int, void*, size_t) { return fail(EBADF); }
int _close(int) { return fail(EBADF); }
int _fstat(int, struct stat*) { return fail(EBADF); }
int _isatty(int) {
  errno = EBADF;
  return 0;
}
off_t _lseek(int, off_t, int) { return fail(EBADF); }
int _open(const char*, int, ...) { return fail(ENOENT); }
int _kill(int, int) { return fail(EINVAL); }
int _getpid() { return 1; }
int getentropy(void*, size_t) { return fail(ENOSYS); }
int _getentropy(void*, size_t) { return fail(ENOSYS); }

// abort() raises SIGABRT, which ends in _kill() and here.
[[noreturn]] void _exit(int) { et_pal_abort(); }

}  // extern "C"
