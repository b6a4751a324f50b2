#include "tasks/embed.h"

#include <map>
#include <set>

namespace vesalius::tasks {
namespace {

/// The images of one series, study or folder, waiting for the last one.
struct Group {
  Json head;
  std::vector<at::Tensor> features;
};

class Grouper {
 public:
  explicit Grouper(const EmbedOptions& options) : options_(options) {}

  void add(const Embedded& embedded) {
    const std::string key = key_of(embedded);
    auto [at, fresh] = groups_.try_emplace(key);
    if (fresh) order_.push_back(key);
    if (fresh) at->second.head = head_of(embedded, key);
    at->second.features.push_back(
        (options_.raw ? embedded.features : unit_rows(embedded.features)).clone());
  }

  void give_all(const std::function<void(Record&&)>& give) const {
    for (const auto& key : order_) {
      const Group& group = groups_.at(key);
      at::Tensor pooled = pool_features(at::stack(group.features), options_.pool);
      if (!options_.raw && options_.pool != Pool::kStudy) pooled = unit_rows(pooled);
      Record record{group.head, pooled};
      record.head["images"] = group.features.size();
      give(std::move(record));
    }
  }

 private:
  const char* uid_key() const {
    return options_.pool_by == PoolBy::kSeries ? "series_instance_uid" : "study_instance_uid";
  }

  std::string key_of(const Embedded& embedded) const {
    if (options_.pool_by == PoolBy::kAll) return "all";
    const bool by_uid = options_.pool_by != PoolBy::kFolder;
    if (by_uid && embedded.identity.contains(uid_key()))
      return std::string("uid ") + embedded.identity[uid_key()].get<std::string>();
    return "folder " + folder_of(embedded);
  }

  static std::string folder_of(const Embedded& embedded) {
    const std::string folder = fs::path(embedded.source.input).parent_path().string();
    return folder.empty() ? "." : folder;
  }

  Json head_of(const Embedded& embedded, const std::string& key) const {
    Json head = {{"input", folder_of(embedded)}, {"kind", "study"}, {"pool", pool_name()}};
    if (key.starts_with("uid ") && options_.pool_by == PoolBy::kSeries)
      head["series_instance_uid"] = embedded.identity["series_instance_uid"];
    if (key.starts_with("uid ") && embedded.identity.contains("study_instance_uid"))
      head["study_instance_uid"] = embedded.identity["study_instance_uid"];
    if (key.starts_with("uid ") && embedded.identity.contains("modality"))
      head["modality"] = embedded.identity["modality"];
    return head;
  }

  std::string pool_name() const {
    constexpr const char* kNames[] = {"none", "mean", "median", "max", "std", "study"};
    return kNames[static_cast<int>(options_.pool)];
  }

  const EmbedOptions& options_;
  std::map<std::string, Group> groups_;
  std::vector<std::string> order_;
};

}  // namespace

PoolBy parse_pool_by(const std::string& name) {
  static const std::map<std::string, PoolBy> kWays{{"series", PoolBy::kSeries},
                                                   {"study", PoolBy::kStudy},
                                                   {"folder", PoolBy::kFolder},
                                                   {"all", PoolBy::kAll}};
  const auto found = kWays.find(name);
  if (found == kWays.end())
    fail(ErrorCode::kUsage, "--pool-by takes series, study, folder or all, not '{}'.", name);
  return found->second;
}

Json record_head(const Embedded& embedded, const std::string& kind) {
  static const std::set<std::string> kOurs{"input",
                                           "kind",
                                           "features",
                                           "scores",
                                           "hits",
                                           "groups",
                                           "path",
                                           "warnings",
                                           "images",
                                           "pool",
                                           "frame",
                                           "frames",
                                           "sop_instance_uid",
                                           "series_instance_uid",
                                           "study_instance_uid",
                                           "modality",
                                           "model",
                                           "weights_sha256",
                                           "recipe",
                                           "recipe_parameters",
                                           "precision",
                                           "device",
                                           "version",
                                           "research_use_only",
                                           "seeded",
                                           "normalised",
                                           "file",
                                           "neighbours"};
  Json head = {{"input", embedded.source.input}};
  if (!kind.empty()) head["kind"] = kind;
  head.update(embedded.identity);
  for (const auto& [name, value] : embedded.source.columns.items())
    head[kOurs.contains(name) ? "column_" + name : name] = value;
  if (!embedded.warnings.empty()) head["warnings"] = embedded.warnings;
  return head;
}

at::Tensor unit_rows(const at::Tensor& x) {
  constexpr double kTiny = 1e-12;  // as torch's F.normalize
  return x / x.norm(2, -1, true).clamp_min(kTiny);
}

Tally embed_images(const catalog::EmbeddingModel& model, const recipes::Recipe& recipe,
                   const std::vector<Source>& sources, const EmbedOptions& options,
                   const std::function<void(Record&&)>& give,
                   const std::function<void(const Embedded&)>& see) {
  Tally tally;
  Grouper groups(options);
  embed_sources(model, recipe, sources, options.pipeline, [&](Embedded&& embedded) {
    tally.add(embedded);
    see(embedded);
    if (embedded.problem || embedded.skipped) return;
    if (options.pool != Pool::kNone)
      groups.add(embedded);
    else
      give({record_head(embedded, "image"),
            options.raw ? embedded.features : unit_rows(embedded.features)});
  });
  groups.give_all(give);
  return tally;
}

at::Tensor text_features(const catalog::EmbeddingModel& model,
                         const std::vector<std::string>& texts) {
  at::Tensor features = model.embed_texts(texts);
  if (!at::isfinite(features).all().item<bool>())
    fail(ErrorCode::kFailed,
         "the model's answer to a text is not a finite number. Try --precision fp32; if that does "
         "not help, the weights are damaged (`vesalius models verify`).");
  return features;
}

std::vector<Record> embed_texts(const catalog::EmbeddingModel& model,
                                const std::vector<std::string>& texts, bool raw) {
  std::vector<Record> records;
  if (texts.empty()) return records;
  const at::Tensor features = text_features(model, texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const at::Tensor row = features[static_cast<int64_t>(i)];
    records.push_back({{{"input", texts[i]}, {"kind", "text"}}, raw ? row : unit_rows(row)});
  }
  return records;
}

}  // namespace vesalius::tasks
