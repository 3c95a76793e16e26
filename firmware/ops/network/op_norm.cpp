// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <ops/common/view.h>
#include <ops/network/network_args.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

/// Normalises groups of elements: output = (input - mean) / sqrt(variance + epsilon) * weight +
/// bias. Mean and variance (the biased one, from the differences to the mean) are added up in
/// double, in the order of the dimensions.
struct Norm {
  const Tensor* input;
  const Tensor* out;
  const float* weight;  ///< Null for ones
  const float* bias;    ///< Null for zeros
  double epsilon;
  const float* means = nullptr;  ///< Null: computed from the elements, as are the variances
  const float* variances = nullptr;
  float* out_means = nullptr;  ///< Null: not wanted
  float* out_deviations = nullptr;
  int32_t parameters_per_group = 0;      ///< How far the weights of neighbouring groups are apart.
  int32_t parameter_groups = INT32_MAX;  ///< After so many groups they start anew.

  /// @param[in] groups Offsets 0 and 1 are those of a group in input and output.
  /// @param[in] elements The same inside of a group; offset 2 is which parameter to use.
  void run(BlockLoop& groups, BlockLoop& elements) const;
};

void Norm::run(BlockLoop& groups, BlockLoop& elements) const {
  if (groups.empty()) {
    return;
  }
  int32_t group = 0;
  do {
    const float* const from = input->const_data_ptr<float>() + groups.offset(0);
    float* const to = out->mutable_data_ptr<float>() + groups.offset(1);
    double mean = 0;
    double variance = 0;
    if (means != nullptr) {
      mean = static_cast<double>(means[group]);
      variance = static_cast<double>(variances[group]);
    } else {
      double count = 0;
      if (!elements.empty()) {
        do {
          mean += static_cast<double>(from[elements.offset(0)]);
          count += 1;
        } while (elements.next());
        mean /= count;
        do {
          const double difference = static_cast<double>(from[elements.offset(0)]) - mean;
          variance += difference * difference;
        } while (elements.next());
      }
      variance /= count;  // NaN without elements, as in torch
    }
    const double inverse = 1 / sqrt_f64(variance + epsilon);
    if (out_means != nullptr) {
      out_means[group] = one_nan(static_cast<float>(mean));
      out_deviations[group] = one_nan(static_cast<float>(inverse));
    }
    const float centre = static_cast<float>(mean);
    const float scale = static_cast<float>(inverse);
    const int32_t first = group % parameter_groups * parameters_per_group;
    if (!elements.empty()) {
      do {
        const int32_t parameter = first + elements.offset(2);
        float value = (from[elements.offset(0)] - centre) * scale;
        value = weight != nullptr ? value * weight[parameter] : value;
        value = bias != nullptr ? value + bias[parameter] : value;
        to[elements.offset(1)] = one_nan(value);
      } while (elements.next());
    }
    ++group;
  } while (groups.next());
}

/// @returns epsilon, checked to be a number that leaves something to divide by.
double epsilon_of(OpArgs& args, size_t index) {
  const double epsilon = args.number(index);
  args.check(epsilon >= 0 && epsilon < 1e30, "eps");
  return epsilon;
}

/// @returns the channels of an input [N, C, …], 0 after a failure.
int32_t channels_of(OpArgs& args, const Tensor* input) {
  return args.ok() && args.check(input->dim() >= 2, "rank") ? sizes_of(*input)[1] : 0;
}

/// Adds dimensions of input and output to the loops: those of the set `grouped`, and the rest with
/// their `steps` among the parameters (null for zeros). By itself, for the sake of the stack.
__attribute__((noinline)) void add_dimensions(const Norm& norm, uint32_t grouped,
                                              const int32_t* steps, BlockLoop& groups,
                                              BlockLoop& elements) {
  const View from(*norm.input);
  const View to(*norm.out);
  for (int32_t d = 0; d < from.rank; ++d) {
    if ((grouped >> d & 1u) != 0) {
      groups.add(from.sizes[d], from.strides[d], to.strides[d]);
    } else {
      elements.add(from.sizes[d], from.strides[d], to.strides[d], steps != nullptr ? steps[d] : 0);
    }
  }
}

