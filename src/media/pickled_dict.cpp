#include "media/pickled_dict.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/pickle.h"

namespace vesalius::media {

namespace {
constexpr std::string_view kArray = "numpy._core.multiarray._reconstruct",
                           kScalar = "numpy._core.multiarray.scalar", kType = "numpy.dtype";
constexpr std::array<std::string_view, 4> kKnown{kArray, kScalar, "numpy.ndarray", kType};

/// The old home of NumPy's functions counts as the new one.
std::string global_of(const PickleValue& value) {
  constexpr std::string_view kOld = "numpy.core.", kNew = "numpy._core.";
  std::string name = value.global();
  if (name.starts_with(kOld)) name.replace(0, kOld.size(), kNew);
  return name;
}

bool is_call(const PickleValue& value, std::string_view of) {
  return value.kind == PickleKind::kCall && global_of(value) == of;
}

/// What a call is given, or what a state holds. Values may lead back to themselves: callers go a
/// known number of steps.
const std::vector<const PickleValue*>& members_of(const PickleValue* value) {
  static const std::vector<const PickleValue*> kNone;
  return value != nullptr && value->kind == PickleKind::kTuple ? value->items : kNone;
}

class DictReader {
 public:
  explicit DictReader(const std::string& where) : where_(where) {}

  PickledDict read(const Pickle& pickle) const {
    constexpr size_t kMostText = 1 << 20;
    for (const PickleValue* global : pickle.globals()) check_known(*global);
    PickledDict out;
    size_t text = 0;
    for (const auto& [key, value] : dictionary(pickle.top()).entries) {
      text += key->text.size() + value->text.size();
      if (text > kMostText) refuse("it repeats a text without end");
      out.emplace_back(scalar(*key), scalar(*value));
    }
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    fail(ErrorCode::kUnsupported,
         "{}: is no pickle of a plain dictionary: {}. Save words and numbers alone", where_,
         reason);
  }

  void check_known(const PickleValue& global) const {
    if (std::ranges::count(kKnown, global_of(global)) == 0)
      refuse(fmt::format("it calls for {}, and nothing is called here", global.global()));
  }

  /// The dictionary itself, or the one in an array of one element, whose state is (version, shape,
  /// type, Fortran order, elements).
  const PickleValue& dictionary(const PickleValue& top) const {
    const PickleValue* found = &top;
    if (is_call(top, kArray)) {
      const auto& state = members_of(top.state);
      if (state.size() != 5 || state[4]->kind != PickleKind::kList)
        refuse("an array of objects lacks its elements");
      if (state[4]->items.size() == 1) found = state[4]->items[0];
    }
    if (found->kind != PickleKind::kDict) refuse("it holds something else");
    return *found;
  }

  PickledScalar scalar(const PickleValue& value) const {
    switch (value.kind) {
      case PickleKind::kInteger:
      case PickleKind::kBool:
        return value.integer;
      case PickleKind::kFloat:
        return value.real;
      case PickleKind::kString:
        return std::string(value.text);
      default:
        if (is_call(value, kScalar)) return numpy_scalar(value);
        refuse("it holds more than words and numbers");
    }
  }

  /// numpy.core.multiarray.scalar(type, bytes): a number of one of the plain types.
  PickledScalar numpy_scalar(const PickleValue& call) const {
    const auto& of = members_of(call.items[1]);
    if (of.size() != 2 || !is_call(*of[0], kType) || of[1]->kind != PickleKind::kBytes)
      refuse("a NumPy scalar lacks its type or bytes");
    const std::string_view type = type_name(*of[0]), bytes = of[1]->text;
    const size_t width = bytes.size();
    const bool known = type.size() == 2 && std::string_view("iubf").find(type[0]) != type.npos &&
                       width >= 1 && width <= 8 && static_cast<size_t>(type[1] - '0') == width;
    if (!known || type == "f2") refuse("a NumPy scalar is of a type that is not read here");
    uint64_t bits = type[0] == 'i' && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&bits, bytes.data(), width);
    if (type == "f8") return std::bit_cast<double>(bits);
    if (type == "f4") return std::bit_cast<float>(static_cast<uint32_t>(bits));
    return static_cast<int64_t>(bits);
  }

  /// "i8" of numpy.dtype("i8", …), whose state says in which order the bytes stand.
  std::string_view type_name(const PickleValue& call) const {
    const auto& given = members_of(call.items[1]);
    if (given.empty() || given[0]->kind != PickleKind::kString)
      refuse("numpy.dtype is called in an unusual way");
    const auto& state = members_of(call.state);
    if (state.size() > 1 && state[1]->text == ">") refuse("its numbers are big-endian");
    return given[0]->text;
  }

  const std::string& where_;
};
}  // namespace

PickledDict parse_pickled_dict(Bytes pickle, const std::string& where) {
  constexpr size_t kLargest = 1 << 20;
  if (pickle.size() > kLargest)
    fail(ErrorCode::kUnsupported, "{}: is a pickle of {} bytes; at most {} are read", where,
         pickle.size(), kLargest);
  return DictReader(where).read(Pickle(pickle, {where}));
}

}  // namespace vesalius::media
