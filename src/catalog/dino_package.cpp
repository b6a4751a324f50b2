#include "catalog/dino_package.h"

#include "catalog/hugging_face.h"
#include "catalog/shards.h"
#include "catalog/vision_architecture.h"
#include "catalog/weights_file.h"

namespace vesalius::catalog {
namespace {

constexpr const char* kModelType = "dinov2";

bool recognises(const fs::path& folder) { return says_model_type(folder, kModelType); }

Package find_parts(const fs::path& folder) { return find_hugging_face(folder, "an image encoder"); }

/// Dinov2Model gives the last block through the last LayerNorm, whatever its config says of taps:
/// these are for backbones.
models::Dinov2Config read_config(const fs::path& file) {
  auto config = read_vision_config(ConfigValues(read_json(file), file.string()));
  config.tap = -1;
  config.final_norm = true;
  return config;
}

models::Dinov2Config sized_config(const std::string& size) {
  if (size == "full") return {};
  if (size == "tiny") return {.image_size = 70, .hidden = 32, .layers = 2, .heads = 2};
  fail(ErrorCode::kUsage, "--size {}: choose full or tiny.", size);
}

std::vector<TensorEntry> tensor_list(const models::Dinov2Config& config) {
  const auto store = TensorStore::recording();
  const models::Dinov2 model(Weights(store), config);
  return store->entries();
}

std::map<std::string, at::Tensor> read_tensors(const fs::path& weights) {
  static const KeyMap spellings(vision_renames());
  return spellings.apply(read_shards(weights), weights.string());
}

/// A model of the catalog is exactly what its publisher built; other names may be of any size.
void check_dino(const Package& package, const Card* published) {
  const auto ours = open_dino_package(package.folder).model->config;
  if (published == nullptr) return;
  const ConfigValues wanted(published->details.at("architecture"), published->name + "'s card");
  const auto theirs = read_vision_config(wanted);
  if (ours.hidden != theirs.hidden || ours.layers != theirs.layers || ours.heads != theirs.heads ||
      ours.image_size != theirs.image_size || ours.patch_size != theirs.patch_size)
    fail(ErrorCode::kModel,
         "{}: is another model than {}: it has {} blocks of width {} and reads {} pixels, the "
         "published one {} of {} and {}. Use the published package, or add this one under another "
         "name.",
         package.folder.string(), published->name, ours.layers, ours.hidden, ours.image_size,
         theirs.layers, theirs.hidden, theirs.image_size);
}

SeededFiles write_seeded_dino(const SeededOrder& order, const Advance& advance) {
  const auto config = sized_config(order.size);
  const auto entries = tensor_list(config);
  SeededFiles files{.weights = order.folder / "model.safetensors",
                    .tensors = entries.size(),
                    .card = {{"licence", "values by arithmetic: free of rights"}}};
  write_seeded(files.weights, entries, order.seeding, advance);
  Json table = write_vision_config(config);
  table["architectures"] = {"Dinov2Model"};
  write_file(order.folder / "config.json", dump_json(table, 2) + "\n");
  write_file(order.folder / "preprocessor_config.json",
             dump_json(write_preprocessor_config(film_input(config.image_size)), 2) + "\n");
  return files;
}

std::string find_unseeded_dino(const Package& package, const Seeding& seeding) {
  return find_unseeded(package.weights, seeding);
}

int64_t seeded_dino_work(const std::string& size) {
  return seeded_bytes(tensor_list(sized_config(size)));
}

}  // namespace

Family dino_family() {
  return {.name = "rad-dino",
          .task = Task::kEmbedding,
          .sign = "config.json of the type dinov2 (RAD-DINO)",
          .recipe = "rad-dino",
          .added_recipe = "rad-dino",
          .recognises = recognises,
          .find = find_parts,
          .check = check_dino,
          .installed = hugging_face_files,
          .outputs = dino_outputs,
          .compare = compare_dino,
          .find_unseeded = find_unseeded_dino,
          .write_seeded = write_seeded_dino,
          .seeded_work = seeded_dino_work,
          .open_embedding = open_dino};
}

OpenDinoPackage open_dino_package(const fs::path& folder, const Placement& placement) {
  OpenDinoPackage opened{.package = find_package(folder)};
  require_task(opened.package, Task::kEmbedding);
  const auto config = read_config(opened.package.config);
  opened.input = read_vision_input(opened.package.config.parent_path(), config.image_size);
  auto tensors = read_tensors(opened.package.weights);
  check_types(tensors, opened.package.weights);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(placement.device, placement.type);
  const auto store =
      std::make_shared<TensorStore>(opened.package.weights.string(), std::move(tensors));
  opened.model = std::make_unique<models::Dinov2>(Weights(store), config);
  store->finish();
  return opened;
}

}  // namespace vesalius::catalog
