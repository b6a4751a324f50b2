#include "catalog/report_package.h"

#include <algorithm>

#include "catalog/config_values.h"
#include "catalog/hugging_face.h"
#include "catalog/shards.h"
#include "catalog/vision_architecture.h"
#include "catalog/weights_file.h"

namespace vesalius::catalog {
namespace {

bool recognises(const fs::path& folder) { return says_model_type(folder, "maira2"); }

Package find_parts(const fs::path& folder) { return find_hugging_face(folder, "a report model"); }

/// Of a whole model, as transformers has its parts in memory and has saved them.
const KeyMap& spellings() {
  static const KeyMap map([] {
    std::vector<Rename> lines{{"^model.vision_tower", "vision_tower"},
                              {"^model.multi_modal_projector", "multi_modal_projector"},
                              {"^model.language_model", "language_model.model"},
                              {"^lm_head", "language_model.lm_head"}};
    lines.insert(lines.end(), vision_renames().begin(), vision_renames().end());
    return lines;
  }());
  return map;
}

bool is_decoder_matrix(const std::string& name, const at::Tensor& tensor) {
  return name.starts_with("language_model.model.layers.") && tensor.dim() == 2;
}

void place(std::map<std::string, at::Tensor>& tensors, const Placement& placement,
           bool keep_stored) {
  for (auto& [name, tensor] : tensors)
    tensor = keep_stored && is_decoder_matrix(name, tensor)
                 ? tensor.to(placement.device)
                 : tensor.to(placement.device, placement.type);
}

void check_report(const Package& package, const Card* published) {
  const auto opened = open_report_package(package.folder);
  open_report_tokenizer(opened.package, opened.architecture);
  if (published == nullptr) return;
  const ConfigValues wanted(published->details.at("architecture"), published->name + "'s card");
  const auto& text = opened.architecture.model.text;
  const int64_t hidden = wanted.table("text_config").whole("hidden_size", text.hidden, 1, 1 << 20);
  const int64_t layers =
      wanted.table("text_config").whole("num_hidden_layers", text.layers, 1, 1024);
  if (hidden != text.hidden || layers != text.layers)
    fail(ErrorCode::kModel,
         "{}: is another model than {}: its decoder has {} layers of width {}, the published one "
         "{} of {}. Use the published package, or add this one under another name.",
         package.folder.string(), published->name, text.layers, text.hidden, layers, hidden);
}

}  // namespace

Family report_family() {
  return {.name = "maira-2",
          .task = Task::kReport,
          .sign = "config.json of the type maira2 (MAIRA-2, CXRReportGen)",
          .recipe = "maira-2",
          .added_recipe = "maira-2",
          .recognises = recognises,
          .find = find_parts,
          .check = check_report,
          .installed = hugging_face_files,
          .outputs = report_outputs,
          .compare = compare_report,
          .find_unseeded = find_unseeded_report,
          .write_seeded = write_seeded_report,
          .seeded_work = seeded_report_work};
}

std::map<std::string, at::Tensor> read_report_weights(const fs::path& weights) {
  auto tensors = read_shards(weights);
  std::erase_if(tensors, [](const auto& one) {  // a buffer that older files have
    return one.first.ends_with("rotary_emb.inv_freq");
  });
  return spellings().apply(std::move(tensors), weights.string());
}

fs::path report_model_folder(const std::string& name_or_folder) {
  return model_folder(name_or_folder, {"cxrreportgen", "maira-2", "starter-report"});
}

OpenReportPackage open_report_package(const fs::path& folder, const Placement& placement,
                                      bool keep_stored) {
  OpenReportPackage opened{.package = find_package(folder)};
  require_task(opened.package, Task::kReport);
  opened.architecture = read_report_architecture(opened.package);
  auto tensors = read_report_weights(opened.package.weights);
  check_types(tensors, opened.package.weights);
  place(tensors, placement, keep_stored);
  opened.store = std::make_shared<TensorStore>(opened.package.weights.string(), std::move(tensors));
  opened.model = std::make_unique<models::Maira2>(Weights(opened.store), opened.architecture.model);
  opened.store->finish();
  return opened;
}

text::Tokenizer open_report_tokenizer(const Package& package, const ReportArchitecture& a) {
  const auto file = package.tokenizer / "tokenizer.json";
  auto tokenizer = text::Tokenizer::load(file);
  const auto& g = a.grounding;
  for (const std::string& token : {a.wording.image, g.begin, g.end, g.box_begin, g.box_end,
                                   std::string("<x0>"), fmt::format("<y{}>", g.bins - 1)})
    if (!tokenizer.id_of(token))
      fail(ErrorCode::kModel, "{}: has no token {}. Use the tokenizer of the same package.",
           file.string(), token);
  if (tokenizer.id_of(a.wording.image) != a.model.image_token)
    fail(ErrorCode::kModel, "{}: {} is token {}, config.json says {}.", file.string(),
         a.wording.image, *tokenizer.id_of(a.wording.image), a.model.image_token);
  if (tokenizer.size() > a.model.text.vocabulary)
    fail(ErrorCode::kModel, "{}: has {} tokens, the model {}.", file.string(), tokenizer.size(),
         a.model.text.vocabulary);
  return tokenizer;
}

void write_report_files(const fs::path& folder, const ReportArchitecture& a,
                        const Json& tokenizer) {
  const auto& g = a.grounding;
  const Json processor{{"patch_size", a.model.vision.patch_size},
                       {"vision_feature_select_strategy", "default"},
                       {"num_additional_image_tokens", 1},
                       {"phrase_start_token", g.begin},
                       {"phrase_end_token", g.end},
                       {"box_start_token", g.box_begin},
                       {"box_end_token", g.box_end},
                       {"num_box_coord_bins", g.bins}};
  write_file(folder / "config.json", dump_json(write_report_config(a), 2) + "\n");
  write_file(folder / "preprocessor_config.json",
             dump_json(write_preprocessor_config(a.input), 2) + "\n");
  write_file(folder / "processor_config.json", dump_json(processor, 2) + "\n");
  write_file(folder / "generation_config.json",
             dump_json(Json{{"bos_token_id", 1}, {"eos_token_id", a.stop}}, 2) + "\n");
  write_file(folder / "tokenizer.json", dump_json(tokenizer, 1) + "\n");
}

}  // namespace vesalius::catalog
