#include "catalog/vision_architecture.h"

#include <algorithm>

#include "catalog/hugging_face.h"

namespace vesalius::catalog {
namespace {

/// The least and only side: {"height","width"}, {"shortest_edge"} or a number.
int64_t read_side(const ConfigValues& table, const char* key, int64_t standard) {
  if (!table.has(key)) return standard;
  try {
    const auto sides = table.table(key);
    return sides.has("shortest_edge") ? sides.whole("shortest_edge", standard, 1, 8192)
                                      : sides.whole("height", standard, 1, 8192);
  } catch (const Error&) {
    return table.whole(key, standard, 1, 8192);
  }
}

}  // namespace

models::Dinov2Config read_vision_config(const ConfigValues& vision) {
  vision.require("model_type", "dinov2", {"dinov2"});
  vision.require("hidden_act", "gelu", {"gelu"});
  if (vision.flag("use_swiglu_ffn", false)) vision.refuse("use_swiglu_ffn", "false");
  models::Dinov2Config c;
  c.image_size = vision.whole("image_size", 224, 1, 8192);
  c.patch_size = vision.whole("patch_size", 14, 1, 1024);
  c.hidden = vision.whole("hidden_size", 768, 1, 65536);
  c.layers = vision.whole("num_hidden_layers", 12, 1, 1024);
  c.heads = vision.whole("num_attention_heads", 12, 1, 1024);
  c.mlp_ratio = vision.whole("mlp_ratio", 4, 1, 64);
  c.eps = vision.number("layer_norm_eps", 1e-6);
  c.qkv_bias = vision.flag("qkv_bias", true);
  c.mask_token = vision.flag("use_mask_token", true);
  c.final_norm = vision.flag("apply_layernorm", true);
  if (c.hidden % c.heads != 0) vision.refuse("num_attention_heads", "a divisor of hidden_size");
  if (c.image_size % c.patch_size != 0) vision.refuse("patch_size", "a divisor of image_size");
  const auto taps = vision.wholes("out_indices");
  if (!taps.empty()) c.tap = taps.back() == c.layers ? -1 : taps.back();
  c.depth();  // refuses a layer that there is not
  return c;
}

Json write_vision_config(const models::Dinov2Config& c) {
  const int64_t tap = c.depth();
  return {{"model_type", "dinov2"},
          {"image_size", c.image_size},
          {"patch_size", c.patch_size},
          {"hidden_size", c.hidden},
          {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},
          {"mlp_ratio", c.mlp_ratio},
          {"hidden_act", "gelu"},
          {"layer_norm_eps", c.eps},
          {"qkv_bias", c.qkv_bias},
          {"use_mask_token", c.mask_token},
          {"use_swiglu_ffn", false},
          {"apply_layernorm", c.final_norm},
          {"reshape_hidden_states", false},
          {"out_features", {"stage" + std::to_string(tap)}},
          {"out_indices", {tap}}};
}

recipes::ModelInput film_input(int64_t side) {
  recipes::ModelInput input{.size = static_cast<int>(side)};
  std::ranges::fill(input.mean, 0.5307F);
  std::ranges::fill(input.std, 0.2583F);
  return input;
}

recipes::ModelInput read_vision_input(const fs::path& folder, int64_t side) {
  constexpr const char* kFile = "preprocessor_config.json";
  const ConfigValues table(read_beside(folder, kFile), (folder / kFile).string());
  auto input = film_input(side);
  if (read_side(table, "crop_size", side) != side)
    table.refuse("crop_size", fmt::format("the encoder's {}", side));
  const auto fill = [&](const char* key, float(&to)[3]) {
    const auto values = table.numbers(key);
    if (values.empty()) return;
    if (values.size() != 3) table.refuse(key, "three numbers");
    for (size_t i = 0; i < 3; ++i) to[i] = static_cast<float>(values[i]);
  };
  fill("image_mean", input.mean);
  fill("image_std", input.std);
  return input;
}

Json write_preprocessor_config(const recipes::ModelInput& input) {
  const Json square{{"height", input.size}, {"width", input.size}};
  return {{"image_processor_type", "BitImageProcessor"},
          {"do_convert_rgb", true},
          {"do_resize", true},
          {"size", {{"shortest_edge", input.size}}},
          {"resample", 3},
          {"do_center_crop", true},
          {"crop_size", square},
          {"do_rescale", true},
          {"rescale_factor", 1.0 / 255},
          {"do_normalize", true},
          {"image_mean", input.mean},
          {"image_std", input.std}};
}

const std::vector<Rename>& vision_renames() {
  static const std::vector<Rename> all{
      {"layer.{i}.attention.q_proj", "layer.{i}.attention.attention.query"},
      {"layer.{i}.attention.k_proj", "layer.{i}.attention.attention.key"},
      {"layer.{i}.attention.v_proj", "layer.{i}.attention.attention.value"},
      {"layer.{i}.attention.o_proj", "layer.{i}.attention.output.dense"}};
  return all;
}

}  // namespace vesalius::catalog
