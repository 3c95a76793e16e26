// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mcugen {

/// `mcugen info%`: what this firmware is and holds, one line of JSON.
void command_info();

}  // namespace mcugen
