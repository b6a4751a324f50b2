// Products with weights in 8 or 4 bits for a few rows, and how such weights are laid out. The dots
// are of whole numbers: x is rounded to 8 bits, a scale for every 32 numbers, as llama.cpp's
// "repacked" formats have it. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_tile.h"
#include "nn/quantised_layout.h"

namespace vesalius::nn {
namespace {

/// Vectors of whole numbers: 4 neighbours of k for each of kColumns columns.
struct Whole256 {
  using Reg = __m256i;
  using Floats = Avx2;
  static constexpr int kColumns = 8;

  static Reg zero() { return _mm256_setzero_si256(); }
  static Reg load(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Reg set(int32_t x) { return _mm256_set1_epi32(x); }
  static Reg low_bits(Reg x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
  static Reg high_bits(Reg x) { return low_bits(_mm256_srli_epi16(x, 4)); }
  static Reg add(Reg a, Reg b) { return _mm256_add_epi32(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_epi32(a, b); }
  static Reg add16(Reg a, Reg b) { return _mm256_add_epi16(a, b); }
  static Reg pairs(Reg weight, Reg x) { return _mm256_maddubs_epi16(weight, x); }
  static Reg join(Reg pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }
  static Reg times16(Reg x) { return _mm256_slli_epi32(x, 4); }
  static Avx2::Reg floats(Reg x) { return _mm256_cvtepi32_ps(x); }
};

#if defined(__AVX512F__)
struct Whole512 {
  using Reg = __m512i;
  using Floats = Avx512;
  static constexpr int kColumns = 16;

  static Reg zero() { return _mm512_setzero_si512(); }
  static Reg load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static Reg set(int32_t x) { return _mm512_set1_epi32(x); }
  static Reg low_bits(Reg x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
  static Reg high_bits(Reg x) { return low_bits(_mm512_srli_epi16(x, 4)); }
  static Reg add(Reg a, Reg b) { return _mm512_add_epi32(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_epi32(a, b); }
  static Reg add16(Reg a, Reg b) { return _mm512_add_epi16(a, b); }
  static Reg pairs(Reg weight, Reg x) { return _mm512_maddubs_epi16(weight, x); }
  static Reg join(Reg pairs) { return _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)); }
  static Reg times16(Reg x) { return _mm512_slli_epi32(x, 4); }
  static Avx512::Reg floats(Reg x) { return _mm512_cvtepi32_ps(x); }
};
#endif

/// Sums of weight times x within a group, in 16 bits as long as they last: 8 steps of twice 15 *
/// 127. Weights of 8 bits go as two of 4.
template <class W, int Bits>
struct PairSums {
  typename W::Reg low = W::zero(), high = W::zero();

  void add(typename W::Reg weight, typename W::Reg x) {
    const auto first = Bits == 4 ? weight : W::low_bits(weight);
    low = W::add16(low, W::pairs(first, x));
    if constexpr (Bits == 8) high = W::add16(high, W::pairs(W::high_bits(weight), x));
  }
  typename W::Reg total() const {
    const auto sum = W::join(low);
    if constexpr (Bits == 4) return sum;
    return W::add(sum, W::times16(W::join(high)));
  }
};

#if defined(__AVX512VNNI__)
template <int Bits>
struct VnniSums {
  __m512i sum = _mm512_setzero_si512();

  void add(__m512i weight, __m512i x) { sum = _mm512_dpbusd_epi32(sum, weight, x); }
  __m512i total() const { return sum; }
};
#endif

/// One group of kColumns columns times R rows of x.
template <class W, class Sums, int Bits, int R>
void group_sums(const uint8_t* weight, const int8_t* const (&x)[R], int64_t at, Sums (&sums)[R]) {
  constexpr int64_t kLine = 4 * kQuantPanel;  // bytes of 4 numbers of every column
#pragma GCC unroll 8
  for (int64_t step = 0; step < kQuantGroup / 4; step += 8 / Bits) {
    const auto line = W::load(weight + step / (8 / Bits) * kLine);
    const auto first = Bits == 4 ? W::low_bits(line) : line;
#pragma GCC unroll 4
    for (int i = 0; i < R; ++i) {
      int32_t numbers;
      __builtin_memcpy(&numbers, x[i] + at + 4 * step, 4);
      sums[i].add(first, W::set(numbers));
      if constexpr (Bits == 4) {
        __builtin_memcpy(&numbers, x[i] + at + 4 * step + 4, 4);
        sums[i].add(W::high_bits(line), W::set(numbers));
      }
    }
  }
}

template <class W, template <int> class Sums, int Bits, int R>
void quantised_rows(const QuantProduct& p, int64_t panel, int64_t row) {
  using V = typename W::Floats;
  constexpr int kParts = kQuantPanel / W::kColumns;
  constexpr int64_t kBytes = quant_block_bytes(Bits);
  // Weights of 8 bits came faster so than by the CPU's own prefetching.
  constexpr int64_t kAhead = 4096;
  typename V::Reg y[R][kParts];
#pragma GCC unroll 4
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int n = 0; n < kParts; ++n) y[i][n] = V::zero();
  const int8_t* x[R];
  for (int i = 0; i < R; ++i) x[i] = p.x + (row + i) * p.groups * kQuantGroup;
  for (int64_t g = 0; g < p.groups; ++g) {
    const uint8_t* block = p.weight + (panel * p.groups + g) * kBytes;
    const auto* scales = reinterpret_cast<const uint16_t*>(block);
#pragma GCC unroll 17
    for (int64_t line = 0; line < kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(block + kAhead + line), _MM_HINT_T0);
#pragma GCC unroll 4
    for (int n = 0; n < kParts; ++n) {
      Sums<Bits> sums[R];
      group_sums<W, Sums<Bits>, Bits, R>(block + 2 * kQuantPanel + 4 * n * W::kColumns, x,
                                         g * kQuantGroup, sums);
      const auto scale = V::load(scales + n * W::kColumns);
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) {
        const auto& group = p.x_groups[(row + i) * p.groups + g];
        const auto whole = W::sub(sums[i].total(), W::set(group.offset[Bits == 4 ? 0 : 1]));
        y[i][n] = V::fma(W::floats(whole), V::mul(scale, V::set(group.scale)), y[i][n]);
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    float out[kQuantPanel];
    for (int n = 0; n < kParts; ++n) V::store(out + n * W::kColumns, y[i][n]);
    finish_quantised(p, panel, row + i, out);
  }
}

template <class W, template <int> class Sums, int Bits>
void quantised_panels(const QuantProduct& p, int64_t first, int64_t last) {
  for (int64_t panel = first; panel < last; ++panel) {
    int64_t row = 0;
    for (; row + 4 <= p.rows; row += 4) quantised_rows<W, Sums, Bits, 4>(p, panel, row);
    if (p.rows - row >= 2) {
      quantised_rows<W, Sums, Bits, 2>(p, panel, row);
      row += 2;
    }
    if (row < p.rows) quantised_rows<W, Sums, Bits, 1>(p, panel, row);
  }
}

template <class W, template <int> class Sums>
void quantised_product(const QuantProduct& p, int64_t first, int64_t last) {
  if (p.bits == 4)
    quantised_panels<W, Sums, 4>(p, first, last);
  else
    quantised_panels<W, Sums, 8>(p, first, last);
}

}  // namespace
}  // namespace vesalius::nn
