// SPDX-License-Identifier: BSD-3-Clause
#include <stand_in/traits.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

extern const char* stand_in_format;

bool stand_in::heap_refuses() {
  errno = 0;
  void* memory = std::malloc(64);
  const bool refused = memory == nullptr && errno == ENOMEM;
  std::free(memory);
  return refused && stand_in_format[0] == '%';
}

bool stand_in::large_frame_holds() {
  volatile unsigned char frame[3484];
  for (size_t i = 0; i < sizeof(frame); ++i) {
    frame[i] = static_cast<unsigned char>(i);
  }
  unsigned int sum = 0;
  for (size_t i = 0; i < sizeof(frame); ++i) {
    sum += frame[i] == static_cast<unsigned char>(i) ? 1 : 0;
  }
  return sum == sizeof(frame);
}
