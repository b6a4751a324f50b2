#include "checkpoint/torch_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/pickle.h"
#include "base/zip.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_state.h"

namespace vesalius {
namespace {

constexpr uint64_t kSmallestFile = 1024;  // torch.save of one number is larger
constexpr size_t kMostDimensions = 16;
constexpr int64_t kLargestCount = int64_t{1} << 46;

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(ErrorCode::kModel,
       "{}: is not a whole PyTorch checkpoint: {}. Fetch the file again and compare its hash.",
       where, fmt::format(reason, std::forward<Args>(args)...));
}

/// What lies about under a checkpoint's name, by its first bytes.
void check_format(Bytes file, const std::string& where) {
  const std::string_view start(reinterpret_cast<const char*>(file.data()),
                               std::min<size_t>(file.size(), 512));
  if (start.starts_with("version https://git-lfs"))
    fail(ErrorCode::kModel,
         "{}: is only the git-LFS pointer to the weights. Run `git lfs pull` where it was cloned.",
         where);
  if (start.size() > 8 && start.substr(8).starts_with('{'))
    fail(ErrorCode::kModel, "{}: is a safetensors file. Rename it to end in .safetensors.", where);
  if (start.starts_with('\x80') || (start.size() > 262 && start.substr(257, 5) == "ustar"))
    fail(ErrorCode::kModel,
         "{}: is in the format that PyTorch wrote before 1.6. In Python, write it again: "
         "torch.save(torch.load(path, weights_only=True), path).",
         where);
  if (file.size() < kSmallestFile)
    refuse(where, "{} bytes are too few for any weights", file.size());
  if (!start.starts_with("PK\x03\x04")) refuse(where, "it does not start as a zip archive does");
}

class TorchFile {
 public:
  explicit TorchFile(const fs::path& path) : file_(MappedFile::open(path)), where_(path.string()) {
    check_format(file_->bytes(), where_);
    entries_ = read_zip(file_->bytes(), {where_, ErrorCode::kModel});
    find_folder();
    check_byteorder();
  }