void run_channels(const Norm& norm) {
  BlockLoop groups;
  BlockLoop elements;
  add_dimensions(norm, 1u << 1, nullptr, groups, elements);
  norm.run(groups, elements);
}

/// Adds the loops over images and groups of channels, and over what lies in a group.
__attribute__((noinline)) void add_channel_groups(const Norm& norm, int32_t count,
                                                  int32_t per_group, BlockLoop& groups,
                                                  BlockLoop& elements) {
  const View from(*norm.input);
  const View to(*norm.out);
  groups.add(from.sizes[0], from.strides[0], to.strides[0]);
  groups.add(count, per_group * from.strides[1], per_group * to.strides[1]);
  elements.add(per_group, from.strides[1], to.strides[1], 1);
  for (int32_t d = 2; d < from.rank; ++d) {
    elements.add(from.sizes[d], from.strides[d], to.strides[d]);
  }
}

/// Batch norm by given statistics: arguments input, weight, bias, mean, variance, then as said.
void batch_norm(OpArgs& args, size_t eps_index, size_t out_index) {
  Norm norm{};
  norm.input = args.tensor(0, ScalarType::Float);
  const int32_t channels = channels_of(args, norm.input);
  norm.weight = optional_floats(args, 1, channels);
  norm.bias = optional_floats(args, 2, channels);
  args.check(!args.is_none(3) && !args.is_none(4), "mean or variance");
  norm.means = optional_floats(args, 3, channels);
  norm.variances = optional_floats(args, 4, channels);
  args.number(eps_index - 1);  // momentum, of no meaning here
  norm.epsilon = epsilon_of(args, eps_index);
  norm.out = args.tensor(out_index, ScalarType::Float);
  norm.parameters_per_group = 1;
  // What training would save: nothing.
  static constexpr int32_t kNothing[1] = {0};
  const Tensor* const means = args.tensor(out_index + 1, ScalarType::Float);
  const Tensor* const deviations = args.tensor(out_index + 2, ScalarType::Float);
  if (args.resize_as(norm.out, norm.input) && args.resize(means, kNothing, 1) &&
      args.resize(deviations, kNothing, 1)) {
    run_channels(norm);
  }
}

}  // namespace

void aten___native_batch_norm_legit_no_training_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_native_batch_norm_legit_no_training.out", 10);
  batch_norm(args, 6, 7);
}

void aten___native_batch_norm_legit_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_native_batch_norm_legit.out", 11);
  args.check(!args.boolean(5), "training");
  batch_norm(args, 7, 8);
}

void aten___native_batch_norm_legit_no_stats_out(KernelRuntimeContext& ctx,
                                                 Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_native_batch_norm_legit.no_stats_out", 9);
  Norm norm{};
  norm.input = args.tensor(0, ScalarType::Float);
  const int32_t channels = channels_of(args, norm.input);
  norm.weight = optional_floats(args, 1, channels);
  norm.bias = optional_floats(args, 2, channels);
  args.check(args.boolean(3), "training");  // without statistics there is no other way
  args.number(4);
  norm.epsilon = epsilon_of(args, 5);
  norm.out = args.tensor(6, ScalarType::Float);
  norm.parameters_per_group = 1;
  const Tensor* const means = args.tensor(7, ScalarType::Float);
  const Tensor* const deviations = args.tensor(8, ScalarType::Float);
  const int32_t sizes[1] = {channels};
  if (args.resize_as(norm.out, norm.input) && args.resize(means, sizes, 1) &&
      args.resize(deviations, sizes, 1)) {
    norm.out_means = means->mutable_data_ptr<float>();
    norm.out_deviations = deviations->mutable_data_ptr<float>();
    run_channels(norm);
  }
}

