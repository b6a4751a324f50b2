// MedImageInsight imitated: the community mirror's layout (2024.09.27/).
#include "catalog/config_yaml.h"
#include "catalog/insight_package.h"
#include "catalog/random.h"
#include "text/clip_files.h"

namespace vesalius::catalog {
namespace {

// As in the community mirror; the file's name is spelled so.
constexpr const char* kRoot = "2024.09.27";
constexpr const char* kWeights = "vision_model/medimageinsigt-v1.0.0.pt";
constexpr const char* kTokenizer = "language_model/clip_tokenizer_4.16.2";

models::MedImageInsightConfig tiny_config() {
  models::MedImageInsightConfig c;
  c.image_size = 96;
  c.image.dims = {32, 64, 96, 128};
  c.image.depths = {1, 1, 2, 1};
  c.image.heads = c.image.groups = {1, 2, 3, 4};
  c.text.width = 64;
  c.text.heads = 2;
  c.text.layers = 3;
  c.projection = 48;
  return c;
}

}  // namespace

std::vector<TensorEntry> tensor_list(const models::MedImageInsightConfig& config) {
  const auto store = TensorStore::recording();
  const models::MedImageInsight model(Weights(store), config);
  return store->entries();
}

models::MedImageInsightConfig seeded_config(const std::string& size) {
  if (size == "full") return {};
  if (size == "tiny") return tiny_config();
  fail(ErrorCode::kUsage, "--size {}: choose full or tiny.", size);
}

int64_t seeded_insight_work(const std::string& size) {
  auto entries = tensor_list(seeded_config(size));
  const auto header = static_cast<int64_t>(make_safetensors_header(entries).size());
  return header + 2 * static_cast<int64_t>(entries.back().end);  // values written, file hashed
}

SeededFiles write_seeded_insight(const SeededOrder& order, const Advance& advance) {
  const auto config = seeded_config(order.size);
  const auto entries = tensor_list(config);
  SeededFiles files{.weights = order.folder / kRoot / kWeights, .tensors = entries.size()};
  write_seeded(files.weights, entries, order.seeding, advance);
  text::write_clip_tokenizer(order.folder / kRoot / kTokenizer,
                             catalog_folder() / "clip" / "merges.txt");
  write_file(order.folder / kRoot / "config.yaml", write_config(config));
  return files;
}

}  // namespace vesalius::catalog
