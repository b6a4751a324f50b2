#include "catalog/weights_file.h"

#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/shards.h"
#include "checkpoint/key_map.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_file.h"

namespace vesalius::catalog {
namespace {

constexpr size_t kLeastBytes = 1024;

std::string_view start_of(const MappedFile& file) {
  const Bytes bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 64)};
}

}  // namespace

void refuse_pointer(const fs::path& path) {
  if (start_of(*MappedFile::open(path)).starts_with("version https://git-lfs"))
    fail(ErrorCode::kModel,
         "{}: is a git-LFS pointer, not the weights themselves. Fetch them with `git lfs pull` in "
         "that folder, or download the file itself.",
         path.string());
}

std::map<std::string, at::Tensor> read_weights(const fs::path& path) {
  if (path.extension() == ".json") return read_shards(path);
  refuse_pointer(path);
  const auto file = MappedFile::open(path);
  if (file->bytes().size() < kLeastBytes)
    fail(ErrorCode::kModel, "{}: has {} bytes, too few for any model's weights. Download it again.",
         path.string(), file->bytes().size());
  if (start_of(*file).starts_with("PK")) return read_torch_file(path, {.prefix = "model."});
  static const KeyMap unwrapped(std::vector<Rename>{{"^model", ""}});
  return unwrapped.apply(read_safetensors(path), path.string());
}

void check_types(const std::map<std::string, at::Tensor>& tensors, const fs::path& path) {
  std::vector<std::string> wrong;
  for (const auto& [name, tensor] : tensors)
    if (!tensor.is_floating_point())
      wrong.push_back(fmt::format("{} ({})", name, at::toString(tensor.scalar_type())));
  if (!wrong.empty())
    fail(ErrorCode::kModel,
         "{}: {} of its tensors are not floating-point ({}). Use the published weights; quantised "
         "files are not read.",
         path.string(), wrong.size(), fmt::join(wrong, ", "));
}

}  // namespace vesalius::catalog