void aten__native_layer_norm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::native_layer_norm.out", 8);
  Norm norm{};
  norm.input = args.tensor(0, ScalarType::Float);
  const auto shape = args.ints(1, -1);
  const Tensor* const weight = args.optional_tensor(2, ScalarType::Float);
  const Tensor* const bias = args.optional_tensor(3, ScalarType::Float);
  norm.epsilon = epsilon_of(args, 4);
  norm.out = args.tensor(5, ScalarType::Float);
  const Tensor* const means = args.tensor(6, ScalarType::Float);
  const Tensor* const deviations = args.tensor(7, ScalarType::Float);
  if (!args.ok() ||
      !args.check(shape.size() >= 1 && shape.size() <= static_cast<size_t>(norm.input->dim()),
                  "normalized_shape")) {
    return;
  }
  const int32_t rank = static_cast<int32_t>(norm.input->dim());
  const int32_t inner = static_cast<int32_t>(shape.size());
  const Tensor* const parameters[2] = {weight, bias};
  int32_t saved[kMaxDims];
  for (int32_t d = 0; d < rank; ++d) {
    const int32_t size = sizes_of(*norm.input)[d];
    const int32_t at = d - (rank - inner);
    saved[d] = at < 0 ? size : 1;
    args.check(at < 0 || shape.data()[at] == size, "normalized_shape");
    for (int32_t i = 0; i < 2; ++i) {
      args.check(parameters[i] == nullptr || at < 0 ||
                     (parameters[i]->dim() == inner && sizes_of(*parameters[i])[at] == size),
                 "shape of a parameter");
    }
  }
  for (int32_t i = 0; i < 2; ++i) {
    if (parameters[i] != nullptr) {
      args.contiguous(parameters[i]);
    }
  }
  if (!args.resize_as(norm.out, norm.input) || !args.resize(means, saved, rank) ||
      !args.resize(deviations, saved, rank)) {
    return;
  }
  args.contiguous(means);
  args.contiguous(deviations);
  if (!args.ok()) {
    return;
  }
  norm.weight = weight != nullptr ? weight->const_data_ptr<float>() : nullptr;
  norm.bias = bias != nullptr ? bias->const_data_ptr<float>() : nullptr;
  norm.out_means = means->mutable_data_ptr<float>();
  norm.out_deviations = deviations->mutable_data_ptr<float>();
  int32_t* const steps = saved;  // its sizes have served
  int32_t step = norm.input->numel() == 0 ? 0 : 1;
  for (int32_t d = rank - 1; d >= rank - inner; --d) {
    steps[d] = step;
    step *= sizes_of(*norm.input)[d];
  }
  BlockLoop groups;
  BlockLoop elements;
  add_dimensions(norm, (1u << (rank - inner)) - 1, steps, groups, elements);
  norm.run(groups, elements);
}

void aten__native_group_norm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::native_group_norm.out", 11);
  Norm norm{};
  norm.input = args.tensor(0, ScalarType::Float);
  const int32_t channels = channels_of(args, norm.input);
  norm.weight = optional_floats(args, 1, channels);
  norm.bias = optional_floats(args, 2, channels);
  const int32_t batch = args.integer(3, 0, INT32_MAX);
  const bool same = args.integer(4, 0, INT32_MAX) == channels;
  const int64_t pixels = args.integer(5, 0, INT32_MAX);
  const int32_t count = args.integer(6, 1, INT32_MAX);
  norm.epsilon = epsilon_of(args, 7);
  norm.out = args.tensor(8, ScalarType::Float);
  const Tensor* const means = args.tensor(9, ScalarType::Float);
  const Tensor* const deviations = args.tensor(10, ScalarType::Float);
  if (!args.ok()) {
    return;
  }
  const int32_t* const from = sizes_of(*norm.input);
  int64_t product = 1;
  for (int32_t d = 2; d < norm.input->dim(); ++d) {
    product = product > INT32_MAX ? product : product * from[d];
  }
  args.check(same && batch == from[0] && pixels == product, "N, C or HxW");
  args.check(channels % count == 0, "group");
  const int32_t sizes[2] = {batch, count};
  if (!args.resize_as(norm.out, norm.input) || !args.resize(means, sizes, 2) ||
      !args.resize(deviations, sizes, 2)) {
    return;
  }
  args.contiguous(means);
  args.contiguous(deviations);
  if (!args.ok()) {
    return;
  }
  norm.out_means = means->mutable_data_ptr<float>();
  norm.out_deviations = deviations->mutable_data_ptr<float>();
  const int32_t per_group = channels / count;
  BlockLoop groups;
  BlockLoop elements;
  add_channel_groups(norm, count, per_group, groups, elements);
  norm.parameters_per_group = per_group;
  norm.parameter_groups = count;
  norm.run(groups, elements);
}

}  // namespace mcugen::ops
