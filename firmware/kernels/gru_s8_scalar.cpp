// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/recurrent_gates.h>

namespace mcugen {

void gru_s8_scalar(const RecurrentS8Params& p, const RecurrentS8Weights& w, const int8_t* input,
                   const int16_t* hidden, const RecurrentS8Outputs& outputs) {
  const int32_t units = p.units;
  int16_t* now = reinterpret_cast<int16_t*>(outputs.scratch);
  int16_t* next = now + units;
  for (int32_t b = 0; b < p.batch; ++b) {
    const int32_t first = b * units;
    start_state(hidden != nullptr ? hidden + first : nullptr, units, now);
    RecurrentSteps steps(p, b, input, outputs.sequence);
    do {
      for (int32_t u = 0; u < units; ++u) {
        const int32_t r = u;
        const int32_t z = units + u;
        const int32_t n = 2 * units + u;
        const int32_t reset = sigmoid_gate(gate_sum(p, w, r, w.bias[r], steps.input(), now));
        const int32_t update = sigmoid_gate(gate_sum(p, w, z, w.bias[z], steps.input(), now));
        const int32_t given = gate_sum(p, w, n, w.bias[n], steps.input(), nullptr);
        const int32_t kept = gate_sum(p, w, n, w.bias[n + units], nullptr, now);
        const int64_t part = round_half_up(static_cast<int64_t>(reset) * kept, 15);
        const int32_t made = tanh_gate(given + static_cast<int32_t>(part));
        const int32_t before = now[u] * (1 << (15 - p.hidden_bits));
        const int64_t change = static_cast<int64_t>(update) * (before - made);
        next[u] = saturate_s16(round_half_up(made + round_half_up(change, 15), 15 - p.hidden_bits));
      }
      int16_t* const before = now;
      now = next;
      next = before;
    } while (steps.finish(now));
    start_state(now, units, outputs.hidden + first);
  }
}

}  // namespace mcugen
