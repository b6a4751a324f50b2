// Attention of one head inside one sequence, and between the channels of one group. Only for
// kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_math.h"

namespace vesalius::nn {
namespace {

/// Where the parts of one head's work stand in scratch memory. All products are tiles: scores are q
/// times keys packed across, results are weights times values packed along.
template <class V>
struct AttentionPlan {
  static constexpr int64_t P = 2 * V::kWidth;
  int64_t keys, padded_keys, columns;  // with the pad key; in whole panels; of a result
  int64_t key_steps, value_steps;      // steps along a head's channels; along keys
  int64_t key_at, value_at, row_at, score_at, result_at, size;

  AttentionPlan(int64_t length, int64_t head_dim)
      : keys(length + 1),
        padded_keys(round_up(keys, P)),
        columns(round_up(head_dim, P)),
        key_steps(steps_of<V>(head_dim)),
        value_steps(steps_of<V>(padded_keys)) {
    key_at = 0;
    value_at = key_at + padded_keys * key_steps;
    row_at = value_at + columns * value_steps;
    const int64_t row_words =
        blocks_size<V>(V::kRows, padded_keys > head_dim ? padded_keys : head_dim);
    score_at = row_at + row_words;
    result_at = score_at + V::kRows * padded_keys;
    size = result_at + V::kRows * columns;
  }
};

template <class V>
int64_t attention_scratch(int64_t length, int64_t head_dim) {
  return round_up(AttentionPlan<V>(length, head_dim).size, 16);
}

/// K as panels of keys, [head_dim steps, panel]; `row(i)` is where key i begins, null beyond the
/// last, which are zero.
template <class V, class Row>
void pack_keys(const Row& row, int64_t padded, int64_t head_dim, float* to) {
  constexpr int64_t P = 2 * V::kWidth;
  for (int64_t first = 0; first < padded; first += V::kWidth)
    to_columns<V>([&](int64_t i) -> const float* { return row(first + i); }, head_dim,
                  to + first / P * P * steps_of<V>(head_dim) + first % P);
}

/// V as panels of channels, [key steps, panel]: a step joins kPerStep keys.
template <class V, class Row>
void pack_values(const Row& row, int64_t padded, int64_t head_dim, float* to) {
  constexpr int64_t P = 2 * V::kWidth, kSome = V::kPerStep;
  const int64_t steps = steps_of<V>(padded);
  static constexpr float kZeros[P] = {};
  float pairs[kSome * P] = {};
  for (int64_t s = 0; s < steps; ++s) {
    const float* values[kSome];
    for (int64_t i = 0; i < kSome; ++i) values[i] = row(s * kSome + i);
    for (int64_t c = 0; c < head_dim; c += P) {
      const int64_t count = smaller(P, head_dim - c);
      const float* v[kSome];
      for (int64_t i = 0; i < kSome; ++i) v[i] = values[i] != nullptr ? values[i] + c : kZeros;
      for (int64_t j = 0; j < count; ++j)
        for (int64_t i = 0; i < kSome; ++i) pairs[j * kSome + i] = v[i][j];
      V::to_steps(to + c * steps + s * P, pairs, P * kSome);
    }
  }
}

template <class V>
float largest(const float* x, int64_t count) {
  auto most = V::load(x);
  for (int64_t i = V::kWidth; i < count; i += V::kWidth) most = V::max(most, V::load(x + i));
  float lanes[V::kWidth];
  V::store(lanes, most);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  return result;
}

/// x[i] = e^(x[i] - largest); gives the sum. `count` is of whole panels.
template <class V>
float exponentials(float* x, int64_t count) {
  const auto most = V::set(largest<V>(x, count));
  auto sum = V::zero();
  for (int64_t i = 0; i < count; i += V::kWidth) {
    const auto e = exponential<V>(V::sub(V::load(x + i), most));
    V::store(x + i, e);
    sum = V::add(sum, e);
  }
  float lanes[V::kWidth], total = 0;
  V::store(lanes, sum);
  for (const float lane : lanes) total += lane;
  return total;
}

/// `rows` queries from query `first`.
template <class V>
void attend_rows(const AttentionHead& h, const AttentionPlan<V>& plan, int64_t keys, int64_t first,
                 int64_t rows, float* scratch) {
  constexpr int64_t P = 2 * V::kWidth;
  float *a = scratch + plan.row_at, *scores = scratch + plan.score_at;
  float *results = scratch + plan.result_at, sums[V::kRows], scaled[128];
  const int64_t padded = round_up(keys, P);
  for (int64_t i = 0; i < rows; ++i) {
    const float* q = h.q + (first + i) * h.stride;
    for (int64_t c = 0; c < h.head_dim; ++c) scaled[c] = q[c] * h.scale;
    copy_row<V>(a, i, rows, scaled, h.head_dim);
  }
  for (int64_t n = 0; n < padded; n += P)
    tiles<V>(plan.key_steps, a, 0, rows, rows, scratch + plan.key_at + n * plan.key_steps,
             scores + n, plan.padded_keys, false);
  for (int64_t i = 0; i < rows; ++i) {
    float* row = scores + i * plan.padded_keys;
    if (keys > h.length) row[h.length] += h.pad_score;
    for (int64_t n = keys; n < padded; ++n) row[n] = -1e30F;
    sums[i] = exponentials<V>(row, padded);
    for (int64_t n = keys; n < padded; ++n) row[n] = 0;
    copy_row<V>(a, i, rows, row, padded);
  }
  for (int64_t c = 0; c < plan.columns; c += P)
    tiles<V>(steps_of<V>(padded), a, 0, rows, rows,
             scratch + plan.value_at + c * steps_of<V>(padded), results + c, plan.columns, false);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = 0; c < h.head_dim; ++c)
      h.y[(first + i) * h.y_stride + c] = results[i * plan.columns + c] / sums[i];
}

/// Heads of up to 128 channels.
template <class V>
void attention(const AttentionHead& h, float* scratch) {
  const AttentionPlan<V> plan(h.length, h.head_dim);
  const int64_t keys = h.length + (h.pad_key != nullptr ? 1 : 0);
  const int64_t padded = round_up(keys, 2 * V::kWidth);
  const auto row = [&](const float* rows, const float* pad, int64_t i) {
    return i < h.length ? rows + i * h.stride : i < keys ? pad : nullptr;
  };
  pack_keys<V>([&](int64_t i) { return row(h.k, h.pad_key, i); }, padded, h.head_dim,
               scratch + plan.key_at);
  pack_values<V>([&](int64_t i) { return row(h.v, h.pad_value, i); }, padded, h.head_dim,
                 scratch + plan.value_at);
  const int64_t parts = divide_up(h.length, V::kRows);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = h.length * part / parts;
    attend_rows<V>(h, plan, keys, first, h.length * (part + 1) / parts - first, scratch);
  }
}

