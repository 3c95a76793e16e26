// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mcugen {

/// What a project does with its own data. Define it in a file of your own beside the generated
/// ones, `src/application.cpp`; where nobody does, it is empty. The project's README has an
/// example.
///
/// Called once, when clock, console and counters run and the model has been loaded: see
/// `model_ready()`. It need not return; when it does, the serial command server starts.
void application();

}  // namespace mcugen
