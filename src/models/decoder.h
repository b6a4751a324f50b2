// Llama-like decoders (arXiv 2302.13971): RMSNorm, rotary positions, SwiGLU, grouped queries, and
// Phi-3's form of them (arXiv 2404.14219) with fused projections, a sliding window and LongRoPE.
// Names of transformers' LlamaForCausalLM and Phi3ForCausalLM.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/kv_cache.h"
#include "nn/layers.h"
#include "nn/rope.h"

namespace vesalius::models {

/// Defaults are Vicuna-7B's as MAIRA-2 has it.
struct DecoderConfig {
  int64_t vocabulary = 32207, hidden = 4096, intermediate = 11008, layers = 32;
  int64_t heads = 32, kv_heads = 32, head_dim = 128;
  double eps = 1e-5;
  nn::Rope rope{.factor = 1.5};
  std::optional<int64_t> sliding_window;  // a token sees itself and so many less one before it
  bool fused = false;                     // Phi-3's qkv_proj and gate_up_proj
  bool tied_head = false;                 // lm_head is embed_tokens and not in the file
  /// A text that outgrows LongRoPE's original length is read again from its beginning, as
  /// Phi3ForCausalLM does. LLaVA-like models go on with what they have.
  bool read_again = false;
};

/// x += o(attention(input_layernorm(x))); x += down(silu(gate(y)) * up(y)), y =
/// post_attention_layernorm(x)
struct DecoderBlock {
  std::string name;
  DecoderConfig config;
  nn::RmsNorm input_layernorm;
  std::vector<nn::Linear> qkv;  // q, k and v, or one for all
  nn::Linear o_proj;
  nn::RmsNorm post_attention_layernorm;
  std::vector<nn::Linear> gate_up;  // gate and up, or one for both
  nn::Linear down_proj;

  DecoderBlock(const Weights& w, const DecoderConfig& config);
  /// q [..., tokens, heads, head_dim], k and v [..., tokens, kv_heads, head_dim] -> [..., tokens,
  /// heads * head_dim]
  using Attention =
      std::function<at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)>;
  /// [..., tokens, hidden] -> the same
  at::Tensor operator()(at::Tensor x, const nn::Rotation& rotation, const Attention& attend) const;
};

struct Decoder {
  DecoderConfig config;
  at::Tensor embed_tokens;  // [vocabulary, hidden]
  std::vector<DecoderBlock> layers;
  nn::RmsNorm norm;
  nn::Linear lm_head;

  Decoder(const Weights& w, const DecoderConfig& config);
  /// Error kModel for an id that is not in the vocabulary.
  void check(std::span<const int32_t> ids) const;
  /// -> [ids, hidden]; checked.
  at::Tensor embed(std::span<const int32_t> ids) const;
  /// The next tokens of a text: [tokens, hidden] -> hidden states behind the last norm [tokens,
  /// hidden]; the cache grows by them. `whole` is the text's length where more of it follows that
  /// is known already: LongRoPE goes by it.
  at::Tensor forward(const at::Tensor& embeds, KvCache& cache, int64_t whole = 0) const;
  /// Whole texts for training, differentiable: [batch, tokens, hidden], shorter texts padded at
  /// their end by anything -> hidden states behind the last norm [batch, tokens, hidden]; those of
  /// padding mean nothing.
  at::Tensor forward(const at::Tensor& embeds) const;
  /// Scores of the next token: [..., hidden] -> [..., vocabulary]. Only rows that are needed should
  /// come here.
  at::Tensor logits(const at::Tensor& hidden) const;
  /// An empty cache of this decoder.
  KvCache cache() const;
};

}  // namespace vesalius::models
