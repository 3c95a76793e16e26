// SPDX-License-Identifier: BSD-3-Clause
#include <app/console_writer.h>
#include <app/replies.h>

namespace mcugen {

void line(const char* text) {
  TextWriter& out = console_writer();
  out.text(text);
  out.text("\r\n");
}

void line(const char* prefix, uint64_t number) {
  console_writer().text(prefix);
  console_writer().decimal(number);
  line("");
}

void line(const char* before, const char* inside) {
  TextWriter& out = console_writer();
  out.text(before);
  out.character('[');
  out.text(inside);
  line("]");
}

void error(const char* what, const char* detail) {
  TextWriter& out = console_writer();
  out.text("e-[");
  out.text(what);
  out.text(detail);
  line("]");
}

}  // namespace mcugen
