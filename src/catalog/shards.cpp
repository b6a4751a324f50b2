#include "catalog/shards.h"

#include <set>

#include "base/json.h"
#include "catalog/weights_file.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestIndex = 64 << 20;

/// Tensor → file name.
Json weight_map(const fs::path& index) {
  const Json whole = parse_json(read_text(index, kLargestIndex), index.string());
  const Json none = Json::object();
  const Json& map = whole.is_object() && whole.contains("weight_map") ? whole["weight_map"] : none;
  if (!map.is_object() || map.empty())
    fail(ErrorCode::kModel,
         "{}: has no weight_map that says where each tensor lies. Download it again.",
         index.string());
  return map;
}

bool is_plain_name(const Json& name) {
  return name.is_string() && !name.get<std::string>().empty() &&
         fs::path(name.get<std::string>()).filename() == name.get<std::string>();
}

}  // namespace

std::vector<fs::path> weight_files(const fs::path& weights) {
  if (weights.extension() != ".json") return {weights};
  const Json map = weight_map(weights);
  std::set<fs::path> files;
  for (const auto& [tensor, name] : map.items()) {
    if (!is_plain_name(name))
      fail(ErrorCode::kModel, "{}: puts '{}' into {}, which is no file beside it.",
           weights.string(), tensor, dump_json(name));
    files.insert(weights.parent_path() / name.get<std::string>());
  }
  return {files.begin(), files.end()};
}

int64_t weight_bytes(const fs::path& weights) {
  int64_t bytes = 0;
  for (const fs::path& file : weight_files(weights)) {
    std::error_code problem;
    const auto size = fs::file_size(file, problem);
    if (problem)
      fail(ErrorCode::kModel, "{}: is named in {} and cannot be read ({}). Download it too.",
           file.string(), weights.filename().string(), problem.message());
    bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

std::map<std::string, at::Tensor> read_shards(const fs::path& weights) {
  const auto files = weight_files(weights);
  for (const fs::path& file : files) refuse_pointer(file);
  if (weights.extension() != ".json") return read_safetensors(weights);
  const Json map = weight_map(weights);
  std::map<std::string, at::Tensor> all;
  for (const fs::path& file : files)
    for (auto& [name, tensor] : read_safetensors(file)) {
      if (map.value(name, "") != file.filename().string())
        fail(ErrorCode::kModel,
             "{}: has '{}', which {} does not put there. Use files of one "
             "download.",
             file.string(), name, weights.filename().string());
      all.emplace(name, std::move(tensor));
    }
  for (const auto& [name, file] : map.items())
    if (!all.contains(name))
      fail(ErrorCode::kModel,
           "{}: puts '{}' into {}, which does not have it. Use files of one "
           "download.",
           weights.string(), name, file.get<std::string>());
  return all;
}

}  // namespace vesalius::catalog
