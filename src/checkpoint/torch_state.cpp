#include "checkpoint/torch_state.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "checkpoint/torch_storages.h"

namespace vesalius {
namespace {

constexpr std::string_view kOrderedDict = "collections.OrderedDict",
                           kTensor = "torch._utils._rebuild_tensor_v2",
                           kParameter = "torch._utils._rebuild_parameter",
                           kUntyped = "torch.storage.UntypedStorage", kTorch = "torch.";
/// Of the module torch: what a state dict may hold beside storages.
constexpr std::array<std::string_view, 13> kPlain{
    "Size",  "float64", "float32", "float16", "bfloat16",  "int64",     "int32",
    "int16", "int8",    "uint8",   "bool",    "complex64", "complex128"};
constexpr size_t kMostKeysTold = 12, kLongestName = 1000;

bool is_known(std::string_view global) {
  if (global == kOrderedDict || global == kTensor || global == kParameter || global == kUntyped)
    return true;
  if (!global.starts_with(kTorch)) return false;
  const auto name = global.substr(kTorch.size());
  return std::ranges::count(kPlain, name) > 0 ||
         std::ranges::count(kTorchStorages, name, &TorchStorage::second) > 0;
}

/// Looks for a global that no state dict is made of in all that values lead to, each value once.
class StrangerSearch {
 public:
  /// Empty if there is none.
  std::string operator()(const PickleValue* from) {
    std::vector<const PickleValue*> due{from};
    while (!due.empty()) {
      const PickleValue* value = due.back();
      due.pop_back();
      if (value == nullptr || !seen_.insert(value).second) continue;
      if (value->kind == PickleKind::kGlobal && !is_known(value->global())) return value->global();
      due.push_back(value->state);  // last in, first out: what is called comes before its arguments
      for (const auto& [key, entry] : value->entries) due.insert(due.end(), {entry, key});
      due.insert(due.end(), value->items.rbegin(), value->items.rend());
    }
    return {};
  }

 private:
  std::unordered_set<const PickleValue*> seen_;
};

bool is_dict(const PickleValue& value) {
  return value.kind == PickleKind::kDict ||
         (value.kind == PickleKind::kCall && value.global() == kOrderedDict &&
          value.items.size() == 2 && value.items[1]->items.empty());
}

bool is_tensor(const PickleValue& value) {
  return value.kind == PickleKind::kCall &&
         (value.global() == kTensor || value.global() == kParameter);
}

class StateDictReader {
 public:
  StateDictReader(const Pickle& pickle, const std::string& where)
      : pickle_(pickle), top_(pickle.top()), where_(where) {}

  std::map<std::string, StoredTensor> read(const std::string& key) {
    const PickleValue& dict = choose(key);
    std::map<std::string, StoredTensor> tensors;
    for (const auto& [name, value] : dict.entries) {
      if (name->kind != PickleKind::kString || name->text.size() > kLongestName)
        refuse("a name in its state dict is no text, or longer than {} bytes", kLongestName);
      const std::string text(name->text);
      if (!tensors.try_emplace(text, tensor(*value, text)).second)
        refuse("its state dict names '{}' twice", text);
    }
    check_known("what its state dict carries", dict.state);
    if (&dict == &top_)
      for (const PickleValue* global : pickle_.globals()) check_known("it", global);
    return tensors;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> reason, Args&&... args) const {
    fail(
        ErrorCode::kModel,
        "{}: does not give its weights as a state dict of tensors: {}. In Python, save the weights "
        "alone: torch.save(model.state_dict(), path).",
        where_, fmt::format(reason, std::forward<Args>(args)...));
  }

  void check_known(const std::string& what, const PickleValue* value) {
    const std::string stranger = search_(value);
    if (!stranger.empty()) refuse("{} asks for {} (nothing of it was run)", what, stranger);
  }

  const PickleValue* find(std::string_view key) const {
    const PickleValue* found = nullptr;
    for (const auto& [name, value] : top_.entries) {
      if (name->kind != PickleKind::kString || name->text != key) continue;
      if (found != nullptr) refuse("it has two entries '{}'", key);
      found = value;
    }
    return found;
  }

  std::string keys() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : top_.entries)
      if (name->kind == PickleKind::kString && names.size() < kMostKeysTold)
        names.push_back(fmt::format("'{}'", name->text.substr(0, 80)));
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
  }

