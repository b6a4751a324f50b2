#include "cli/pages.h"

namespace vesalius::cli {
namespace {

constexpr int kLarge = 400, kSmall = 200;  // pixels; shown at half that, for sharp screens

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

std::string folder_name(const std::string& path) { return fs::path(path).parent_path().string(); }

/// Everything an entry or result knows but names of files, as "label pneumonia · CT".
std::string entry_detail(const Json& entry) {
  static const std::vector<std::string> kHidden{
      "path", "file", "sop_instance_uid", "series_instance_uid", "study_instance_uid", "frames"};
  std::string detail;
  for (const auto& [key, value] : entry.items()) {
    if (std::find(kHidden.begin(), kHidden.end(), key) != kHidden.end()) continue;
    const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
    if (text.empty()) continue;
    if (!detail.empty()) detail += " · ";
    detail += key == "modality" ? text : fmt::format("{} {}", key, text);
  }
  return detail;
}

}  // namespace

CasePage::CasePage(Session& session, const std::string& path, const std::string& title,
                   const Json& provenance)
    : session_(session), path_(path), large_(kLarge), small_(kSmall) {
  if (!path_.empty()) page_ = std::make_unique<results::Page>(path_, title, provenance);
}

void CasePage::add_hits(results::PageCase& one, const std::vector<tasks::Neighbour>& neighbours) {
  one.searched = true;
  for (const auto& neighbour : neighbours) {
    const Json& entry = neighbour.entry;
    one.hits.push_back({.title = file_name(entry.value("path", std::string())),
                        .detail = entry_detail(entry),
                        .image = small_.of(tasks::entry_file(entry), entry.value("frame", 0)),
                        .score = neighbour.score});
  }
}

void CasePage::add(const tasks::Embedded& embedded, const std::vector<tasks::GroupScores>& groups,
                   const std::vector<tasks::Neighbour>* neighbours) {
  if (!page_) return;
  const Json& identity = embedded.identity;
  const int frame = identity.value("frame", 0);
  results::PageCase one{.title = file_name(embedded.source.input),
                        .detail = folder_name(embedded.source.input),
                        .image = large_.of(embedded.source.file, frame),
                        .warnings = embedded.warnings,
                        .groups = groups};
  if (identity.contains("modality")) one.tags.push_back(identity["modality"].get<std::string>());
  if (identity.contains("frames"))
    one.tags.push_back(fmt::format("frame {} of {}", frame + 1, identity["frames"].get<int>()));
  for (const auto& [name, value] : identity.items())
    if (name.ends_with("_uid")) one.facts.emplace_back(name, value.get<std::string>());
  for (const auto& [name, value] : embedded.source.columns.items())
    one.facts.emplace_back(name, value.is_string() ? value.get<std::string>() : dump_json(value));
  if (neighbours != nullptr) add_hits(one, *neighbours);
  page_->add(one);
}

void CasePage::add_text(const std::string& text, const std::vector<tasks::Neighbour>& neighbours) {
  if (!page_) return;
  results::PageCase one{.title = "“" + text + "”", .detail = "searched in words"};
  add_hits(one, neighbours);
  page_->add(one);
}

void CasePage::add_problem(const tasks::Embedded& embedded) {
  if (page_ && embedded.problem) page_->add_problem(embedded.problem->what());
}

void CasePage::finish() {
  if (!page_) return;
  page_->finish();
  session_.outputs.push_back(path_);
  remark(session_, fmt::format("Wrote {}.", path_));
}

}  // namespace vesalius::cli
