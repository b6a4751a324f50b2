#include "catalog/parse_package.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "catalog/segmentation_model.h"
#include "catalog/weights_file.h"

namespace vesalius::catalog {
namespace {

constexpr std::string_view kV1 = "biomedparse-v1", kV2 = "biomedparse-v2";

/// What tells the versions apart: the files that they were published as, and for a file of another
/// name a tensor that only one of them has.
struct Signs {
  std::vector<std::string> files;
  std::string tensor;
};

const Signs& signs_of(int version) {
  static const Signs first{{"biomedparse_v1.pt"}, "sem_seg_head.predictor.query_feat.weight"};
  static const Signs second{{"biomedparse_v2.ckpt", "boltzformer_focal_all.safetensors"},
                            "sem_seg_head.predictor.query_feat_.weight"};
  return version == 1 ? first : second;
}

std::vector<fs::path> weights_in(const fs::path& root) {
  static const std::array<std::string_view, 4> endings{".pt", ".pth", ".ckpt", ".safetensors"};
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const fs::path& file : sorted_entries(root))
    if (fs::is_regular_file(file, ignored) &&
        std::ranges::find(endings, file.extension().string()) != endings.end())
      found.push_back(file);
  return found;
}

/// The only file, or among several the one that our own writers name so.
fs::path other_weights(const fs::path& root) {
  std::error_code ignored;
  if (auto own = root / kParseWeights; fs::is_regular_file(own, ignored)) return own;
  const auto files = weights_in(root);
  return files.size() == 1 ? files.front() : fs::path();
}

/// The file of a published name, or nothing.
fs::path published_weights(const fs::path& root, int version) {
  std::error_code ignored;
  for (const std::string& name : signs_of(version).files)
    if (fs::is_regular_file(root / name, ignored)) return root / name;
  return {};
}

bool has_tensor(const fs::path& file, const std::string& name) {
  try {
    return read_weights(file).contains(name);
  } catch (const Error&) {
    return false;  // no weights file, or a damaged one: then its name alone could tell
  }
}

template <int version>
bool recognises(const fs::path& folder) {
  for (const std::string& layout : layouts()) {
    const fs::path root = folder / layout;
    if (!published_weights(root, version).empty()) return true;
    const auto other = other_weights(root);
    if (!other.empty() && has_tensor(other, signs_of(version).tensor)) return true;
  }
  return false;
}

template <int version>
Package find_parts(const fs::path& folder) {
  size_t most = 0;
  for (const std::string& layout : layouts()) {
    const fs::path root = folder / layout;
    auto weights = published_weights(root, version);
    if (weights.empty()) weights = other_weights(root);
    if (!weights.empty()) return {.folder = folder, .weights = weights};
    most = std::max(most, weights_in(root).size());
  }
  fail(ErrorCode::kModel,
       "{}: holds {} weights files, none of them {}. Name a folder with that one, or with a single "
       "weights file.",
       folder.string(), most, signs_of(version).files.front());
}

InstalledFiles installed_files(const Package& package) {
  return {.weights = package.weights.filename()};
}

Family shared(int version) {
  return {.task = Task::kSegmentation,
          .recipe = parse_recipe(version),
          .added_recipe = parse_recipe(version),
          .check = check_parse,
          .installed = installed_files,
          .outputs = parse_outputs,
          .compare = compare_parse,
          .find_unseeded = find_unseeded_parse,
          .write_seeded = write_seeded_parse};
}

}  // namespace

int parse_version(const Package& package) { return package.family == kV1 ? 1 : 2; }

Family parse_family_v1() {
  Family family = shared(1);
  family.name = kV1;
  family.sign = "biomedparse_v1.pt (BiomedParse)";
  family.recognises = recognises<1>;
  family.find = find_parts<1>;
  family.seeded_work = seeded_parse_v1_work;
  return family;
}

Family parse_family_v2() {
  Family family = shared(2);
  family.name = kV2;
  family.sign =
      "biomedparse_v2.ckpt (BiomedParse 2) or boltzformer_focal_all.safetensors (MedImageParse)";
  family.recognises = recognises<2>;
  family.find = find_parts<2>;
  family.seeded_work = seeded_parse_v2_work;
  return family;
}

}  // namespace vesalius::catalog
