// BiomedParse and MedImageParse imitated: the file that the card names, in its own format.
#include <algorithm>
#include <cstring>

#include "catalog/parse_architecture.h"
#include "catalog/parse_package.h"
#include "catalog/weights_file.h"
#include "checkpoint/torch_writer.h"

namespace vesalius::catalog {
namespace {

ParseArchitecture seeded_architecture(const std::string& size, int version) {
  if (size == "full") return published_architecture(version);
  if (size == "tiny") return tiny_architecture(version);
  fail(ErrorCode::kUsage, "--size {}: choose full or tiny.", size);
}

/// Where a published model's weights lie in its package.
fs::path published_place(const Card& card) {
  return card.details.value("/files/weights/path"_json_pointer, std::string(kParseWeights));
}

int64_t work(const std::string& size, int version) {
  return seeded_bytes(tensor_list(seeded_architecture(size, version)));
}

void write_weights(const fs::path& path, const std::vector<TensorEntry>& entries,
                   const Seeding& seeding, const Advance& advance) {
  if (path.extension() == ".safetensors")
    write_seeded(path, entries, seeding, advance);
  else if (path.extension() == ".ckpt")  // Lightning's
    write_seeded_torch(path, entries, seeding, {.key = "state_dict", .prefix = "model."}, advance);
  else
    write_seeded_torch(path, entries, seeding, {}, advance);
}

/// True if the file's values are the seeded ones, to the bit.
bool is_seeded(const at::Tensor& tensor, const TensorEntry& entry, const Seeding& seeding) {
  if (tensor.scalar_type() != at::kFloat || tensor.sizes() != at::IntArrayRef(entry.shape))
    return false;
  const auto values = tensor.contiguous();
  bool same = true;
  for_seeded_chunks(entry, seeding, [&](int64_t begin, std::span<const float> chunk) {
    same = same && std::memcmp(values.const_data_ptr<float>() + begin, chunk.data(),
                               chunk.size_bytes()) == 0;
  });
  return same;
}

}  // namespace

SeededFiles write_seeded_parse(const SeededOrder& order, const Advance& advance) {
  const auto architecture =
      seeded_architecture(order.size, parse_version({.family = order.original.family}));
  const auto entries = tensor_list(architecture);
  SeededFiles files{.weights = order.folder / published_place(order.original),
                    .tensors = entries.size(),
                    .card = {{"licence", "values by arithmetic: free of rights"},
                             {"architecture", write_architecture(architecture)}}};
  write_weights(files.weights, entries, order.seeding, advance);
  return files;
}

std::string find_unseeded_parse(const Package& package, const Seeding& seeding) {
  const auto tensors = read_weights(package.weights);
  const auto architecture = architecture_of(package);
  for (const TensorEntry& entry : tensor_list(architecture)) {
    const auto found = tensors.find(entry.name);
    if (found == tensors.end() || !is_seeded(found->second, entry, seeding)) return entry.name;
  }
  return {};
}

int64_t seeded_parse_v1_work(const std::string& size) { return work(size, 1); }
int64_t seeded_parse_v2_work(const std::string& size) { return work(size, 2); }

}  // namespace vesalius::catalog
