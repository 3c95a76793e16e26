// SPDX-License-Identifier: BSD-3-Clause
#include <app/console_writer.h>
#include <port/console.h>

namespace mcugen {
namespace {

TextWriter g_writer([](void*, char character) { console_write(static_cast<uint8_t>(character)); },
                    nullptr);

}  // namespace

TextWriter& console_writer() { return g_writer; }

}  // namespace mcugen
