// Fills the table of kernels for one kind of vector. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels_attention.h"
#include "nn/kernels_depthwise.h"
#include "nn/kernels_norm.h"
#include "nn/kernels_product.h"

namespace vesalius::nn {
namespace {

/// `Exact` has V's width and multiplies in fp32.
template <class V, class Exact>
constexpr KernelTable table_of() {
  return {.panel = 2 * V::kWidth,
          .tile_rows = V::kRows,
          .block_rows = V::kBlockRows,
          .packed_size = packed_size<V>,
          .pack = pack<V>,
          .product_scratch = product_scratch<V>,
          .product = product<V>,
          .inner_loop = inner_loop<V>,
          .attention_scratch = attention_scratch<V>,
          .attention = attention<V>,
          .channel_scratch = kChannelScratch<V>,
          .channel = channel_attention<V, Exact>,
          .depthwise = depthwise<Exact>,
          .normalise = normalise<Exact>};
}

}  // namespace
}  // namespace vesalius::nn
