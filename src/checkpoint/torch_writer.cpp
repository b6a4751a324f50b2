#include "checkpoint/torch_writer.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/zip_writer.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_storages.h"

namespace vesalius {
namespace {

constexpr std::string_view kFolder = "archive/";

template <class T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Opcodes of protocol 2, as torch.save writes them.
std::string text(std::string_view value) {
  return "X" + le(static_cast<uint32_t>(value.size())) + std::string(value);
}
std::string integer(int64_t value) {
  if (value >= 0 && value < 256) return "K" + le(static_cast<uint8_t>(value));
  return "\x8a\x08" + le(value);
}
std::string tuple(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) out += integer(value);
  return out + "t";
}
std::string global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}
std::string empty_ordered_dict() { return global("collections", "OrderedDict") + ")R"; }

std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * std::max<int64_t>(shape[i - 1], 1);
  return strides;
}

std::string_view storage_class(TensorType type) {
  return std::ranges::find(kTorchStorages, type, &TorchStorage::first)->second;
}

/// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)
std::string rebuild(const TensorEntry& tensor, size_t index) {
  const std::string storage = "(" + text("storage") + global("torch", storage_class(tensor.type)) +
                              text(std::to_string(index)) + text("cpu") + integer(tensor.count()) +
                              "tQ";
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + integer(0) +
         tuple(tensor.shape) + tuple(contiguous_strides(tensor.shape)) + "\x89" +
         empty_ordered_dict() + "tR";
}

std::string state_dict_pickle(const std::vector<TensorEntry>& tensors,
                              const TorchWriteOptions& options) {
  std::string items;
  for (size_t i = 0; i < tensors.size(); ++i)
    items += text(options.prefix + tensors[i].name) + rebuild(tensors[i], i);
  const std::string dict = empty_ordered_dict() + "(" + items + "u";
  return "\x80\x02" + (options.key.empty() ? dict : "}" + text(options.key) + dict + "s") + ".";
}

std::string in_folder(std::string_view name) { return std::string(kFolder) + std::string(name); }

/// `write_data` writes the values of one tensor into the entry that was begun for it.
void write_archive(const fs::path& path, const std::vector<TensorEntry>& tensors,
                   const TorchWriteOptions& options,
                   const std::function<void(ZipWriter&, const TensorEntry&)>& write_data) {
  ZipWriter zip(path);
  zip.add(in_folder("data.pkl"), state_dict_pickle(tensors, options));
  zip.add(in_folder(".format_version"), "1");
  zip.add(in_folder(".storage_alignment"), "64");
  zip.add(in_folder("byteorder"), "little");
  for (size_t i = 0; i < tensors.size(); ++i) {
    const int64_t bytes = tensors[i].count() * type_bytes(tensors[i].type);
    zip.begin(in_folder("data/" + std::to_string(i)), static_cast<uint64_t>(bytes));
    write_data(zip, tensors[i]);
  }
  zip.add(in_folder("version"), "3\n");
  zip.commit();
}

}  // namespace

void write_torch_file(const fs::path& path, const std::map<std::string, at::Tensor>& tensors,
                      const TorchWriteOptions& options) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors)
    entries.push_back({.name = name,
                       .type = to_tensor_type(tensor.scalar_type(), name),
                       .shape = tensor.sizes().vec()});
  write_archive(path, entries, options, [&](ZipWriter& zip, const TensorEntry& entry) {
    const auto values = tensors.at(entry.name).detach().to(at::kCPU).contiguous();
    zip.write(Bytes(static_cast<const uint8_t*>(values.const_data_ptr()), values.nbytes()));
  });
}

void write_seeded_torch(const fs::path& path, const std::vector<TensorEntry>& tensors,
                        const Seeding& seeding, const TorchWriteOptions& options,
                        const std::function<void(int64_t bytes)>& advance) {
  write_archive(path, tensors, options, [&](ZipWriter& zip, const TensorEntry& entry) {
    for_seeded_chunks(entry, seeding, [&](int64_t, std::span<const float> values) {
      zip.write(Bytes(reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()));
      if (advance) advance(static_cast<int64_t>(values.size_bytes()));
    });
  });
}

}  // namespace vesalius
