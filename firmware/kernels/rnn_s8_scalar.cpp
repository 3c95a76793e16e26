// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/recurrent_gates.h>

namespace mcugen {

void rnn_s8_scalar(const RecurrentS8Params& p, const RecurrentS8Weights& w, const int8_t* input,
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
        const int32_t sum = gate_sum(p, w, u, w.bias[u], steps.input(), now);
        const int64_t state = p.relu ? round_half_up(sum > 0 ? sum : 0, kGateBits - p.hidden_bits)
                                     : round_half_up(tanh_gate(sum), 15 - p.hidden_bits);
        next[u] = saturate_s16(state);
      }
      int16_t* const before = now;
      now = next;
      next = before;
    } while (steps.finish(now));
    start_state(now, units, outputs.hidden + first);
  }
}

}  // namespace mcugen
