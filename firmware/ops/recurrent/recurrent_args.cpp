// SPDX-License-Identifier: BSD-3-Clause
#include <ops/recurrent/recurrent_args.h>

namespace mcugen::ops {
namespace {

bool has_sizes(const Tensor& tensor, int32_t first, int32_t second) {
  return tensor.dim() == 2 && sizes_of(tensor)[0] == first && sizes_of(tensor)[1] == second;
}

/// The data of a state [batch, units], or null for none.
const int16_t* state_of(OpArgs& args, size_t index, int32_t batch, int32_t units) {
  const Tensor* const state = args.optional_tensor(index, ScalarType::Short);
  if (state == nullptr || !args.check(has_sizes(*state, batch, units), "state shape")) {
    return nullptr;
  }
  args.contiguous(state);
  return state->const_data_ptr<int16_t>();
}

int16_t* out_state(OpArgs& args, size_t index, int32_t batch, int32_t units) {
  const Tensor* const state = args.tensor(index, ScalarType::Short);
  args.contiguous(state);
  if (!args.ok() || !args.check(has_sizes(*state, batch, units), "output shape")) {
    return nullptr;
  }
  return state->mutable_data_ptr<int16_t>();
}

/// int32[count].
const int32_t* words(OpArgs& args, size_t index, int32_t count) {
  const Tensor* const tensor = args.tensor(index, ScalarType::Int);
  if (!args.ok() || !args.check(tensor->numel() == count, "size of bias or multipliers")) {
    return nullptr;
  }
  return tensor->const_data_ptr<int32_t>();
}

}  // namespace

bool read_recurrent(OpArgs& args, const RecurrentKind& kind, RecurrentArgs& read) {
  RecurrentS8Params& p = read.params;
  const size_t cell = kind.cell ? 1 : 0;
  const size_t weights = 2 + cell;
  const size_t numbers = weights + 5;        // shift is the first
  const size_t output = numbers + 2 + cell;  // and its zero point
  const size_t outs = output + 5 + (kind.relu ? 1 : 0);

  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const weight_ih = args.tensor(weights, ScalarType::Char);
  const Tensor* const weight_hh = args.tensor(weights + 1, ScalarType::Char);
  const Tensor* const out = args.tensor(outs, ScalarType::Char);
  p.shift = args.integer(numbers, 1, 62);
  p.hidden_bits = args.integer(numbers + 1, 0, 15);
  p.cell_bits = kind.cell ? args.integer(numbers + 2, 0, 15) : 0;
  p.output_zero_point = args.integer(output, INT8_MIN, INT8_MAX);
  args.scaling(output + 1, p.output_multiplier, p.output_shift);
  p.reverse = args.boolean(output + 3);
  p.batch_first = args.boolean(output + 4);
  p.relu = kind.relu && args.boolean(output + 5);
  args.contiguous(input);
  args.contiguous(weight_ih);
  args.contiguous(weight_hh);
  args.contiguous(out);
  if (!args.ok() ||
      !args.check(input->dim() == 3 && weight_hh->dim() == 2 && out->dim() == 3, "rank")) {
    return false;
  }

  const int32_t* const sizes = sizes_of(*input);
  p.batch = sizes[p.batch_first ? 0 : 1];
  p.steps = sizes[p.batch_first ? 1 : 0];
  p.in_ch = sizes[2];
  p.units = sizes_of(*weight_hh)[1];
  const bool some = p.batch >= 1 && p.steps >= 1 && p.in_ch >= 1 && p.units >= 1;
  // The weights lie in memory: 4 rows of a unit each cannot overflow.
  const int32_t rows = some && p.units < (1 << 15) ? kind.gates * p.units : 0;
  if (!args.check(some && rows != 0, "shape") ||
      !args.check(has_sizes(*weight_hh, rows, p.units) && has_sizes(*weight_ih, rows, p.in_ch),
                  "weight shape") ||
      !args.check(sizes_of(*out)[0] == sizes[0] && sizes_of(*out)[1] == sizes[1] &&
                      sizes_of(*out)[2] == p.units,
                  "output shape")) {
    return false;
  }
  read.input = input->const_data_ptr<int8_t>();
  read.hidden = state_of(args, 1, p.batch, p.units);
  read.cell = kind.cell ? state_of(args, 2, p.batch, p.units) : nullptr;
  read.weights.ih = weight_ih->const_data_ptr<int8_t>();
  read.weights.hh = weight_hh->const_data_ptr<int8_t>();
  read.weights.bias = words(args, weights + 2, kind.gates == 3 ? rows + p.units : rows);
  read.weights.multipliers_ih = words(args, weights + 3, rows);
  read.weights.multipliers_hh = words(args, weights + 4, rows);
  read.outputs.hidden = out_state(args, outs + 1, p.batch, p.units);
  read.outputs.cell = kind.cell ? out_state(args, outs + 2, p.batch, p.units) : nullptr;
  const Tensor* const scratch = args.tensor(outs + 2 + cell, ScalarType::Int);
  if (!args.ok() ||
      !args.check(scratch->numel() == p.units * (kind.cell ? 2 : 1), "scratch size")) {
    return false;
  }
  read.outputs.scratch = scratch->mutable_data_ptr<int32_t>();
  read.outputs.sequence = out->mutable_data_ptr<int8_t>();
  return true;
}

}  // namespace mcugen::ops
