#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace vesalius {
namespace {

constexpr std::array<std::pair<TensorType, at::ScalarType>, 10> kTypes{
    {{TensorType::kF64, at::kDouble},
     {TensorType::kF32, at::kFloat},
     {TensorType::kF16, at::kHalf},
     {TensorType::kBF16, at::kBFloat16},
     {TensorType::kI64, at::kLong},
     {TensorType::kI32, at::kInt},
     {TensorType::kI16, at::kShort},
     {TensorType::kI8, at::kChar},
     {TensorType::kU8, at::kByte},
     {TensorType::kBool, at::kBool}}};

}  // namespace

at::ScalarType to_scalar_type(TensorType type) {
  for (const auto& [ours, theirs] : kTypes)
    if (ours == type) return theirs;
  return at::kFloat;
}

TensorType to_tensor_type(at::ScalarType type, const std::string& name) {
  for (const auto& [ours, theirs] : kTypes)
    if (theirs == type) return ours;
  fail(ErrorCode::kFailed, "tensor '{}' is of a type that checkpoint files cannot hold ({}).", name,
       at::toString(type));
}

namespace {

/// Values in the mapping itself, which the tensor keeps alive. Those that a careless writer left
/// unaligned, and truth values, which may be any byte in a hostile file, are copied.
at::Tensor view(const std::shared_ptr<const MappedFile>& file, uint64_t data_start,
                const TensorEntry& entry) {
  // LibTorch has no read-only tensors; the mapping itself is, so a write faults rather than spoils
  // the file.
  auto* data = const_cast<uint8_t*>(file->bytes().data() + data_start + entry.begin);
  const auto type = to_scalar_type(entry.type);
  if (entry.count() == 0) return at::empty(entry.shape, type);
  if (entry.type == TensorType::kBool) return at::from_blob(data, entry.shape, at::kByte).ne(0);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(type_bytes(entry.type)) == 0)
    return at::from_blob(
        data, entry.shape, [file](void*) {}, type);
  auto copy = at::empty(entry.shape, type);
  std::copy_n(data, entry.end - entry.begin, static_cast<uint8_t*>(copy.data_ptr()));
  return copy;
}

}  // namespace

std::map<std::string, at::Tensor> read_safetensors(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const SafetensorsHeader header = parse_safetensors_header(file->bytes(), path.string());
  std::map<std::string, at::Tensor> tensors;
  for (const TensorEntry& entry : header.tensors)
    tensors[entry.name] = view(file, header.data_start, entry);
  return tensors;
}

void write_safetensors(const fs::path& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorEntry> entries;
  entries.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors)
    entries.push_back(
        {name, to_tensor_type(tensor.scalar_type(), name), tensor.sizes().vec(), 0, 0});
  FileWriter writer(path);
  writer.write(make_safetensors_header(entries, metadata));
  for (const TensorEntry& entry : entries) {
    const auto values = tensors.at(entry.name).detach().to(at::kCPU).contiguous();
    writer.write(values.const_data_ptr(), values.nbytes());
  }
  writer.commit();
}

}  // namespace vesalius
