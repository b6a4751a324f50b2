// Causal attention of one head over the keys and values of a text so far. Only for kernels_*.cpp,
// as kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_attention.h"

namespace vesalius::nn {
namespace {

/// Up to so many queries go through keys and values as they lie in the cache, one query after
/// another: in the order of sums that one alone has, so that guessed tokens change nothing.
constexpr int64_t kFewQueries = 16;

template <class V>
int64_t text_scratch(int64_t length, int64_t head_dim, int64_t rows) {
  if (rows <= kFewQueries) return round_up(length, V::kWidth) + V::kWidth * V::kWidth;
  return round_up(AttentionPlan<V>(length, head_dim).size + V::kWidth * head_dim, 16);
}

/// Keys that query `row` sees: [begin, end).
struct Seen {
  int64_t begin, end;

  Seen(const TextHead& h, int64_t row) : begin(0), end(h.length - h.rows + row + 1) {
    if (h.window > 0 && end > h.window) begin = end - h.window;
  }
};

template <class V, class T>
float dot_rest(const float* q, const T* k, int64_t from, int64_t count) {
  float sum = 0;
  for (int64_t i = from; i < count; ++i) sum += q[i] * number_of(k[i]);
  return sum;
}

/// scores[key - seen.begin] = q k; kWidth keys at a time, whose sums are added up together.
template <class V, class T>
void few_scores(const TextHead& h, const float* q, const Seen& seen, float* scores, float* block) {
  constexpr int W = V::kWidth;
  const auto* keys = static_cast<const T*>(h.keys);
  const int64_t whole = h.head_dim / W * W;
  for (int64_t key = seen.begin; key < seen.end; key += W, scores += W) {
    const int64_t count = smaller(W, seen.end - key);
    for (int64_t i = 0; i < W; ++i) {
      auto sum = V::zero();
      const T* k = keys + (key + smaller(i, count - 1)) * h.head_dim;
      for (int64_t c = 0; c < whole; c += W) sum = V::fma(V::load(q + c), V::load(k + c), sum);
      V::store(block + i * W, sum);
      block[i * W] += dot_rest<V>(q, k, whole, h.head_dim);
    }
    V::transpose(block);
    auto sums = V::load(block);
    for (int64_t i = 1; i < W; ++i) sums = V::add(sums, V::load(block + i * W));
    V::store(scores, sums);
    for (int64_t i = count; i < W; ++i) scores[i] = -1e30F;
  }
}

/// N vectors of y from channel c: the sum of weights times values.
template <class V, class T, int N>
void few_values(const TextHead& h, const Seen& seen, const float* weights, int64_t c, float scale,
                float* y) {
  constexpr int W = V::kWidth;
  const auto* v = static_cast<const T*>(h.values) + seen.begin * h.head_dim + c;
  typename V::Reg sums[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) sums[i] = V::zero();
  for (int64_t key = seen.begin; key < seen.end; ++key, v += h.head_dim) {
    const auto weight = V::set(*weights++);
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) sums[i] = V::fma(weight, V::load(v + i * W), sums[i]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) V::store(y + c + i * W, V::mul(sums[i], V::set(scale)));
}

template <class V, class T>
void few_queries(const TextHead& h, float* scratch) {
  constexpr int W = V::kWidth;
  float scaled[kMostTextChannels], *block = scratch + round_up(h.length, W);
  for (int64_t row = 0; row < h.rows; ++row) {
    const Seen seen(h, row);
    for (int64_t c = 0; c < h.head_dim; ++c) scaled[c] = h.q[row * h.q_stride + c] * h.scale;
    few_scores<V, T>(h, scaled, seen, scratch, block);
    const float scale = 1 / exponentials<V>(scratch, round_up(seen.end - seen.begin, W));
    float* y = h.y + row * h.y_stride;
    int64_t c = 0;
    for (; c + 8 * W <= h.head_dim; c += 8 * W) few_values<V, T, 8>(h, seen, scratch, c, scale, y);
    for (; c + 2 * W <= h.head_dim; c += 2 * W) few_values<V, T, 2>(h, seen, scratch, c, scale, y);
    for (; c + W <= h.head_dim; c += W) few_values<V, T, 1>(h, seen, scratch, c, scale, y);
    for (; c < h.head_dim; ++c) {
      const auto* v = static_cast<const T*>(h.values) + c;
      float sum = 0;
      for (int64_t key = seen.begin; key < seen.end; ++key)
        sum += scratch[key - seen.begin] * number_of(v[key * h.head_dim]);
      y[c] = sum * scale;
    }
  }
}

/// Rows of keys or values as fp32; those of bf16 come through memory for kWidth rows.
template <class V>
struct TextRows {
  const void* rows;
  bool bf16;
  int64_t length, head_dim;
  float* memory;