constexpr int64_t kChannels = 32;

/// sums [32, 32] += q^T k, `R` rows of it from channel `first` of q.
template <class V, int R>
void outer_sums(const ChannelGroup& g, int64_t first, int64_t column, int64_t token, int64_t tokens,
                float* sums) {
  constexpr int W = V::kWidth;
  typename V::Reg sum[R][2];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) sum[i][0] = sum[i][1] = V::zero();
  for (int64_t t = token; t < token + tokens; ++t) {
    const float *q = g.q + t * g.stride + first, *k = g.k + t * g.stride + column;
    const auto k0 = V::load(k), k1 = V::load(k + W);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const auto x = V::set(q[i]);
      sum[i][0] = V::fma(x, k0, sum[i][0]);
      sum[i][1] = V::fma(x, k1, sum[i][1]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
    float* row = sums + (first + i) * kChannels + column;
    V::store(row, V::add(V::load(row), sum[i][0]));
    V::store(row + W, V::add(V::load(row + W), sum[i][1]));
  }
}

template <class V>
constexpr int64_t kChannelScratch = 2 * kChannels* kChannels +
                                    blocks_size<V>(V::kRows, kChannels) + V::kRows* kChannels;

/// Softmax of the rows of [32, 32], packed so that a product with it takes its transpose.
template <class V>
void channel_weights(float* sums, float scale, float* packed) {
  constexpr int64_t P = 2 * V::kWidth, kSome = kChannels / V::kPerStep;
  for (int64_t i = 0; i < kChannels; ++i) {
    float *row = sums + i * kChannels, steps[kChannels];
    for (int64_t j = 0; j < kChannels; ++j) row[j] *= scale;
    const float total = exponentials<V>(row, kChannels);
    for (int64_t j = 0; j < kChannels; ++j) row[j] /= total;
    V::to_steps(steps, row, kChannels);
    for (int64_t s = 0; s < kSome; ++s) packed[i / P * P * kSome + s * P + i % P] = steps[s];
  }
}

/// In fp32 for q and k, whose products add up over all tokens; as V multiplies for the rest.
template <class V, class Exact>
void channel_attention(const ChannelGroup& g, float* scratch) {
  constexpr int64_t P = 2 * V::kWidth, kPart = 128, kSome = kChannels / V::kPerStep;
  constexpr int R = V::kWidth == 8 ? 4 : 8;
  float *sums = scratch, *weights = sums + kChannels * kChannels;
  float *results = weights + kChannels * kChannels, *a = results + V::kRows * kChannels;
  for (int64_t i = 0; i < kChannels * kChannels; ++i) sums[i] = 0;
  for (int64_t t = 0; t < g.tokens; t += kPart)
    for (int64_t column = 0; column < kChannels; column += P)
      for (int64_t first = 0; first < kChannels; first += R)
        outer_sums<Exact, R>(g, first, column, t, smaller(kPart, g.tokens - t), sums);
  channel_weights<V>(sums, g.scale, weights);
  for (int64_t t = 0; t < g.tokens; t += V::kRows) {
    const int64_t rows = smaller(V::kRows, g.tokens - t);
    for (int64_t i = 0; i < rows; ++i) copy_row<V>(a, i, rows, g.v + (t + i) * g.stride, kChannels);
    for (int64_t c = 0; c < kChannels; c += P)
      tiles<V>(kSome, a, 0, rows, rows, weights + c * kSome, results + c, kChannels, false);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t c = 0; c < kChannels; ++c)
        g.y[(t + i) * g.y_stride + c] = results[i * kChannels + c];
  }
}

}  // namespace
}  // namespace vesalius::nn
