#include "models/davit.h"

#include <numeric>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

/// The reference's stream is [batch, tokens, dim]; ours keeps the grid.
at::Tensor tokens(const at::Tensor& x) { return x.flatten(1, 2); }

nn::ConvShape patch_shape(const DaVitConfig& c, size_t stage) {
  const int64_t in = stage == 0 ? 3 : c.dims[stage - 1];
  return {in, c.dims[stage], c.patch_size[stage], c.patch_stride[stage], c.patch_padding[stage]};
}

}  // namespace

PatchEmbed::PatchEmbed(const Weights& w, const DaVitConfig& config, size_t stage)
    : name(w.name()),
      prenorm(config.patch_prenorm[stage]),
      proj(w / "proj", patch_shape(config, stage)),
      norm(w / "norm", prenorm ? proj.shape.in : proj.shape.out) {}

at::Tensor PatchEmbed::operator()(at::Tensor x) const {
  x = prenorm ? proj(norm(x)) : norm(proj(x));  // [batch, height / stride, width / stride, dim]
  if (nn::tracing()) nn::trace(name, tokens(x));
  return x;
}

DaVitBlock::DaVitBlock(const Weights& w, Attends kind, int64_t dim, int64_t heads, double rate)
    : name(w.name()),
      attention(kind == Attends::kWindows ? "window_attn" : "channel_attn"),
      kind(kind),
      heads(heads),
      rate(rate),
      conv1(w / "conv1.fn.dw", nn::ConvShape::depthwise(dim)),
      attention_norm(w / attention / "norm", dim),
      qkv(w / attention / "fn.qkv", dim, 3 * dim),
      proj(w / attention / "fn.proj", dim, dim),
      conv2(w / "conv2.fn.dw", nn::ConvShape::depthwise(dim)),
      ffn_norm(w / "ffn.norm", dim),
      fc1(w / "ffn.fn.net.fc1", dim, 4 * dim),
      fc2(w / "ffn.fn.net.fc2", 4 * dim, dim) {}

at::Tensor DaVitBlock::operator()(at::Tensor x, const nn::Windows& windows,
                                  const DropPath& drop) const {
  const auto add = [&](const nn::Linear& last, const at::Tensor& branch) {
    return drop ? x + drop(tokens(last(branch)), rate).view_as(x) : last.add(branch, x);
  };
  const auto stage = [&](const std::string& part) {
    if (nn::tracing()) nn::trace(name, part, tokens(x));
  };
  x = conv1.add_to(x);
  stage("conv1");
  auto y = attention_norm(x);
  if (kind == Attends::kWindows) {
    // The reference pads windows with zeros behind the norm, so a pad token's qkv is the bias.
    y = nn::packed_attention(qkv(windows.partition(y)), heads, windows.groups(),
                             {qkv.bias, windows.area()});
    y = windows.reverse(y);
  } else {
    y = nn::channel_attention(qkv(tokens(y)), heads).view_as(x);
  }
  x = add(proj, y);
  stage(attention);
  x = conv2.add_to(x);
  stage("conv2");
  x = add(fc2, fc1.gelu(ffn_norm(x)));
  stage("ffn");
  return x;
}

DaVit::DaVit(const Weights& w, const DaVitConfig& c)
    : window(c.window), norms(w / "norms", c.dims.back()) {
  const auto depth = std::accumulate(c.depths.begin(), c.depths.end(), int64_t{0});
  const double step = depth > 0 ? c.drop_path / static_cast<double>(2 * depth - 1) : 0;
  int64_t count = 0;  // rates rise linearly in the order spatial, channel, spatial, …
  for (size_t stage = 0; stage < c.dims.size(); ++stage) {
    convs.emplace_back(w / "convs" / static_cast<int64_t>(stage), c, stage);
    auto& layers = blocks.emplace_back();
    for (int64_t i = 0; i < c.depths[stage]; ++i) {
      const auto scope = w / "blocks" / static_cast<int64_t>(stage) / i;
      layers.emplace_back(scope / "spatial_block", Attends::kWindows, c.dims[stage], c.heads[stage],
                          step * static_cast<double>(count++));
      layers.emplace_back(scope / "channel_block", Attends::kChannels, c.dims[stage],
                          c.groups[stage], step * static_cast<double>(count++));
    }
  }
}

at::Tensor DaVit::operator()(const at::Tensor& pixels, const DropPath& drop) const {
  auto x = pixels.permute({0, 2, 3, 1}).contiguous();  // [batch, height, width, 3]
  for (size_t stage = 0; stage < blocks.size(); ++stage) {
    x = convs[stage](x);
    const nn::Windows windows(x.size(0), x.size(1), x.size(2), window, x.device());
    for (const auto& block : blocks[stage]) x = block(std::move(x), windows, drop);
  }
  return norms(tokens(x).mean(1));
}

}  // namespace vesalius::models