  const float* operator()(int64_t i) const {
    if (i >= length) return nullptr;
    if (!bf16) return static_cast<const float*>(rows) + i * head_dim;
    const auto* from = static_cast<const uint16_t*>(rows) + i * head_dim;
    float* to = memory + i % V::kWidth * head_dim;
    int64_t c = 0;
    for (; c + V::kWidth <= head_dim; c += V::kWidth) V::store(to + c, V::load(from + c));
    for (; c < head_dim; ++c) to[c] = number_of(from[c]);
    return to;
  }
};

/// `rows` queries from query `first`, as attend_rows(): whole panels of keys, those unseen masked.
template <class V>
void many_rows(const TextHead& h, const AttentionPlan<V>& plan, int64_t first, int64_t rows,
               float* scratch) {
  constexpr int64_t P = 2 * V::kWidth;
  float *a = scratch + plan.row_at, *scores = scratch + plan.score_at;
  float *results = scratch + plan.result_at, sums[V::kRows], scaled[kMostTextChannels];
  const int64_t begin = Seen(h, first).begin / P * P;
  const int64_t end = round_up(Seen(h, first + rows - 1).end, P), count = end - begin;
  for (int64_t i = 0; i < rows; ++i) {
    const float* q = h.q + (first + i) * h.q_stride;
    for (int64_t c = 0; c < h.head_dim; ++c) scaled[c] = q[c] * h.scale;
    copy_row<V>(a, i, rows, scaled, h.head_dim);
  }
  for (int64_t n = begin; n < end; n += P)
    tiles<V>(plan.key_steps, a, 0, rows, rows, scratch + plan.key_at + n * plan.key_steps,
             scores + n - begin, plan.padded_keys, false);
  for (int64_t i = 0; i < rows; ++i) {
    float* row = scores + i * plan.padded_keys;
    const Seen seen(h, first + i);
    const auto hide = [&](float value) {
      for (int64_t n = begin; n < seen.begin; ++n) row[n - begin] = value;
      for (int64_t n = seen.end; n < end; ++n) row[n - begin] = value;
    };
    hide(-1e30F);
    sums[i] = exponentials<V>(row, count);
    hide(0);
    copy_row<V>(a, i, rows, row, count);
  }
  const int64_t steps = steps_of<V>(round_up(h.length, P));
  for (int64_t c = 0; c < plan.columns; c += P)
    tiles<V>(steps_of<V>(count), a, 0, rows, rows,
             scratch + plan.value_at + c * steps + steps_of<V>(begin) * P, results + c,
             plan.columns, false);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = 0; c < h.head_dim; ++c)
      h.y[(first + i) * h.y_stride + c] = results[i * plan.columns + c] / sums[i];
}

template <class V>
void many_queries(const TextHead& h, float* scratch) {
  const AttentionPlan<V> plan(h.length, h.head_dim);
  const int64_t padded = round_up(h.length, 2 * V::kWidth);
  float* memory = scratch + plan.size;
  pack_keys<V>(TextRows<V>{h.keys, h.bf16, h.length, h.head_dim, memory}, padded, h.head_dim,
               scratch + plan.key_at);
  pack_values<V>(TextRows<V>{h.values, h.bf16, h.length, h.head_dim, memory}, padded, h.head_dim,
                 scratch + plan.value_at);
  const int64_t parts = divide_up(h.rows, V::kRows);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = h.rows * part / parts;
    many_rows<V>(h, plan, first, h.rows * (part + 1) / parts - first, scratch);
  }
}

/// Heads of up to kMostTextChannels channels.
template <class V>
void text_attention(const TextHead& h, float* scratch) {
  if (h.rows > kFewQueries) return many_queries<V>(h, scratch);
  if (h.bf16) return few_queries<V, uint16_t>(h, scratch);
  few_queries<V, float>(h, scratch);
}

}  // namespace
}  // namespace vesalius::nn
