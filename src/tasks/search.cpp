#include "tasks/search.h"

namespace vesalius::tasks {
namespace {

std::string absolute(const std::string& file) {
  std::error_code ignored;
  return fs::weakly_canonical(file, ignored).string();
}

bool is_same(const Json& a, const Json& b) {
  if (a.value("frame", -1) != b.value("frame", -1)) return false;
  const std::string uid = a.value("sop_instance_uid", std::string());
  if (!uid.empty() && uid == b.value("sop_instance_uid", std::string())) return true;
  return entry_file(a) == entry_file(b);
}

}  // namespace

Json index_entry(const Embedded& embedded) {
  Json entry = {{"path", embedded.source.input}};
  const Json head = record_head(embedded, "");
  const std::string file = absolute(embedded.source.file);
  if (file != embedded.source.input) entry["file"] = file;
  for (const auto& [name, value] : head.items())
    if (name != "input" && name != "warnings") entry[name] = value;
  return entry;
}

std::string entry_file(const Json& entry) {
  return entry.value("file", entry.value("path", std::string()));
}

std::vector<Neighbour> find_neighbours(const Index& index, const at::Tensor& features, int64_t k,
                                       const Embedded* self) {
  const Json own = self == nullptr ? Json() : index_entry(*self);
  const auto leave_out = [&](int64_t row) {
    return self != nullptr && is_same(index.entry(row), own);
  };
  std::vector<Neighbour> neighbours;
  for (const Hit& hit : index.search(features, k, leave_out))
    neighbours.push_back({hit.score, index.entry(hit.row)});
  return neighbours;
}

Json hits_json(const std::vector<Neighbour>& neighbours) {
  Json hits = Json::array();
  for (const auto& neighbour : neighbours) {
    Json hit = {{"path", neighbour.entry["path"]}, {"score", neighbour.score}};
    for (const auto& [name, value] : neighbour.entry.items())
      if (name != "path") hit[name] = value;
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace vesalius::tasks
