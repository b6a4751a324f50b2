#include "models/davit.h"

#include <numeric>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {
/// The reference's stream is [batch, tokens, dim]; ours keeps the grid.
at::Tensor tokens(const at::Tensor& x) { return x.flatten(1, 2); }
}  // namespace

PatchEmbed::PatchEmbed(const Weights& w, const DaVitConfig& config, size_t stage)
    : name(w.name()),
      prenorm(config.patch_prenorm[stage]),
      proj(w / "proj",
           {stage == 0 ? 3 : config.dims[stage - 1], config.dims[stage], config.patch_size[stage],
            config.patch_stride[stage], config.patch_padding[stage]}),
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
  const auto stage = [&](auto& part) { nn::tracing() ? nn::trace(name, part, tokens(x)) : void(); };
  x = conv1.add_to(x);
  stage("conv1");
  auto y = attention_norm(x);
  if (kind == Attends::kWindows) {
    // The reference pads windows with zeros behind the norm, so a pad token's qkv is the bias.
    const nn::PadKeys pads{qkv.bias, windows.area()};
    y = nn::packed_attention(qkv(windows.partition(y)), heads, windows.groups(), pads);
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
  double rate = 0;  // rises linearly in the order spatial, channel, spatial, …
  const double step = c.drop_path / static_cast<double>(2 * depth - 1);
  for (size_t stage = 0; stage < c.dims.size(); ++stage) {
    const auto number = static_cast<int64_t>(stage);
    convs.emplace_back(w / "convs" / number, c, stage);
    auto& layers = blocks.emplace_back();
    const auto add = [&](const Weights& scope, Attends kind, int64_t heads) {
      layers.emplace_back(scope, kind, c.dims[stage], heads, std::exchange(rate, rate + step));
    };
    for (int64_t i = 0; i < c.depths[stage]; ++i) {
      const auto scope = w / "blocks" / number / i;
      add(scope / "spatial_block", Attends::kWindows, c.heads[stage]);
      add(scope / "channel_block", Attends::kChannels, c.groups[stage]);
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
