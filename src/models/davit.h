// DaViT with the channel attention of Florence-2 and MedImageInsight (microsoft/UniCL, arXiv
// 2204.03645).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/drop_path.h"
#include "nn/attention.h"
#include "nn/layers.h"

namespace vesalius::models {

struct DaVitConfig {
  std::vector<int64_t> dims{256, 512, 1024, 2048}, depths{1, 1, 9, 1};
  std::vector<int64_t> heads{8, 16, 32, 64}, groups{8, 16, 32, 64};
  std::vector<int64_t> patch_size{7, 3, 3, 3}, patch_stride{4, 2, 2, 2}, patch_padding{3, 1, 1, 1};
  std::vector<bool> patch_prenorm{false, true, true, true};
  int64_t window = 12;
  double drop_path = 0.2;
};

/// Normalises before or after the strided convolution.
struct PatchEmbed {
  std::string name;
  bool prenorm;
  nn::Conv2d proj;
  nn::LayerNorm norm;

  PatchEmbed(const Weights& w, const DaVitConfig& config, size_t stage);
  at::Tensor operator()(at::Tensor x) const;
};

enum class Attends { kWindows, kChannels };

/// x += dw(x); x += attention(norm(x)); x += dw(x); x += mlp(norm(x)). `heads` are groups between
/// channels.
struct DaVitBlock {
  std::string name, attention;
  Attends kind;
  int64_t heads;
  double rate;  // of DropPath
  nn::Conv2d conv1;
  nn::LayerNorm attention_norm;
  nn::Linear qkv, proj;
  nn::Conv2d conv2;
  nn::LayerNorm ffn_norm;
  nn::Linear fc1, fc2;

  DaVitBlock(const Weights& w, Attends kind, int64_t dim, int64_t heads, double rate);
  /// [batch, height, width, dim] -> the same
  at::Tensor operator()(at::Tensor x, const nn::Windows& windows, const DropPath& drop) const;
};

struct DaVit {
  int64_t window;
  std::vector<PatchEmbed> convs;
  std::vector<std::vector<DaVitBlock>> blocks;  // of each stage: spatial, channel, spatial, …
  nn::LayerNorm norms;

  DaVit(const Weights& w, const DaVitConfig& config);
  /// [batch, 3, height, width] -> [batch, dim]: the mean over tokens, normalised.
  at::Tensor operator()(const at::Tensor& pixels, const DropPath& drop = {}) const;
};

}  // namespace vesalius::models
