// Fills the table of kernels for one kind of vector. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels_attention.h"
#include "nn/kernels_depthwise.h"
#include "nn/kernels_norm.h"
#include "nn/kernels_product.h"
#include "nn/kernels_quantised.h"
#include "nn/kernels_text.h"

namespace vesalius::nn {
namespace {

template <int Bits>
using PairSums256 = PairSums<Whole256, Bits>;
#if defined(__AVX512F__)
template <int Bits>
using PairSums512 = PairSums<Whole512, Bits>;
#endif

/// `Exact` has V's width and multiplies in fp32; W are its whole numbers, and Sums how their
/// products are added up.
template <class V, class Exact, class W, template <int> class Sums>
constexpr KernelTable table_of() {
  return {
      .panel = 2 * V::kWidth,
      .tile_rows = V::kRows,
      .block_rows = V::kBlockRows,
      .packed_size = packed_size<V>,
      .pack = pack<V>,
      .product_scratch = product_scratch<V>,
      .product = product<V>,
      .inner_loop = inner_loop<V>,
      .attention_scratch = attention_scratch<V>,
      .attention = attention<V>,
      .text_scratch = text_scratch<V>,
      .text_attention = text_attention<V>,
      .channel_scratch = kChannelScratch<V>,
      .channel = channel_attention<V, Exact>,
      .depthwise = depthwise<Exact>,
      .normalise = normalise<Exact>,
      .silu_multiply = silu_multiply<Exact>,
      .quantised = {quantised_product<W, Sums>, quantise_row, quantise_panel, dequantise_panel}};
}

}  // namespace
}  // namespace vesalius::nn
