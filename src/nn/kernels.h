// The kernels of the CPU: one table of functions a kind of CPU, on plain pointers and blocks of
// work. How they are called with tensors and threads is in kernels_*.cpp; models and layers don't
// see this.
#pragma once

#include <cstdint>

namespace vesalius::nn {

enum class Activation { kNone, kGelu, kQuickGelu };

/// y[row] = residual[row] + activation(x[row] W^T + bias), all fp32 row-major.
struct Product {
  const float* x;
  const float* packed;    // W [out, in] as KernelTable::pack lays it out
  const float* bias;      // of whole panels, zero where there is none
  const float* residual;  // [rows, out] or null; may be y itself
  float* y;
  int64_t rows, in, out;
  Activation activation;
};

/// A part of a product. `column` is a multiple of the panel's width.
struct ProductBlock {
  int64_t row, rows, column, columns;
};

/// Softmax attention of one head inside one sequence, out of and into rows of many heads.
struct AttentionHead {
  const float* q;  // [length, head_dim], a row every `stride` floats; k and v alike
  const float* k;
  const float* v;
  int64_t stride, length, head_dim;
  const float* pad_key;  // of head_dim, one more key, or null
  const float* pad_value;
  float pad_score;  // what the pad key's score is raised by
  float scale;      // of scores
  float* y;         // [length, head_dim], a row every y_stride floats
  int64_t y_stride;
};

/// Heads of texts have at most so many channels.
constexpr int64_t kMostTextChannels = 256;

/// Causal attention of one head: the queries are the last `rows` of a text of `length` tokens.
struct TextHead {
  const float* q;    // [rows, head_dim], a row every `q_stride` floats
  const void* keys;  // [length, head_dim]
  const void* values;
  bool bf16;  // keys and values are bf16, else fp32
  int64_t q_stride, rows, length, head_dim;
  int64_t window;  // a query sees itself and so many less one before it; 0: all
  float scale;     // of scores
  float* y;        // [rows, head_dim], a row every y_stride floats
  int64_t y_stride;
};

/// Attention between the 32 channels of one group: y = v softmax((q * scale)^T k)^T.
struct ChannelGroup {
  const float* q;  // [tokens, 32], a row every `stride` floats; k and v alike
  const float* k;
  const float* v;
  int64_t stride, tokens;
  float scale;
  float* y;
  int64_t y_stride;
};

/// y = gelu(residual x + depth-wise convolution of x with zero padding), channels last.
struct Depthwise {
  const float* x;       // [height, width, channels], a pixel every `x_stride` floats
  const float* weight;  // [kernel * kernel, channels]
  const float* bias;    // [channels]
  float* y;             // [height, width, channels], not x
  int64_t x_stride;
  int64_t height, width, channels;
  int64_t kernel;  // 3, 5, 7 or 9
  bool residual, gelu;
  const float* gate;  // one number a pixel, every `gate_stride` floats, or null
  int64_t gate_stride;
  float* gated;    // [height, width, channels]: y times the gate
  bool add_gated;  // to what stands there
};

/// y = residual + (x - mean) / sqrt(variance + eps) * weight + bias of each row of `dim`; y may be
/// x or the residual. Without a bias the mean counts as zero: RMSNorm.
struct Normalisation {
  const float* x;
  const float* weight;
  const float* bias;      // or null
  const float* residual;  // or null
  float* y;
  int64_t dim;
  float eps;
};

/// 32 neighbours of a row of x in 8 bits: x = scale * number.
struct QuantGroup {
  float scale;
  int32_t offset[2];  // 8 and 128 times the sum of the numbers: what weights' zeros add to a dot
};

/// y[row] = residual[row] + x[row] W^T + bias with W in few bits (quantised_layout.h).
struct QuantProduct {
  const uint8_t* weight;
  int64_t bits, groups;        // 4 or 8; of k
  const int8_t* x;             // [rows, groups * 32]
  const QuantGroup* x_groups;  // [rows, groups]
  const float* bias;           // [out] or null
  const float* residual;       // [rows, out] or null; may be y itself
  float* y;
  int64_t rows, out;
};

struct QuantKernels {
  /// Panels [first, last) of 32 columns.
  void (*product)(const QuantProduct& p, int64_t first, int64_t last);
  void (*quantise_row)(const float* x, int64_t in, int8_t* numbers, QuantGroup* groups);
  void (*quantise_panel)(const float* weight, int64_t in, int64_t rows, int64_t bits,
                         uint8_t* panel);
  void (*dequantise_panel)(const uint8_t* panel, int64_t in, int64_t bits, float* weight);
};

struct KernelTable {
  int64_t panel;       // columns that W is packed by
  int64_t tile_rows;   // rows that are multiplied at once
  int64_t block_rows;  // rows a block should have at most
  /// Floats of W packed; pack() fills panels [first, last) of it.
  int64_t (*packed_size)(int64_t in, int64_t out);
  void (*pack)(const float* weight, int64_t in, int64_t out, int64_t first, int64_t last,
               float* packed);
  /// Floats of scratch memory, 64-byte aligned, that the next function needs for such a block.
  int64_t (*product_scratch)(int64_t in, int64_t rows, int64_t columns);
  void (*product)(const Product& p, const ProductBlock& block, float* scratch);
  /// The inner loop alone, `repeats` times over the same tile: what benchmarks call the machine's
  /// limit. Gives the floating-point operations done.
  double (*inner_loop)(int64_t repeats);
  int64_t (*attention_scratch)(int64_t length, int64_t head_dim);
  void (*attention)(const AttentionHead& head, float* scratch);
  int64_t (*text_scratch)(int64_t length, int64_t head_dim, int64_t rows);
  void (*text_attention)(const TextHead& head, float* scratch);
  int64_t channel_scratch;
  void (*channel)(const ChannelGroup& group, float* scratch);
  /// Output rows [first, last).
  void (*depthwise)(const Depthwise& d, int64_t first, int64_t last);
  void (*normalise)(const Normalisation& n, int64_t row);
  void (*silu_multiply)(const float* gate, const float* up, float* y, int64_t count);
  QuantKernels quantised;
};

extern const KernelTable kAvx2Kernels, kAvx512Kernels, kBf16Kernels;

}  // namespace vesalius::nn
