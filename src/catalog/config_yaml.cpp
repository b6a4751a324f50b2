#include "catalog/config_yaml.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "catalog/yaml.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestConfig = 1 << 20;
constexpr int64_t kLargestNumber = 1 << 20;  // of a width, depth, size: more is no model
constexpr int64_t kLargestImage = 8192;
constexpr size_t kMostStages = 8;

/// One parsed file: looks keys up by their dotted path and converts with errors that name them.
class Keys {
 public:
  Keys(const std::string& yaml, std::string where)
      : where_(std::move(where)), root_(parse_yaml(yaml, where_)) {
    if (!root_.is_object()) refuse("it holds no keys");
  }

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> reason, Args&&... args) const {
    fail(ErrorCode::kModel,
         "{}: is no config of this model: {}. Use the config.yaml that was published with the "
         "weights.",
         where_, fmt::format(reason, std::forward<Args>(args)...));
  }

  /// The value at "A.B.C", or nothing where it is not given or null.
  const Json* find(const std::string& dotted) const {
    const Json* node = &root_;
    for (size_t start = 0; start <= dotted.size();) {
      const size_t end = std::min(dotted.find('.', start), dotted.size());
      const auto next = node->find(dotted.substr(start, end - start));
      if (next == node->end() || next->is_null()) return nullptr;
      node = &*next;
      start = end + 1;
    }
    return node;
  }

  template <class T>
  void read(const std::string& key, T& value) const {
    if (const Json* node = find(key)) value = convert<T>(*node, key);
  }

  template <class T>
  void read(const std::string& key, std::vector<T>& values) const {
    const Json* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array() || node->empty() || node->size() > kMostStages)
      refuse("{} is not a list of 1 to {} values", key, kMostStages);
    values.clear();
    for (const Json& item : *node) values.push_back(convert<T>(item, key));
  }

 private:
  template <class T>
  T convert(const Json& node, const std::string& key) const {
    if constexpr (std::is_same_v<T, bool>) {
      if (node.is_boolean()) return node.get<bool>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (node.is_string()) return node.get<std::string>();
    } else if constexpr (std::is_same_v<T, int64_t>) {
      if (node.is_number_integer() && node >= 0 && node <= kLargestNumber)
        return node.get<int64_t>();
    } else {
      const double value = node.is_number() ? node.get<double>() : std::nan("");
      if (std::abs(value) <= kLargestNumber) return static_cast<T>(value);
    }
    refuse("{} is {}", key, dump_json(node));
  }

  std::string where_;
  Json root_;
};

void read_image(const Keys& keys, models::MedImageInsightConfig& config) {
  std::vector<int64_t> size{config.image_size, config.image_size};
  keys.read("IMAGE_ENCODER.IMAGE_SIZE", size);
  if (size.size() != 2 || size[0] != size[1] || size[0] < 1 || size[0] > kLargestImage)
    keys.refuse("IMAGE_SIZE is not a square of 1 to {} pixels", kLargestImage);
  config.image_size = size.front();
  std::vector<float> mean(config.mean, config.mean + 3), std(config.std, config.std + 3);
  keys.read("IMAGE_ENCODER.IMAGE_MEAN", mean);
  keys.read("IMAGE_ENCODER.IMAGE_STD", std);
  if (mean.size() != 3 || std.size() != 3)
    keys.refuse("IMAGE_MEAN and IMAGE_STD need three values");
  std::copy_n(mean.begin(), 3, config.mean);
  std::copy_n(std.begin(), 3, config.std);
  models::DaVitConfig& image = config.image;
  const std::string spec = "IMAGE_ENCODER.SPEC.";
  keys.read(spec + "DIM_EMBED", image.dims);
  keys.read(spec + "DEPTHS", image.depths);
  keys.read(spec + "NUM_HEADS", image.heads);
  keys.read(spec + "NUM_GROUPS", image.groups);
  keys.read(spec + "PATCH_SIZE", image.patch_size);
  keys.read(spec + "PATCH_STRIDE", image.patch_stride);
  keys.read(spec + "PATCH_PADDING", image.patch_padding);
  keys.read(spec + "PATCH_PRENORM", image.patch_prenorm);
  keys.read(spec + "WINDOW_SIZE", image.window);
  keys.read(spec + "DROP_PATH_RATE", image.drop_path);
}

void check_image(const Keys& keys, const models::DaVitConfig& image) {
  const size_t stages = image.dims.size();
  for (const auto* list : {&image.depths, &image.heads, &image.groups, &image.patch_size,
                           &image.patch_stride, &image.patch_padding})
    if (list->size() != stages)
      keys.refuse("the lists of SPEC have {} and {} stages", stages, list->size());
  if (image.patch_prenorm.size() != stages)
    keys.refuse("PATCH_PRENORM has {} stages", image.patch_prenorm.size());
  for (size_t i = 0; i < stages; ++i) {
    const int64_t dim = image.dims[i], heads = image.heads[i], groups = image.groups[i];
    if (dim < 1 || heads < 1 || groups < 1 || dim % heads != 0 || dim % groups != 0)
      keys.refuse("stage {} has {} channels for {} heads and {} groups", i, dim, heads, groups);
    if (image.patch_size[i] < 1 || image.patch_stride[i] < 1 ||
        image.patch_padding[i] >= image.patch_size[i])
      keys.refuse("stage {} has an impossible patch", i);
  }
  if (image.window < 1 || image.drop_path < 0 || image.drop_path >= 1)
    keys.refuse("WINDOW_SIZE or DROP_PATH_RATE is impossible");
}

