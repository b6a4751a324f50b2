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

}  // namespace

at::Tensor kernel_attention(const KernelTable& kernels, const at::Tensor& qkv, int64_t heads,
                            const std::vector<Sequences>& groups, const PadKeys& pads) {
  const int64_t dim = qkv.size(1) / 3, head_dim = dim / heads;
  if (head_dim > kMostHeadChannels) return {};
  const auto x = qkv.contiguous();
  auto y = pooled_empty({x.size(0), dim});
  const auto all = sequences_of(groups);
  int64_t longest = 0;
  for (const auto& one : all) longest = std::max(longest, one.length);
  const auto pad = pads.qkv.defined() ? pads.qkv.to(at::kFloat).contiguous() : at::Tensor();
  const float* from = x.const_data_ptr<float>();
  const float* pad_row = pad.defined() ? pad.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  const auto task = [&](int64_t number, float* scratch) {
    const auto [row, length] = all[number / heads];
    const int64_t column = number % heads * head_dim;
    const float* q = from + row * 3 * dim + column;
    const int64_t missing = pad_row ? std::max<int64_t>(pads.length - length, 0) : 0;
    AttentionHead head{q, q + dim, q + 2 * dim, 3 * dim, length, head_dim};
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
