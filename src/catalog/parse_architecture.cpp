#include "catalog/parse_architecture.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace vesalius::catalog {
namespace {

constexpr int64_t kStages = 4, kMostSide = 8192;
const float kGreyMean = 114.495F, kGreyStd = 57.63F;  // of ImageNet's three figures

struct Size {
  const char* key;
  int64_t* value;
  int64_t least, most;
};

/// Keys and what they set. The decoders' sizes are one for both of the network's transformers.
std::vector<Size> sizes_of(ParseArchitecture& a) {
  auto& m = a.model;
  std::vector<Size> sizes{
      {"image_size", &a.image_size, 32, kMostSide},
      {"embed_dim", &m.backbone.embed_dim, 1, 4096},
      {"focal_levels", &m.backbone.focal_levels, 1, 16},
      {"dim", &m.pixel_decoder.transformer.dim, 32, 16384},
      {"heads", &m.pixel_decoder.transformer.heads, 1, 1024},
      {"feedforward", &m.pixel_decoder.transformer.feedforward, 1, 65536},
      {"encoder_layers", &m.pixel_decoder.encoder_layers, 0, 256},
      {"text_width", &m.text.width, 1, 16384},
      {"text_heads", &m.text.heads, 1, 1024},
      {"text_layers", &m.text.layers, 0, 256},
      {"vocabulary", &m.text.vocabulary, 2, 1 << 24},
      {"context", &m.text.context, 2, 65536},
  };
  if (a.version == 1)
    sizes.insert(sizes.end(), {{"queries", &m.seem.queries, 1, 65536},
                               {"layers", &m.seem.layers, 1, 256},
                               {"biomed_width", &m.biomed.width, 1, 16384},
                               {"biomed_layers", &m.biomed.layers, 0, 256},
                               {"biomed_vocabulary", &m.biomed.vocabulary, 1, 1 << 24}});
  else
    sizes.insert(sizes.end(), {{"queries", &m.boltzformer.queries, 1, 65536},
                               {"layers", &m.boltzformer.layers, 1, 256},
                               {"edge_queries", &m.edge_queries, 0, 65535},
                               {"output_channels", &m.output_channels, 0, 4096}});
  return sizes;
}

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(
      ErrorCode::kModel,
      "{}: [architecture] is not one that can be built: {}. Use the card that was written with the "
      "weights.",
      where, fmt::format(reason, std::forward<Args>(args)...));
}

int64_t whole_number(const Json& value, const Size& size, const std::string& where) {
  if (!value.is_number_integer() || value.get<int64_t>() < size.least ||
      value.get<int64_t>() > size.most)
    refuse(where, "{} = {}, where a whole number from {} to {} is wanted", size.key,
           dump_json(value), size.least, size.most);
  return value.get<int64_t>();
}

std::vector<int64_t> read_depths(const Json& list, const std::string& where) {
  std::vector<int64_t> depths;
  int64_t depth = 0;
  const Size size{"depths", &depth, 1, 256};
  if (!list.is_array() || std::ssize(list) != kStages)
    refuse(where, "depths = {}, where {} numbers are wanted", dump_json(list), kStages);
  for (const Json& value : list) depths.push_back(whole_number(value, size, where));
  return depths;
}

void check_together(const ParseArchitecture& a, const std::string& where) {
  const auto& m = a.model;
  const auto& t = m.pixel_decoder.transformer;
  if (t.dim % m.pixel_decoder.groups != 0 || t.dim % t.heads != 0)
    refuse(where, "dim = {} is no multiple of {} groups and {} heads", t.dim,
           m.pixel_decoder.groups, t.heads);
  if (m.text.width % m.text.heads != 0)
    refuse(where, "text_width = {} is no multiple of {} heads", m.text.width, m.text.heads);
  if (a.image_size % 32 != 0) refuse(where, "image_size = {} is no multiple of 32", a.image_size);
  if (a.version == 2 && m.edge_queries >= m.boltzformer.queries)
    refuse(where, "of {} queries, {} are for edges", m.boltzformer.queries, m.edge_queries);
}

template <class Model>
std::vector<TensorEntry> entries_of(const models::BiomedParseConfig& config) {
  static const std::map<std::string, float> defined{
      {"dilation_kernel", 1}, {"pixel_mean", kGreyMean}, {"pixel_std", kGreyStd}};
  const auto store = TensorStore::recording();
  const Model model(Weights(store), config);
  auto entries = store->entries();
  for (TensorEntry& entry : entries)
    if (const auto value = defined.find(entry.name); value != defined.end())
      entry.values = {value->second};
  return entries;
}

}  // namespace

ParseArchitecture published_architecture(int version) {
  return {.version = version, .image_size = version == 1 ? 1024 : 512, .model = {}};
}

ParseArchitecture tiny_architecture(int version) {
  const Json table{{"image_size", 64}, {"embed_dim", 16},     {"depths", {1, 1, 2, 1}},
                   {"dim", 64},        {"heads", 4},          {"feedforward", 96},
                   {"text_width", 32}, {"text_heads", 2},     {"text_layers", 2},
                   {"layers", 4},      {"encoder_layers", 2}, {"queries", 8}};
  auto tiny = read_architecture(table, version, "tiny");
  tiny.model.biomed = {.width = 32, .layers = 2, .vocabulary = 128};
  return tiny;
}

ParseArchitecture read_architecture(const Json& table, int version, const std::string& where) {
  auto a = published_architecture(version);
  const auto sizes = sizes_of(a);
  if (!table.is_object()) refuse(where, "it is no table");
  for (const auto& [key, value] : table.items()) {
    const auto size =
        std::ranges::find_if(sizes, [&, &k = key](const Size& one) { return k == one.key; });
    if (size != sizes.end())
      *size->value = whole_number(value, *size, where);
    else if (key == "depths")
      a.model.backbone.depths = read_depths(value, where);
    else
      refuse(where, "there is no '{}' in version {}", key, version);
  }
  a.model.seem.transformer = a.model.boltzformer.transformer = a.model.pixel_decoder.transformer;
  check_together(a, where);
  return a;
}

Json write_architecture(const ParseArchitecture& architecture) {
  auto a = architecture;
  Json table{{"depths", a.model.backbone.depths}};
  for (const Size& size : sizes_of(a)) table[size.key] = *size.value;
  return table;
}

std::vector<TensorEntry> tensor_list(const ParseArchitecture& a) {
  return a.version == 1 ? entries_of<models::BiomedParseV1>(a.model)
                        : entries_of<models::BiomedParseV2>(a.model);
}

}  // namespace vesalius::catalog
