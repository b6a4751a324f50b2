// The inner loop of every product: a tile of C in registers, for each kind of vector. Only for
// kernels_*.cpp, which are compiled for one kind of CPU each; so nothing here comes from a library.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vesalius::nn {
namespace {

inline float number_of(float x) { return x; }
inline float number_of(uint16_t bf16) {
  const uint32_t bits = static_cast<uint32_t>(bf16) << 16;
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

/// Steps of k between two additions into C, and the distance of two rows of A. Rows at a distance
/// of a power of two would fall into the same few lines of the first cache.
constexpr int64_t kSteps = 256;
constexpr int64_t kStride = kSteps + 16;

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

struct Avx2 {
  using Reg = __m256;
  static constexpr int kWidth = 8, kRows = 6;  // 12 sums, 2 of B, 1 of A in 16 registers
  static constexpr int64_t kBlockRows = 48, kChunk = 1024;
  static constexpr int kPerStep = 1;  // elements of k in one step

  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg set(float x) { return _mm256_set1_ps(x); }
  static Reg load(const float* p) { return _mm256_loadu_ps(p); }
  static Reg load(const uint16_t* bf16) {
    const auto words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bf16));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
  }
  static void store(float* p, Reg x) { _mm256_storeu_ps(p, x); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
  static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  static Reg round(Reg a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// a * 2^n for whole n in [-126, 127].
  static Reg scale(Reg a, Reg n) {
    const auto bits = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), bits));
  }
  static Reg mad(const float* a, Reg b, Reg c) { return fma(set(*a), b, c); }
  /// [8, 8] in place.
  static void transpose(float* x) {
    Reg t[8], u[8];
    for (int64_t i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(load(x + i * 8), load(x + i * 8 + 8));
      t[i + 1] = _mm256_unpackhi_ps(load(x + i * 8), load(x + i * 8 + 8));
    }
    // u[4 i + c]: in lane l, column 4 l + c of rows 4 i to 4 i + 3.
    for (int64_t i = 0; i < 8; i += 4)
      for (int64_t c = 0; c < 4; ++c) {
        const auto a = _mm256_castps_pd(t[i + c / 2]), b = _mm256_castps_pd(t[i + c / 2 + 2]);
        u[i + c] = _mm256_castpd_ps(c % 2 ? _mm256_unpackhi_pd(a, b) : _mm256_unpacklo_pd(a, b));
      }
    for (int64_t c = 0; c < 4; ++c) {
      store(x + c * 8, _mm256_permute2f128_ps(u[c], u[4 + c], 0x20));
      store(x + (4 + c) * 8, _mm256_permute2f128_ps(u[c], u[4 + c], 0x31));
    }
  }
  /// `count` floats as steps of A or B; a last half step is filled with zero.
  static void to_steps(float* steps, const float* x, int64_t count) {
    for (int64_t i = 0; i < count; ++i) steps[i] = x[i];
  }
};

#if defined(__AVX512F__)
struct Avx512 {
  using Reg = __m512;
  static constexpr int kWidth = 16, kRows = 14;  // 28 sums, 2 of B, 1 of A in 32 registers
  static constexpr int64_t kBlockRows = 98, kChunk = 1024;
  static constexpr int kPerStep = 1;

  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg set(float x) { return _mm512_set1_ps(x); }
  static Reg load(const float* p) { return _mm512_loadu_ps(p); }
  static Reg load(const uint16_t* bf16) {
    const auto words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bf16));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16));
  }
  static void store(float* p, Reg x) { _mm512_storeu_ps(p, x); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg min(Reg a, Reg b) { return _mm512_min_ps(a, b); }
  static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
  static Reg round(Reg a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Reg scale(Reg a, Reg n) { return _mm512_scalef_ps(a, n); }
  static Reg mad(const float* a, Reg b, Reg c) { return fma(set(*a), b, c); }
  /// [16, 16] in place, as Avx2's; lanes 0 and 2, 1 and 3 of two registers meet twice.
  static void transpose(float* x) {
    Reg t[16], u[16];
    for (int64_t i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(load(x + i * 16), load(x + i * 16 + 16));
      t[i + 1] = _mm512_unpackhi_ps(load(x + i * 16), load(x + i * 16 + 16));
    }
    for (int64_t i = 0; i < 16; i += 4)
      for (int64_t c = 0; c < 4; ++c) {
        const auto a = _mm512_castps_pd(t[i + c / 2]), b = _mm512_castps_pd(t[i + c / 2 + 2]);
        u[i + c] = _mm512_castpd_ps(c % 2 ? _mm512_unpackhi_pd(a, b) : _mm512_unpacklo_pd(a, b));
      }
    for (int64_t c = 0; c < 4; ++c) {
      const auto even = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x88);
      const auto odd = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xDD);
      const auto even_below = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x88);
      const auto odd_below = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xDD);
      store(x + c * 16, _mm512_shuffle_f32x4(even, even_below, 0x88));
      store(x + (4 + c) * 16, _mm512_shuffle_f32x4(odd, odd_below, 0x88));
      store(x + (8 + c) * 16, _mm512_shuffle_f32x4(even, even_below, 0xDD));
      store(x + (12 + c) * 16, _mm512_shuffle_f32x4(odd, odd_below, 0xDD));
    }
  }
  static void to_steps(float* steps, const float* x, int64_t count) {
    for (int64_t i = 0; i < count; ++i) steps[i] = x[i];
  }
};
#endif

#if defined(__AVX512BF16__)
/// Sums in fp32 of products of bf16: a step is two neighbours of k in one word.
struct Bf16 : Avx512 {
  static constexpr int kPerStep = 2;

