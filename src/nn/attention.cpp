#include "nn/attention.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "nn/attention_kernels.h"
#include "nn/plan.h"

namespace vesalius::nn {
namespace {

/// [count * length, 3 * dim] -> [3, count, heads, length, head_dim]
at::Tensor split_heads(const at::Tensor& qkv, int64_t heads, Sequences group) {
  return qkv.view({group.count, group.length, 3, heads, -1}).permute({2, 0, 3, 1, 4});
}

/// [count, heads, length, head_dim] -> [count * length, dim]
at::Tensor merge_heads(const at::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), -1});
}

/// One group: [count * length, 3 * dim] -> [count * length, dim].
at::Tensor attend(const at::Tensor& qkv, int64_t heads, Sequences group, const PadKeys& pads) {
  const auto qkv_heads = split_heads(qkv, heads, group);
  auto q = qkv_heads[0], k = qkv_heads[1], v = qkv_heads[2];  // [count, heads, length, head_dim]
  std::optional<at::Tensor> bias;
  if (const int64_t missing = pads.length - group.length; pads.qkv.defined() && missing > 0) {
    const auto pad = pads.qkv.to(qkv.scalar_type())
                         .view({3, 1, heads, 1, -1})
                         .expand({3, group.count, heads, 1, q.size(-1)});
    k = at::cat({k, pad[1]}, 2);
    v = at::cat({v, pad[2]}, 2);
    bias = at::zeros({1, 1, 1, group.length + 1}, q.options());
    bias->narrow(3, group.length, 1).fill_(std::log(static_cast<double>(missing)));
    bias = bias->expand({group.count, heads, group.length, group.length + 1});
  }
  return merge_heads(at::scaled_dot_product_attention(q, k, v, bias));
}

/// Which of `length` keys each of the last `tokens` tokens sees: [tokens, length].
at::Tensor visible(int64_t tokens, int64_t length, int64_t window, at::Device device) {
  const auto keys = at::arange(length, at::device(device).dtype(at::kLong));
  const auto queries = keys.narrow(0, length - tokens, tokens).unsqueeze(1);
  const auto causal = keys <= queries;
  return window > 0 ? causal.logical_and(keys > queries - window) : causal;
}

/// each(part of qkv, its group) for every group, the results behind one another.
template <class Each>
at::Tensor by_group(const at::Tensor& qkv, const std::vector<Sequences>& groups, const Each& each) {
  if (groups.size() == 1) return each(qkv, groups[0]);
  std::vector<int64_t> sizes;
  sizes.reserve(groups.size());
  for (const auto& group : groups) sizes.push_back(group.count * group.length);
  auto parts = at::split_with_sizes(qkv, sizes);
  for (size_t i = 0; i < groups.size(); ++i) parts[i] = each(parts[i], groups[i]);
  return at::cat(parts);
}

/// Row numbers of a batch's windows of one shape, in window order.
at::Tensor window_rows(const at::Tensor& part, int64_t high, int64_t wide) {
  return part.reshape({part.size(0), part.size(1) / high, high, part.size(2) / wide, wide})
      .permute({0, 1, 3, 2, 4})
      .reshape(-1);
}

/// Rows by number. An embedding rather than index_select: its gradient is the faster one on the
/// CPU.
at::Tensor rows_of(const at::Tensor& x, const at::Tensor& numbers) {
  if (planned_kernels() != nullptr && fits_kernels(x)) return kernel_rows(x, numbers);
  return at::embedding(x, numbers);
}

}  // namespace

at::Tensor packed_attention(const at::Tensor& qkv, int64_t heads,
                            const std::vector<Sequences>& groups, const PadKeys& pads) {
  if (const auto* kernels = fits_kernels(qkv) ? planned_kernels() : nullptr) {
    const auto x = qkv.contiguous().chunk(3, 1);
    if (auto y = kernel_attention(*kernels, {x[0], x[1], x[2]}, heads, groups, pads); y.defined())
      return y;
  }
  return by_group(qkv, groups, [&](const at::Tensor& part, Sequences group) {
    return attend(part, heads, group, pads);
  });
}