  std::map<std::string, at::Tensor> tensors(const std::string& key) {
    const ZipEntry& entry = find("data.pkl");
    const Origin origin{where_, ErrorCode::kModel};
    check_crc(entry, content(entry), origin);
    const Pickle pickle(content(entry), origin);
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, stored] : read_state_dict(pickle, key, where_))
      tensors.emplace(name, view(stored, name));
    return tensors;
  }

 private:
  /// Everything stands in one folder, which is named after the file that was first written.
  void find_folder() {
    const auto is_pickle = [](const ZipEntry& entry) {
      const auto slash = entry.name.find('/');
      return slash != std::string::npos &&
             std::string_view(entry.name).substr(slash) == "/data.pkl";
    };
    const auto found = std::ranges::find_if(entries_, is_pickle);
    if (found == entries_.end()) refuse(where_, "the archive has no FOLDER/data.pkl");
    folder_ = found->name.substr(0, found->name.find('/') + 1);
    if (lookup("constants.pkl") != nullptr)
      fail(ErrorCode::kModel,
           "{}: is a TorchScript program. In Python, save its weights alone: "
           "torch.save(torch.jit.load(path).state_dict(), other_path).",
           where_);
  }

  void check_byteorder() const {
    const ZipEntry* entry = lookup("byteorder");  // came with PyTorch 2.1
    if (entry == nullptr) return;
    const Bytes order = content(*entry);
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little")
      fail(
          ErrorCode::kModel,
          "{}: was written on a big-endian machine. Load and save it again on a little-endian one.",
          where_);
  }

  const ZipEntry* lookup(const std::string& name) const {
    const auto found = std::ranges::lower_bound(entries_, folder_ + name, {}, &ZipEntry::name);
    return found != entries_.end() && found->name == folder_ + name ? &*found : nullptr;
  }
  const ZipEntry& find(const std::string& name) const {
    const ZipEntry* entry = lookup(name);
    if (entry == nullptr) refuse(where_, "'{}{}' is missing", folder_, name);
    return *entry;
  }
  Bytes content(const ZipEntry& entry) const {
    if (entry.method == ZipMethod::kStored) return entry.packed;
    fail(ErrorCode::kModel,
         "{}: '{}' is compressed, which torch.save never does. Pack the archive without "
         "compression (zip -0), or fetch the original file.",
         where_, entry.name);
  }

  /// Product of the sides as LibTorch multiplies it for strides, where zero counts as one.
  int64_t checked_count(const StoredTensor& t, const std::string& name) const {
    if (t.shape.size() > kMostDimensions) refuse(where_, "'{}' has too many dimensions", name);
    int64_t count = 1;
    for (const int64_t side : t.shape) {
      if (side > kLargestCount || count > kLargestCount / std::max<int64_t>(side, 1))
        refuse(where_, "'{}' claims to be larger than any file", name);
      count *= std::max<int64_t>(side, 1);
    }
    return count;
  }

  /// The tensor's last element, counted from its first, must lie within its storage.
  void check_extent(const StoredTensor& t, const std::string& name) const {
    const int64_t room = t.storage_count - t.offset;
    int64_t last = 0;
    for (size_t i = 0; i < t.shape.size(); ++i) {
      const int64_t steps = t.shape[i] - 1;
      if (steps > 0 && t.strides[i] > (room - last) / steps)
        refuse(where_, "'{}' reaches past the end of its storage", name);
      last += steps * t.strides[i];
    }
    if (last >= room) refuse(where_, "'{}' reaches past the end of its storage", name);
  }

  at::Tensor view(const StoredTensor& t, const std::string& name) {
    const ZipEntry& entry = find("data/" + t.storage);
    const int64_t count = checked_count(t, name), bytes = std::ssize(content(entry));
    if (t.storage_count > bytes / type_bytes(t.type))
      refuse(where_, "'{}' claims {} values, its storage has {} bytes", name, t.storage_count,
             bytes);
    if (std::ranges::count(t.shape, 0) > 0) return at::empty(t.shape, to_scalar_type(t.type));
    check_extent(t, name);
    // Strides of zero repeat values at no cost in the file; whoever copies the tensor pays.
    if (static_cast<uint64_t>(count) > file_->bytes().size())
      refuse(where_, "'{}' repeats its values {} times over", name, count);
    at::Tensor& values = storages_[{t.storage, t.type}];
    if (!values.defined()) values = storage(content(entry), t.type);
    return values.as_strided(t.shape, t.strides, t.offset);
  }

  /// All values of a storage, which every tensor on it shares: in the mapping itself where that can
  /// be, so that tensors however many cost no memory.
  at::Tensor storage(Bytes bytes, TensorType type) const {
    // LibTorch has no read-only tensors; the mapping itself is, so a write faults.
    auto* data = const_cast<uint8_t*>(bytes.data());
    const int64_t count = std::ssize(bytes) / type_bytes(type);
    const auto keep = [file = file_](void*) {};
    if (type == TensorType::kBool)  // may be any byte in a hostile file
      return at::from_blob(data, {count}, keep, at::kByte).ne(0);
    if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(type_bytes(type)) == 0)
      return at::from_blob(data, {count}, keep, to_scalar_type(type));
    auto copy = at::empty({count}, to_scalar_type(type));
    std::memcpy(copy.data_ptr(), data, copy.nbytes());
    return copy;
  }

  std::shared_ptr<const MappedFile> file_;
  std::string where_, folder_;
  std::vector<ZipEntry> entries_;
  std::map<std::pair<std::string, TensorType>, at::Tensor> storages_;
};

std::map<std::string, at::Tensor> without_prefix(std::map<std::string, at::Tensor> tensors,
                                                 const std::string& prefix,
                                                 const std::string& where) {
  const auto has = [&](const auto& named) { return named.first.starts_with(prefix); };
  const auto lacks = std::ranges::find_if_not(tensors, has);
  if (lacks != tensors.end()) {
    if (std::ranges::none_of(tensors, has)) return tensors;
    fail(ErrorCode::kModel, "{}: only some names start with '{}'; '{}' does not. Is it this model?",
         where, prefix, lacks->first);
  }
  std::map<std::string, at::Tensor> out;
  for (auto& [name, tensor] : tensors) out.emplace(name.substr(prefix.size()), std::move(tensor));
  return out;
}

}  // namespace

std::map<std::string, at::Tensor> read_torch_file(const fs::path& path,
                                                  const TorchFileOptions& options) {
  return without_prefix(TorchFile(path).tensors(options.key), options.prefix, path.string());
}

}  // namespace vesalius