  static Reg mad(const float* a, Reg b, Reg c) {
    int32_t pair;
    __builtin_memcpy(&pair, a, 4);
    return _mm512_dpbf16_ps(c, (__m512bh)_mm512_set1_epi32(pair), (__m512bh)_mm512_castps_si512(b));
  }
  static void to_steps(float* steps, const float* x, int64_t count) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16)
      _mm256_storeu_si256((__m256i*)(steps + i / 2), (__m256i)_mm512_cvtneps_pbh(load(x + i)));
    if (i == count) return;
    const auto rest = (__mmask16)((1U << (count - i)) - 1);
    const auto pairs = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, x + i));
    const auto words = (__mmask8)((1U << ((count - i + 1) / 2)) - 1);
    _mm256_mask_storeu_epi32(steps + i / 2, words, pairs);
  }
};
#endif

template <class V>
constexpr int64_t steps_of(int64_t count) {
  return divide_up(count, V::kPerStep);
}

/// C [R, 2 * width] = (or +=) A [R, steps] B [steps, 2 * width]; a row of A every kStride words,
/// one of C every `c_stride`.
template <class V, int R>
void tile(int64_t steps, const float* a, const float* b, float* c, int64_t c_stride, bool add) {
  constexpr int W = V::kWidth;
  typename V::Reg sum[R][2];
#pragma GCC unroll 14
  for (int i = 0; i < R; ++i) sum[i][0] = sum[i][1] = V::zero();
#pragma GCC unroll 2
  for (int64_t s = 0; s < steps; ++s) {
    const auto b0 = V::load(b + s * 2 * W), b1 = V::load(b + s * 2 * W + W);
#pragma GCC unroll 14
    for (int i = 0; i < R; ++i) {
      sum[i][0] = V::mad(a + i * kStride + s, b0, sum[i][0]);
      sum[i][1] = V::mad(a + i * kStride + s, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < R; ++i) {
    float* row = c + i * c_stride;
    V::store(row, add ? V::add(V::load(row), sum[i][0]) : sum[i][0]);
    V::store(row + W, add ? V::add(V::load(row + W), sum[i][1]) : sum[i][1]);
  }
}

using Tile = void (*)(int64_t, const float*, const float*, float*, int64_t, bool);

/// The tile of 1 to V::kRows rows.
template <class V>
Tile tile_of(int64_t rows) {
  if constexpr (V::kRows == 6) {
    constexpr Tile kTiles[] = {tile<V, 1>, tile<V, 2>, tile<V, 3>,
                               tile<V, 4>, tile<V, 5>, tile<V, 6>};
    return kTiles[rows - 1];
  } else {
    constexpr Tile kTiles[] = {tile<V, 1>,  tile<V, 2>,  tile<V, 3>,  tile<V, 4>, tile<V, 5>,
                               tile<V, 6>,  tile<V, 7>,  tile<V, 8>,  tile<V, 9>, tile<V, 10>,
                               tile<V, 11>, tile<V, 12>, tile<V, 13>, tile<V, 14>};
    return kTiles[rows - 1];
  }
}

/// Rows of `count` floats as the columns of a panel: steps of row i stand at to[i], to[2 * width +
/// i], … for i in [0, width). `row(i)` is where row i begins, null for one of zeros.
template <class V, class Row>
void to_columns(Row row, int64_t count, float* to) {
  constexpr int W = V::kWidth;
  constexpr int64_t kPart = W * V::kPerStep;
  alignas(64) float block[W * W];
  const float* rows[W];
  for (int64_t i = 0; i < W; ++i) rows[i] = row(i);
  for (int64_t k = 0; k < count; k += kPart) {
    const int64_t some = smaller(kPart, count - k);
    for (float& x : block) x = 0;
    for (int64_t i = 0; i < W; ++i)
      if (const float* x = rows[i]) {
        V::to_steps(block + i * W, x + k, some);
        _mm_prefetch(reinterpret_cast<const char*>(x + k + 4 * kPart), _MM_HINT_T0);
      }
    V::transpose(block);
    for (int64_t s = 0; s < steps_of<V>(some); ++s)
      V::store(to + (k / V::kPerStep + s) * 2 * W, V::load(block + s * W));
  }
}

/// A row of `count` floats as blocks of kSteps steps: block j of row i of `rows` stands at
/// (j * rows + i) * kStride.
template <class V>
void copy_row(float* blocks, int64_t i, int64_t rows, const float* x, int64_t count) {
  constexpr int64_t kBlock = kSteps * V::kPerStep;
  for (int64_t j = 0; j * kBlock < count; ++j)
    V::to_steps(blocks + (j * rows + i) * kStride, x + j * kBlock,
                smaller(kBlock, count - j * kBlock));
}

/// Floats that `rows` rows of `count` floats take as copy_row lays them out.
template <class V>
constexpr int64_t blocks_size(int64_t rows, int64_t count) {
  return divide_up(steps_of<V>(count), kSteps) * rows * kStride;
}

/// C = (or +=) A B for `rows` rows from row `first` of `all`, over all steps of A's blocks.
template <class V>
void tiles(int64_t steps, const float* a, int64_t first, int64_t rows, int64_t all, const float* b,
           float* c, int64_t c_stride, bool add) {
  const Tile run = tile_of<V>(rows);
  for (int64_t j = 0; j * kSteps < steps; ++j)
    run(smaller(kSteps, steps - j * kSteps), a + (j * all + first) * kStride,
        b + j * kSteps * 2 * V::kWidth, c, c_stride, add || j > 0);
}

}  // namespace
}  // namespace vesalius::nn