at::Tensor packed_attention(const Qkv& x, int64_t heads, const std::vector<Sequences>& groups) {
  const bool fits = fits_kernels(x.q) && fits_kernels(x.k) && fits_kernels(x.v);
  if (const auto* kernels = fits ? planned_kernels() : nullptr)
    if (auto y = kernel_attention(*kernels, x, heads, groups, {}); y.defined()) return y;
  return packed_attention(at::cat({x.q, x.k, x.v}, 1), heads, groups);
}

at::Tensor causal_attention(const at::Tensor& qkv, int64_t heads,
                            const std::vector<Sequences>& groups) {
  return by_group(qkv, groups, [&](const at::Tensor& part, Sequences group) {
    const auto x = split_heads(part, heads, group);
    return merge_heads(at::scaled_dot_product_attention(x[0], x[1], x[2], {}, 0, true));
  });
}

at::TensorOptions cache_options(const at::Tensor& weight) {
  return at::device(weight.device())
      .dtype(weight.is_cpu() ? planned_cache_type() : weight.scalar_type());
}

at::Tensor text_attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                          int64_t window) {
  const auto record =
      at::GradMode::is_enabled() && (keys.requires_grad() || values.requires_grad());
  if (const auto* kernels = fits_kernels(q) && !record ? planned_kernels() : nullptr)
    if (auto y = kernel_text_attention(*kernels, q, keys, values, window); y.defined()) return y;
  const int64_t tokens = q.size(1), length = keys.size(2);
  const bool whole = window <= 0 || window >= length;
  std::optional<at::Tensor> mask;
  if (!whole || (tokens > 1 && tokens < length)) mask = visible(tokens, length, window, q.device());
  const bool causal = !mask && tokens > 1;
  const bool grouped = q.size(2) != keys.size(1);
  const auto type = q.scalar_type();
  return at::scaled_dot_product_attention(q.transpose(1, 2), keys.to(type), values.to(type), mask,
                                          0, causal, {}, grouped)
      .transpose(1, 2)
      .flatten(2);
}

Windows::Windows(int64_t batch, int64_t height, int64_t width, int64_t window, at::Device device)
    : batch_(batch), height_(height), width_(width), window_(window) {
  const auto rows = at::arange(batch * height * width, at::kLong).view({batch, height, width});
  std::vector<at::Tensor> order;
  const int64_t whole_high = height / window * window, whole_wide = width / window * window;
  for (const auto& [top, high] :
       {std::pair{int64_t{0}, whole_high}, {whole_high, height - whole_high}}) {
    for (const auto& [left, wide] :
         {std::pair{int64_t{0}, whole_wide}, {whole_wide, width - whole_wide}}) {
      if (high == 0 || wide == 0) continue;
      const int64_t rows_each = std::min(high, window), columns_each = std::min(wide, window);
      order.push_back(
          window_rows(rows.narrow(1, top, high).narrow(2, left, wide), rows_each, columns_each));
      const int64_t length = rows_each * columns_each;
      groups_.push_back({order.back().numel() / length, length});
    }
  }
  const auto all = at::cat(order);
  order_ = all.to(device);
  inverse_ = at::argsort(all).to(device);
}

at::Tensor Windows::partition(const at::Tensor& x) const {
  return rows_of(x.reshape({batch_ * height_ * width_, -1}), order_);
}

at::Tensor Windows::reverse(const at::Tensor& rows) const {
  return rows_of(rows, inverse_).view({batch_, height_, width_, -1});
}

at::Tensor channel_attention(const at::Tensor& qkv, int64_t groups) {
  if (const auto* kernels = fits_kernels(qkv) ? planned_kernels() : nullptr)
    if (auto y = kernel_channel_attention(*kernels, qkv, groups); y.defined()) return y;
  const int64_t batch = qkv.size(0), tokens = qkv.size(1);
  const auto x = qkv.view({batch, tokens, 3, groups, -1}).permute({2, 0, 3, 1, 4});
  const auto q = x[0], k = x[1], v = x[2];  // [batch, groups, tokens, channels]
  const double scale = 1 / std::sqrt(static_cast<double>(tokens));
  const auto weights = at::softmax(at::matmul(q.transpose(-1, -2), k) * scale, -1);
  return at::matmul(v, weights.transpose(-1, -2)).transpose(1, 2).reshape({batch, tokens, -1});
}

}  // namespace vesalius::nn
