#include "nn/attention_kernels.h"

#include <algorithm>
#include <cmath>

#include "nn/pages.h"
#include "nn/plan.h"

namespace vesalius::nn {
namespace {

constexpr int64_t kMostHeadChannels = 128, kGroupChannels = 32;

/// The sequences of all groups by their first row.
struct Sequence {
  int64_t row, length;
};

std::vector<Sequence> sequences_of(const std::vector<Sequences>& groups) {
  std::vector<Sequence> all;
  int64_t row = 0;
  for (const auto& group : groups)
    for (int64_t i = 0; i < group.count; ++i, row += group.length)
      all.push_back({row, group.length});
  return all;
}

/// True if rows are at the same distance in all three, channels side by side.
bool alike(const Qkv& x) {
  const auto fits = [&](const at::Tensor& part) {
    return part.stride(1) == 1 && part.stride(0) == x.q.stride(0);
  };
  return fits(x.q) && fits(x.k) && fits(x.v);
}

}  // namespace

at::Tensor kernel_attention(const KernelTable& kernels, Qkv x, int64_t heads,
                            const std::vector<Sequences>& groups, const PadKeys& pads) {
  const int64_t dim = x.q.size(1), head_dim = dim / heads;
  if (head_dim > kMostHeadChannels) return {};
  if (!alike(x)) x = {x.q.contiguous(), x.k.contiguous(), x.v.contiguous()};
  auto y = pooled_empty({x.q.size(0), dim});
  const auto all = sequences_of(groups);
  int64_t longest = 0;
  for (const auto& one : all) longest = std::max(longest, one.length);
  const auto pad = pads.qkv.defined() ? pads.qkv.to(at::kFloat).contiguous() : at::Tensor();
  const float *queries = x.q.const_data_ptr<float>(), *keys = x.k.const_data_ptr<float>();
  const float* values = x.v.const_data_ptr<float>();
  const int64_t stride = x.q.stride(0);
  const float* pad_row = pad.defined() ? pad.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  const auto task = [&](int64_t number, float* scratch) {
    const auto [row, length] = all[number / heads];
    const int64_t column = number % heads * head_dim;
    const int64_t at = row * stride + column;
    const int64_t missing = pad_row ? std::max<int64_t>(pads.length - length, 0) : 0;
    AttentionHead head{queries + at, keys + at, values + at, stride, length, head_dim};
    if (missing > 0) {
      head.pad_key = pad_row + dim + column;
      head.pad_value = pad_row + 2 * dim + column;
      head.pad_score = std::log(static_cast<float>(missing));
    }
    head.scale = scale;
    head.y = to + row * dim + column;
    head.y_stride = dim;
    kernels.attention(head, scratch);
  };
  run_tasks(std::ssize(all) * heads, kernels.attention_scratch(longest, head_dim), task);
  return y;
}

at::Tensor kernel_text_attention(const KernelTable& kernels, const at::Tensor& queries,
                                 at::Tensor keys, at::Tensor values, int64_t window) {
  const int64_t batch = queries.size(0), rows = queries.size(1), heads = queries.size(2);
  const int64_t head_dim = queries.size(3), length = keys.size(2), group = heads / keys.size(1);
  const auto type = keys.scalar_type();
  if (head_dim > kMostTextChannels || !keys.is_cpu() || type != values.scalar_type() ||
      (type != at::kFloat && type != at::kBFloat16))
    return {};
  const auto even = [&](const at::Tensor& x) {
    return x.stride(3) == 1 && x.stride(2) == head_dim;
  };
  if (!even(keys) || !even(values) || keys.strides() != values.strides()) {
    keys = keys.contiguous();
    values = values.contiguous();
  }
  const auto q = queries.contiguous();
  auto y = pooled_empty({batch, rows, heads * head_dim});
  const int64_t width = heads * head_dim;
  const int64_t bytes = static_cast<int64_t>(keys.element_size());
  const auto* k = static_cast<const char*>(keys.const_data_ptr());
  const auto* v = static_cast<const char*>(values.const_data_ptr());
  const float* from = q.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  const auto scratch_floats = kernels.text_scratch(length, head_dim, rows);
  run_tasks(batch * heads, scratch_floats, [&](int64_t task, float* scratch) {
    const int64_t text = task / heads, head = task % heads;
    const int64_t at = (text * keys.stride(0) + head / group * keys.stride(1)) * bytes;
    const int64_t column = text * rows * width + head * head_dim;
    kernels.text_attention({.q = from + column,
                            .keys = k + at,
                            .values = v + at,
                            .bf16 = type == at::kBFloat16,
                            .q_stride = width,
                            .rows = rows,
                            .length = length,
                            .head_dim = head_dim,
                            .window = window,
                            .scale = scale,
                            .y = to + column,
                            .y_stride = width},
                           scratch);
  });
  return y;
}

at::Tensor kernel_channel_attention(const KernelTable& kernels, const at::Tensor& qkv,
                                    int64_t groups) {
  const int64_t batch = qkv.size(0), tokens = qkv.size(1), dim = qkv.size(2) / 3;
  if (dim != groups * kGroupChannels) return {};
  const auto x = qkv.contiguous();
  auto y = pooled_empty({batch, tokens, dim});
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(tokens)));
  run_tasks(batch * groups, kernels.channel_scratch, [&](int64_t task, float* scratch) {
    const int64_t image = task / groups, column = task % groups * kGroupChannels;
    const float* q = from + image * tokens * 3 * dim + column;
    float* result = to + image * tokens * dim + column;
    kernels.channel({q, q + dim, q + 2 * dim, 3 * dim, tokens, scale, result, dim}, scratch);
  });
  return y;
}

}  // namespace vesalius::nn
