// MAIRA-2 and CXRReportGen imitated: Hugging Face's layout, with a tokenizer of our own that has as
// many tokens.
#include "catalog/report_package.h"
#include "catalog/shards.h"
#include "text/bpe_trainer.h"

namespace vesalius::catalog {
namespace {

constexpr int64_t kShardBytes = int64_t{5} << 30;

/// Phi-3's decoder is told by the card of what is imitated.
bool is_fused(const Card& card) {
  return card.details.value("/architecture/text_config/model_type"_json_pointer, "llama") == "phi3";
}

/// Llama's and Phi-3's own files are not ours to write: an own vocabulary filled up to their size,
/// so that every id has its meaning.
Json imitated_tokenizer(bool fused) {
  const auto& w = text::ReportWording::maira2();
  const std::vector<std::string> lines{w.system,  w.user,  w.assistant, w.frontal_only, w.frontal,
                                       w.lateral, w.prior, w.findings,  w.grounded,     w.phrase};
  auto own = text::train_tokenizer(
      lines, {.vocabulary_size = 512, .coverage = 1, .added = text::maira2_added_tokens()});
  return text::padded_tokenizer(std::move(own), fused ? 32011 : 32000);
}

std::vector<std::vector<TensorEntry>> in_shards(const std::vector<TensorEntry>& entries) {
  std::vector<std::vector<TensorEntry>> shards(1);
  int64_t bytes = 0;
  for (const TensorEntry& entry : entries) {
    const int64_t size = entry.count() * int64_t{sizeof(float)};
    if (bytes > 0 && bytes + size > kShardBytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(entry);
    bytes += size;
  }
  return shards;
}

/// One file, or shards and their index.
fs::path write_weights(const SeededOrder& order, const std::vector<TensorEntry>& entries,
                       const Advance& advance) {
  const auto shards = in_shards(entries);
  if (shards.size() == 1) {
    const auto path = order.folder / "model.safetensors";
    write_seeded(path, entries, order.seeding, advance);
    return path;
  }
  Json map = Json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    const auto name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_seeded(order.folder / name, shards[i], order.seeding, advance);
    for (const TensorEntry& entry : shards[i]) map[entry.name] = name;
  }
  write_file(order.folder / kShardIndex, dump_json(Json{{"weight_map", map}}, 1) + "\n");
  return order.folder / kShardIndex;
}

}  // namespace

SeededFiles write_seeded_report(const SeededOrder& order, const Advance& advance) {
  const bool fused = is_fused(order.original);
  const auto architecture = sized_report_architecture(order.size, fused);
  const auto entries = tensor_list(architecture.model);
  write_report_files(order.folder, architecture, imitated_tokenizer(fused));
  return {.weights = write_weights(order, entries, advance),
          .tensors = entries.size(),
          .card = {{"licence", "values by arithmetic, tokenizer our own: free of rights"}}};
}

std::string find_unseeded_report(const Package& package, const Seeding& seeding) {
  for (const fs::path& file : weight_files(package.weights))
    if (auto found = find_unseeded(file, seeding); !found.empty()) return found;
  return {};
}

int64_t seeded_report_work(const std::string& size) {
  return seeded_bytes(tensor_list(sized_report_architecture(size, false).model));
}

}  // namespace vesalius::catalog
