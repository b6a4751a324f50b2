#include "catalog/parse_open.h"

#include <string_view>

#include "catalog/parse_package.h"
#include "catalog/weights_file.h"

namespace vesalius::catalog {
namespace {

/// What the published file of version 1 has beside the model's: weights of the training's classes.
const char* const kOfTraining = "criterion.empty_weight";

bool is_unused(std::string_view name) {
  return models::BiomedParseV1::is_unused(name) || name == kOfTraining;
}

bool stays_float(std::string_view name) {
  return name.starts_with("pixel_") || name.ends_with("logit_scale");
}

/// Moves what will be used; mapped float32 on the CPU stays where it is.
void place(std::map<std::string, at::Tensor>& tensors, const Placement& placement) {
  for (auto& [name, tensor] : tensors)
    if (!is_unused(name))
      tensor = tensor.to(placement.device, stays_float(name) ? at::kFloat : placement.type);
}

void check_tokenizer(const OpenParsePackage& opened) {
  const auto tokens = clip_tokenizer().vocabulary();
  if (tokens != opened.architecture.model.text.vocabulary)
    fail(ErrorCode::kModel, "{}: embeds {} tokens, CLIP's tokenizer has {}.",
         opened.package.weights.string(), opened.architecture.model.text.vocabulary, tokens);
}

}  // namespace

ParseArchitecture architecture_of(const Package& package) {
  const Json none = Json::object();
  const Json& table =
      package.card.contains("architecture") ? package.card.at("architecture") : none;
  return read_architecture(table, parse_version(package), (package.folder / "card.toml").string());
}

std::unique_ptr<ParseModel> make_parse_model(const std::shared_ptr<TensorStore>& store,
                                             const ParseArchitecture& architecture) {
  const Weights weights(store);
  if (architecture.version == 1)
    return std::make_unique<ParseModel>(std::in_place_type<models::BiomedParseV1>, weights,
                                        architecture.model);
  return std::make_unique<ParseModel>(std::in_place_type<models::BiomedParseV2>, weights,
                                      architecture.model);
}

OpenParsePackage open_parse_package(const fs::path& folder, const Placement& placement) {
  OpenParsePackage opened{.package = find_package(folder)};
  require_task(opened.package, Task::kSegmentation);
  const fs::path& path = opened.package.weights;
  opened.architecture = architecture_of(opened.package);
  auto tensors = read_weights(path);
  check_types(tensors, path);
  place(tensors, placement);
  opened.store = std::make_shared<TensorStore>(path.string(), std::move(tensors));
  opened.model = make_parse_model(opened.store, opened.architecture);
  opened.store->finish({kOfTraining});
  return opened;
}

text::ClipTokenizer clip_tokenizer() {
  return text::ClipTokenizer::of_merges(catalog_folder() / "clip/merges.txt");
}

const models::PromptEncoder& prompt_encoder(const ParseModel& model) {
  if (const auto* first = std::get_if<models::BiomedParseV1>(&model)) return first->lang_encoder;
  return std::get<models::BiomedParseV2>(model).language_encoder;
}

void check_parse(const Package& package, const Card* published) {
  const auto opened = open_parse_package(package.folder);
  check_tokenizer(opened);
  if (published == nullptr) return;
  const auto theirs = opened.architecture;
  const Json wanted = published->details.at("architecture"), found = write_architecture(theirs);
  const Json ours =
      write_architecture(read_architecture(wanted, theirs.version, published->name + "'s card"));
  if (found != ours)
    fail(ErrorCode::kModel,
         "{}: is another model than {}: its sizes are {}, the published ones {}. Use the published "
         "package, or add this one under another name.",
         package.folder.string(), published->name, dump_json(found), dump_json(ours));
}

}  // namespace vesalius::catalog
