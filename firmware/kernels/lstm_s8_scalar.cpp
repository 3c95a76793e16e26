// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/recurrent_gates.h>

namespace mcugen {
namespace {

constexpr int32_t kMostCell = 1 << 30;

}  // namespace

void lstm_s8_scalar(const RecurrentS8Params& p, const RecurrentS8Weights& w, const int8_t* input,
                    const int16_t* hidden, const int16_t* cell, const RecurrentS8Outputs& outputs) {
  const int32_t units = p.units;
  int32_t* const cells = outputs.scratch;  // kGateBits bits behind the point
  int16_t* now = reinterpret_cast<int16_t*>(outputs.scratch + units);
  int16_t* next = now + units;
  for (int32_t b = 0; b < p.batch; ++b) {
    const int32_t first = b * units;
    start_state(hidden != nullptr ? hidden + first : nullptr, units, now);
    for (int32_t u = 0; u < units; ++u) {
      cells[u] = cell != nullptr ? cell[first + u] * (1 << (kGateBits - p.cell_bits)) : 0;
    }
    RecurrentSteps steps(p, b, input, outputs.sequence);
    do {
      for (int32_t u = 0; u < units; ++u) {
        int32_t sums[4];
        for (int32_t gate = 0; gate < 4; ++gate) {
          const int32_t row = gate * units + u;
          sums[gate] = gate_sum(p, w, row, w.bias[row], steps.input(), now);
        }
        const int64_t kept = static_cast<int64_t>(sigmoid_gate(sums[1])) * cells[u];
        const int64_t added = static_cast<int64_t>(sigmoid_gate(sums[0])) * tanh_gate(sums[2]);
        const int64_t sum = round_half_up(kept + 2 * added, 15);
        cells[u] = static_cast<int32_t>(sum < -kMostCell  ? -kMostCell
                                        : sum > kMostCell ? kMostCell
                                                          : sum);
        const int64_t state = static_cast<int64_t>(sigmoid_gate(sums[3])) * tanh_gate(cells[u]);
        next[u] = saturate_s16(round_half_up(state, 30 - p.hidden_bits));
      }
      int16_t* const before = now;
      now = next;
      next = before;
    } while (steps.finish(now));
    start_state(now, units, outputs.hidden + first);
    for (int32_t u = 0; u < units; ++u) {
      outputs.cell[first + u] = saturate_s16(round_half_up(cells[u], kGateBits - p.cell_bits));
    }
  }
}

}  // namespace mcugen
