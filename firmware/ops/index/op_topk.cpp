// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/index/operators.h>

#include <cstring>

namespace mcugen::ops {
namespace {

/// @returns a number that orders elements as torch does: NaN is the greatest.
int64_t sort_key(const void* value, ScalarType type) {
  if (type != ScalarType::Float) {
    return load_int(value, type, 0);
  }
  int32_t bits;
  memcpy(&bits, value, sizeof bits);
  const int32_t magnitude = bits & INT32_MAX;
  if (magnitude > 0x7f800000) {
    return INT64_MAX;
  }
  return bits < 0 ? -static_cast<int64_t>(magnitude) : magnitude;
}

}  // namespace

/// Of equals, the first comes first. Finds one after the other, which takes no memory.
void aten__topk_values(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::topk.values", 7);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  const bool largest = args.boolean(3);
  args.boolean(4);  // sorted: always
  const Tensor* const values = args.tensor(5);
  const Tensor* const indices = args.tensor(6, ScalarType::Long);
  check_types(args, values, self, false);
  if (!args.ok()) {
    return;
  }
  View from(*self);
  const int32_t rank = from.rank;
  if (rank == 0) {
    from.insert(args, 0, 1, 1);
  }
  const int32_t d = args.dim(2, from.rank);
  if (!args.ok()) {
    return;
  }
  const int32_t size = from.sizes[d];
  const int32_t step = from.strides[d];
  const int32_t k = args.integer(1, 0, size);
  from.sizes[d] = k;
  if (!args.resize(values, from.sizes, rank) || !args.resize(indices, from.sizes, rank)) {
    return;
  }
  View places[2] = {View(*values), View(*indices)};
  BlockLoop loop;
  for (int32_t i = 0; i < from.rank; ++i) {
    loop.add(i == d ? 1 : from.sizes[i], from.strides[i], places[0].strides[i],
             places[1].strides[i]);
  }
  if (loop.empty()) {
    return;
  }
  const ScalarType type = self->scalar_type();
  do {
    int64_t last = 0;
    int32_t last_at = -1;  // of the element found before
    for (int32_t i = 0; i < k; ++i) {
      int64_t best = 0;
      int32_t best_at = -1;
      for (int32_t j = 0; j < size; ++j) {
        int64_t key = sort_key(element(self, loop.offset(0) + j * step), type);
        key = largest ? key : -1 - key;  // no overflow, same order backwards
        const bool is_left = last_at < 0 || key < last || (key == last && j > last_at);
        if (is_left && (best_at < 0 || key > best)) {
          best = key;
          best_at = j;
        }
      }
      last = best;
      last_at = best_at < 0 ? 0 : best_at;  // none left only if values lie where self lies
      const int32_t value_at = loop.offset(1) + i * places[0].strides[d];
      const int32_t index_at = loop.offset(2) + i * places[1].strides[d];
      copy_run(1, element(values, value_at), type, 1,
               element(self, loop.offset(0) + last_at * step), type, 1);
      store_int(element(indices, index_at), ScalarType::Long, 0, last_at);
    }
  } while (loop.next());
}

}  // namespace mcugen::ops
