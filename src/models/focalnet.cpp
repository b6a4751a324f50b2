#include "models/focalnet.h"

#include <numeric>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

nn::ConvShape embed_shape(int64_t in, int64_t out, bool is_stem) {
  return is_stem ? nn::ConvShape{in, out, 7, 4, 2} : nn::ConvShape{in, out, 3, 2, 1};
}

}  // namespace

FocalPatchEmbed::FocalPatchEmbed(const Weights& w, int64_t in, int64_t out, bool is_stem)
    : name(w.name()),
      multiple(is_stem ? 4 : 2),
      proj(w / "proj", embed_shape(in, out, is_stem)),
      norm(w / "norm", out) {}

at::Tensor FocalPatchEmbed::operator()(at::Tensor x) const {
  const int64_t below = -x.size(1) % multiple, right = -x.size(2) % multiple;
  if (below != 0 || right != 0)
    x = at::constant_pad_nd(
        x, {0, 0, 0, (right + multiple) % multiple, 0, (below + multiple) % multiple});
  x = norm(proj(x));
  nn::trace(name, x);
  return x;
}

FocalModulation::FocalModulation(const Weights& w, int64_t dim, const FocalNetConfig& c)
    : dim(dim),
      f(w / "f", dim, 2 * dim + c.focal_levels + 1),
      h(w / "h", {dim, dim, 1}),
      proj(w / "proj", dim, dim) {
  for (int64_t level = 0; level < c.focal_levels; ++level)
    focal_layers.emplace_back(
        w / "focal_layers" / level / "0",
        nn::ConvShape::depthwise(dim, c.focal_window + 2 * level, nn::Bias::kNo));
}

at::Tensor FocalModulation::operator()(const at::Tensor& x) const {
  const auto levels = static_cast<int64_t>(focal_layers.size());
  const auto parts = at::split_with_sizes(f(x), {dim, dim, levels + 1}, -1);
  const auto gates = parts[2] / static_cast<double>(levels + 1);
  auto context = parts[1];
  at::Tensor sum;
  for (int64_t level = 0; level < levels; ++level)
    context = focal_layers[level].gelu_gated(context, gates.narrow(-1, level, 1), sum);
  const auto global = nn::gelu(context.mean({1, 2}, /*keepdim=*/true));
  sum = nn::add_product(sum, global, gates.narrow(-1, levels, 1));
  return proj(nn::multiply(h(sum), parts[0]));
}

FocalBlock::FocalBlock(const Weights& w, int64_t dim, const FocalNetConfig& c, double rate)
    : name(w.name()),
      rate(rate),
      modulation(w / "modulation", dim, c),
      norm1(w / "norm1", dim),
      norm2(w / "norm2", dim),
      fc1(w / "mlp.fc1", dim, c.mlp_ratio * dim),
      fc2(w / "mlp.fc2", c.mlp_ratio * dim, dim),
      gamma_1(w("gamma_1", {dim})),
      gamma_2(w("gamma_2", {dim})) {}

at::Tensor FocalBlock::operator()(const at::Tensor& x, const DropPath& drop) const {
  const auto add = [&](const at::Tensor& to, const at::Tensor& branch, const nn::LayerNorm& norm,
                       const at::Tensor& gamma) {
    if (!drop) return norm.add(branch, gamma, to);
    return to + drop((gamma * norm(branch)).flatten(1, 2), rate).view_as(to);
  };
  auto y = add(x, modulation(x), norm1, gamma_1);
  nn::trace(name, "modulation", y);
  y = add(y, nn::gelu_mlp(fc1, fc2, y), norm2, gamma_2);
  nn::trace(name, y);
  return y;
}

FocalNet::FocalNet(const Weights& w, const FocalNetConfig& c)
    : name(w.name()), patch_embed(w / "patch_embed", 3, c.embed_dim, true) {
  const auto depth = std::accumulate(c.depths.begin(), c.depths.end(), int64_t{0});
  const double step = depth > 1 ? c.drop_path / static_cast<double>(depth - 1) : 0;
  double rate = 0;
  for (size_t stage = 0; stage < c.depths.size(); ++stage) {
    const int64_t dim = c.dim(stage);
    const auto scope = w / "layers" / static_cast<int64_t>(stage);
    auto& blocks = layers.emplace_back();
    for (int64_t i = 0; i < c.depths[stage]; ++i)
      blocks.emplace_back(scope / "blocks" / i, dim, c, std::exchange(rate, rate + step));
    if (stage + 1 < c.depths.size())
      downsamples.emplace_back(scope / "downsample", dim, 2 * dim, false);
    norms.emplace_back(w / ("norm" + std::to_string(stage)), dim);
  }
}

std::vector<at::Tensor> FocalNet::operator()(const at::Tensor& pixels, const DropPath& drop) const {
  std::vector<at::Tensor> outputs;
  auto x = patch_embed(pixels.permute({0, 2, 3, 1}).contiguous());  // [batch, h / 4, w / 4, dim]
  for (size_t stage = 0; stage < layers.size(); ++stage) {
    for (const auto& block : layers[stage]) x = block(x, drop);
    outputs.push_back(norms[stage](x));
    nn::trace(name, "res" + std::to_string(stage + 2), outputs.back());
    if (stage < downsamples.size()) x = downsamples[stage](x);
  }
  return outputs;
}

}  // namespace vesalius::models