  const PickleValue& choose(const std::string& key) {
    if (!is_dict(top_)) {
      check_known("it", &top_);
      refuse("it holds no dict");
    }
    const PickleValue* found = find(key.empty() ? "state_dict" : key);
    if (found != nullptr && (!key.empty() || !is_tensor(*found))) {
      if (is_dict(*found)) return *found;
      check_known(fmt::format("'{}'", key.empty() ? "state_dict" : key), found);
      refuse("'{}' is no dict", key.empty() ? "state_dict" : key);
    }
    if (!key.empty()) refuse("it has no entry '{}'; its entries are: {}", key, keys());
    const auto holds_tensor = [](const auto& entry) { return is_tensor(*entry.second); };
    if (std::ranges::any_of(top_.entries, holds_tensor)) return top_;
    const std::string stranger = search_(&top_);
    refuse("none of its entries is a tensor or named 'state_dict'{}; they are: {}",
           stranger.empty() ? "" : fmt::format(", and it asks for {} (not run)", stranger), keys());
  }

  StoredTensor tensor(const PickleValue& value, const std::string& name) {
    check_known(fmt::format("'{}'", name), &value);
    if (!is_tensor(value)) refuse("'{}' is no tensor", name);
    const PickleValue* call = &value;
    if (call->global() == kParameter) call = arguments(*call, 3, name)[0];
    if (call->kind != PickleKind::kCall || call->global() != kTensor) refuse_tensor(name);
    const auto& given = arguments(*call, 6, name);
    StoredTensor tensor = storage(*given[0], name);
    tensor.offset = count(*given[1], name);
    tensor.shape = counts(*given[2], name);
    tensor.strides = counts(*given[3], name);
    if (tensor.shape.size() != tensor.strides.size()) refuse_tensor(name);
    return tensor;
  }

  [[noreturn]] void refuse_tensor(const std::string& name) const {
    refuse("'{}' is not described as torch.save describes tensors", name);
  }

  /// Of a call to which nothing else was done.
  const std::vector<const PickleValue*>& arguments(const PickleValue& call, size_t least,
                                                   const std::string& name) const {
    const PickleValue& given = *call.items[1];
    if (call.items.size() != 2 || !call.entries.empty() || call.state != nullptr ||
        given.kind != PickleKind::kTuple || given.items.size() < least)
      refuse_tensor(name);
    return given.items;
  }

  /// ("storage", class, entry, device, elements)
  StoredTensor storage(const PickleValue& value, const std::string& name) const {
    if (value.kind != PickleKind::kPersistent || value.items[0]->kind != PickleKind::kTuple ||
        value.items[0]->items.size() != 5)
      refuse_tensor(name);
    const auto& id = value.items[0]->items;
    if (id[0]->text != "storage" || id[2]->kind != PickleKind::kString) refuse_tensor(name);
    return {.storage = std::string(id[2]->text),
            .type = type(*id[1], name),
            .storage_count = count(*id[4], name)};
  }

  TensorType type(const PickleValue& storage, const std::string& name) const {
    const std::string global = storage.kind == PickleKind::kGlobal ? storage.global() : "";
    if (global == kUntyped) return TensorType::kU8;
    for (const auto& [type, storage_name] : kTorchStorages)
      if (global.starts_with(kTorch) && global.substr(kTorch.size()) == storage_name) return type;
    refuse_tensor(name);
  }

  int64_t count(const PickleValue& value, const std::string& name) const {
    if (value.kind != PickleKind::kInteger || value.integer < 0) refuse_tensor(name);
    return value.integer;
  }

  std::vector<int64_t> counts(const PickleValue& value, const std::string& name) const {
    if (value.kind != PickleKind::kTuple) refuse_tensor(name);
    std::vector<int64_t> counts;
    for (const PickleValue* item : value.items) counts.push_back(count(*item, name));
    return counts;
  }

  const Pickle& pickle_;
  const PickleValue& top_;
  const std::string& where_;
  StrangerSearch search_;
};

}  // namespace

std::map<std::string, StoredTensor> read_state_dict(const Pickle& pickle, const std::string& key,
                                                    const std::string& where) {
  return StateDictReader(pickle, where).read(key);
}

}  // namespace vesalius
