// Matrix products with packed weights, and what follows them. Only for kernels_*.cpp, as
// kernels_tile.h.
//
// The plan is that of Goto and van de Geijn (ACM TOMS 34, 2008): a block of rows of x is copied
// into the second cache, a panel of W of two vectors' width streams past it, and the sums stay in
// registers.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_math.h"

namespace vesalius::nn {
namespace {

template <class V>
constexpr int64_t kPanel = 2 * V::kWidth;

template <class V>
int64_t packed_size(int64_t in, int64_t out) {
  return divide_up(out, kPanel<V>) * kPanel<V> * steps_of<V>(in);
}

/// Panels of W one behind another, each [steps, panel width]; columns beyond W are zero.
template <class V>
void pack(const float* weight, int64_t in, int64_t out, int64_t first, int64_t last,
          float* packed) {
  constexpr int64_t P = kPanel<V>;
  for (int64_t panel = first; panel < last; ++panel)
    for (int64_t half = 0; half < P; half += V::kWidth) {
      const auto row = [&](int64_t i) {
        const int64_t column = panel * P + half + i;
        return column < out ? weight + column * in : nullptr;
      };
      to_columns<V>(row, in, packed + panel * P * steps_of<V>(in) + half);
    }
}

template <class V>
typename V::Reg activate(typename V::Reg x, Activation kind) {
  if (kind == Activation::kGelu) return gelu<V>(x);
  if (kind == Activation::kQuickGelu) return quick_gelu<V>(x);
  return x;
}

/// Bias, activation and residual of a tile of sums, and its way into y.
template <class V>
void finish(const Product& p, float* c, int64_t row, int64_t rows, int64_t column) {
  constexpr int W = V::kWidth;
  const int64_t columns = smaller(kPanel<V>, p.out - column);
  for (int64_t i = 0; i < rows; ++i, c += kPanel<V>) {
    for (int64_t j = 0; j < kPanel<V>; j += W)
      V::store(c + j,
               activate<V>(V::add(V::load(c + j), V::load(p.bias + column + j)), p.activation));
    const int64_t at = (row + i) * p.out + column;
    if (columns == kPanel<V>) {
      for (int64_t j = 0; j < kPanel<V>; j += W) {
        const auto x = V::load(c + j);
        V::store(p.y + at + j, p.residual ? V::add(x, V::load(p.residual + at + j)) : x);
      }
    } else {
      for (int64_t j = 0; j < columns; ++j)
        p.y[at + j] = p.residual ? p.residual[at + j] + c[j] : c[j];
    }
  }
}

/// k is worked off in chunks that leave room in the second cache; where there are several, the sums
/// of the block wait in scratch memory. Rows of one tile need no chunks. Enough for fewer rows,
/// too.
template <class V>
int64_t product_scratch(int64_t in, int64_t rows, int64_t columns) {
  const int64_t few = V::kRows * kPanel<V> + blocks_size<V>(smaller(rows, V::kRows), in);
  if (rows <= V::kRows) return few;
  const int64_t chunk = V::kChunk * V::kPerStep;
  const int64_t sums = in > chunk ? rows * round_up(columns, kPanel<V>) : V::kRows * kPanel<V>;
  const int64_t many = sums + blocks_size<V>(rows, smaller(in, chunk));
  return few < many ? many : few;
}

/// Rows of one tile: W is read from its first byte to its last, as fast as memory gives it.
template <class V>
void few_rows(const Product& p, const ProductBlock& block, float* scratch) {
  constexpr int64_t P = kPanel<V>;
  const int64_t rows = block.rows, steps = steps_of<V>(p.in);
  float *c = scratch, *a = scratch + V::kRows * P;
  for (int64_t i = 0; i < rows; ++i) copy_row<V>(a, i, rows, p.x + (block.row + i) * p.in, p.in);
  for (int64_t j = 0; j < block.columns; j += P) {
    tiles<V>(steps, a, 0, rows, rows, p.packed + (block.column + j) * steps, c, P, false);
    finish<V>(p, c, block.row, rows, block.column + j);
  }
}

template <class V>
void product(const Product& p, const ProductBlock& block, float* scratch) {
  if (block.rows <= V::kRows) return few_rows<V>(p, block, scratch);
  constexpr int64_t P = kPanel<V>, kChunk = V::kChunk * V::kPerStep;
  const bool several = p.in > kChunk;
  float* a = scratch + (several ? block.rows * round_up(block.columns, P) : V::kRows * P);
  const int64_t parts = divide_up(block.rows, V::kRows), steps = steps_of<V>(p.in);
  for (int64_t k = 0; k < p.in; k += kChunk) {
    const int64_t count = smaller(kChunk, p.in - k);
    for (int64_t i = 0; i < block.rows; ++i)
      copy_row<V>(a, i, block.rows, p.x + (block.row + i) * p.in + k, count);
    for (int64_t j = 0; j < block.columns; j += P) {
      const float* b = p.packed + (block.column + j) * steps + k / V::kPerStep * P;
      for (int64_t part = 0; part < parts; ++part) {
        const int64_t first = block.rows * part / parts;
        const int64_t rows = block.rows * (part + 1) / parts - first;
        float* c = several ? scratch + j * block.rows + first * P : scratch;
        tiles<V>(steps_of<V>(count), a, first, rows, block.rows, b, c, P, k > 0);
        if (k + kChunk >= p.in) finish<V>(p, c, block.row + first, rows, block.column + j);
      }
    }
  }
}

template <class V>
double inner_loop(int64_t repeats) {
  constexpr int64_t P = kPanel<V>;
  alignas(64) float a[V::kRows * kStride] = {}, b[kSteps * P] = {}, c[V::kRows * P] = {};
  // Volatile, or the compiler sees that every repeat gives the same sums and keeps one.
  const volatile Tile run = tile_of<V>(V::kRows);
  for (int64_t i = 0; i < repeats; ++i) run(kSteps, a, b, c, P, /*add=*/true);
  // c[0] is zero; that it is read keeps the loop.
  return 2.0 * static_cast<double>(repeats * V::kRows * P * kSteps * V::kPerStep) + c[0];
}

}  // namespace
}  // namespace vesalius::nn