/// Branches of the original code that the release does not use and that are not built here.
void refuse_variants(const Keys& keys) {
  const std::pair<const char*, bool> expected[] = {{"IMAGE_ENCODER.SPEC.CONV_AT_ATTN", true},
                                                   {"IMAGE_ENCODER.SPEC.CONV_AT_FFN", true},
                                                   {"IMAGE_ENCODER.SPEC.DYNAMIC_SCALE", true},
                                                   {"IMAGE_ENCODER.SPEC.STANDPARAM", true},
                                                   {"LANG_ENCODER.AUTOGRESSIVE", false},
                                                   {"LANG_ENCODER.AUTOREGRESSIVE", false},
                                                   {"UNICL_MODEL.STANDPARAM", true}};
  for (const auto& [key, wanted] : expected) {
    bool value = wanted;
    keys.read(key, value);
    if (value != wanted) keys.refuse("{}: {} is a variant that is not supported", key, value);
  }
  const std::pair<const char*, const char*> names[] = {{"IMAGE_ENCODER.NAME", "davit_v1"},
                                                       {"LANG_ENCODER.NAME", "transformer"},
                                                       {"LANG_ENCODER.TOKENIZER", "clip"}};
  for (const auto& [key, wanted] : names) {
    std::string value = wanted;
    keys.read(key, value);
    if (value != wanted) keys.refuse("{} is '{}' where '{}' is known", key, value, wanted);
  }
  int64_t classes = 0;
  keys.read("IMAGE_ENCODER.NUM_CLASSES", classes);
  if (classes != 0) keys.refuse("NUM_CLASSES is {}: a classifier, not an embedding", classes);
}

}  // namespace

models::MedImageInsightConfig parse_config(const std::string& yaml, const std::string& where) {
  const Keys keys(yaml, where);
  if (keys.find("IMAGE_ENCODER") == nullptr || keys.find("LANG_ENCODER") == nullptr)
    keys.refuse("IMAGE_ENCODER and LANG_ENCODER are not both there");
  models::MedImageInsightConfig config;
  read_image(keys, config);
  check_image(keys, config.image);
  keys.read("LANG_ENCODER.CONTEXT_LENGTH", config.text.context);
  keys.read("LANG_ENCODER.WIDTH", config.text.width);
  keys.read("LANG_ENCODER.HEADS", config.text.heads);
  keys.read("LANG_ENCODER.LAYERS", config.text.layers);
  keys.read("UNICL_MODEL.DIM_PROJECTION", config.projection);
  if (config.text.heads < 1 || config.text.width < 1 ||
      config.text.width % config.text.heads != 0 || config.text.context < 2 ||
      config.projection < 1)
    keys.refuse("LANG_ENCODER or DIM_PROJECTION has impossible sizes");
  refuse_variants(keys);
  return config;
}

models::MedImageInsightConfig read_config(const fs::path& path) {
  return parse_config(read_text(path, kLargestConfig), path.string());
}

std::string write_config(const models::MedImageInsightConfig& c) {
  std::vector<const char*> prenorm;
  for (const bool value : c.image.patch_prenorm) prenorm.push_back(value ? "true" : "false");
  const auto list = [](const auto& values) { return fmt::format("[{}]", fmt::join(values, ", ")); };
  std::string text =
      fmt::format("IMAGE_ENCODER:\n  NAME: davit_v1\n  NUM_CLASSES: 0\n  IMAGE_SIZE: [{0}, {0}]\n",
                  c.image_size);
  text += fmt::format("  IMAGE_MEAN: {}\n  IMAGE_STD: {}\n  SPEC:\n", list(c.mean), list(c.std));
  text += fmt::format(
      "    DROP_PATH_RATE: {}\n    PATCH_SIZE: {}\n    PATCH_STRIDE: {}\n    PATCH_PADDING: {}\n",
      c.image.drop_path, list(c.image.patch_size), list(c.image.patch_stride),
      list(c.image.patch_padding));
  text += fmt::format(
      "    PATCH_PRENORM: {}\n    DIM_EMBED: {}\n    NUM_HEADS: {}\n    NUM_GROUPS: {}\n",
      list(prenorm), list(c.image.dims), list(c.image.heads), list(c.image.groups));
  text +=
      fmt::format("    DEPTHS: {}\n    WINDOW_SIZE: {}\n", list(c.image.depths), c.image.window);
  text += fmt::format(
      "LANG_ENCODER:\n  NAME: transformer\n  TOKENIZER: clip\n  CONTEXT_LENGTH: {}\n  WIDTH: {}\n"
      "  HEADS: {}\n  LAYERS: {}\n  AUTOGRESSIVE: false\n  KEY_PADDING_TOKEN: true\n",
      c.text.context, c.text.width, c.text.heads, c.text.layers);
  return text + fmt::format("UNICL_MODEL:\n  DIM_PROJECTION: {}\n", c.projection);
}

}  // namespace vesalius::catalog
