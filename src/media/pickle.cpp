#include "media/pickle.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace vesalius::media {

namespace {
enum class Kind {
  kNone,
  kMark,
  kInteger,
  kReal,
  kText,
  kBytes,
  kList,
  kTuple,
  kDict,
  kGlobal,
  kType,
  kArray
};

/// Objects refer to each other by number: a pickle may tie them in rings.
using Index = uint32_t;
struct Object {
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  double real = 0;
  std::string text;            // of text, bytes, types; "module.name" of a global
  std::vector<Index> members;  // of a dictionary: key, value, key, …
};

/// The opcodes of pickletools that are understood here.
enum Opcode : uint8_t {
  kMarkOp = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNoneOp = 'N',
  kReduce = 'R',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobalOp = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8C,
  kBinUnicode8 = 0x8D,
  kBinBytes8 = 0x8E,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

/// Two's complement of `width` bytes.
int64_t sign_extended(uint64_t bits, size_t width) {
  const bool negative = width > 0 && width < 8 && (bits >> (8 * width - 1)) != 0;
  return static_cast<int64_t>(negative ? bits | ~uint64_t{0} << (8 * width) : bits);
}

class Machine {
 public:
  Machine(Bytes pickle, const std::string& where) : rest_(pickle), where_(where) {}

  /// Runs to the end; the object that is left.
  const Object& run() {
    while (true) {
      const auto opcode = static_cast<Opcode>(number(1));
      if (opcode == kStop) return objects_[pop()];
      step(opcode);
    }
  }
  const Object& object(Index index) const { return objects_[index]; }

  [[noreturn]] void refuse(const std::string& reason) const {
    fail(ErrorCode::kUnsupported,
         "{}: is no pickle of a plain dictionary: {}. Save words and numbers alone", where_,
         reason);
  }

 private:
  Bytes take(uint64_t size) {
    if (size > rest_.size()) refuse("it ends early");
    const Bytes out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  uint64_t number(size_t width) {
    uint64_t value = 0;
    const Bytes bytes = take(width);
    for (size_t i = 0; i < width; ++i) value |= uint64_t{bytes[i]} << (8 * i);
    return value;
  }
  std::string line() {
    std::string text;
    for (char c = 0; (c = static_cast<char>(number(1))) != '\n';) text += c;
    return text;
  }
  void push(Object object) {
    objects_.push_back(std::move(object));
    stack_.push_back(static_cast<Index>(objects_.size() - 1));
  }
  void push_integer(int64_t value) { push({.kind = Kind::kInteger, .integer = value}); }
  void push_text(Kind kind, uint64_t size) {
    const Bytes bytes = take(size);
    push({.kind = kind, .text = std::string(bytes.begin(), bytes.end())});
  }
  void push_long() {
    const size_t width = number(1);
    if (width > 8) refuse("it holds an integer beyond 64 bits");
    const uint64_t bits = number(width);
    push_integer(sign_extended(bits, width));
  }
  void push_real() {
    const Bytes bytes = take(8);
    uint64_t bits = 0;
    for (const uint8_t byte : bytes) bits = bits << 8 | byte;
    push({.kind = Kind::kReal, .real = std::bit_cast<double>(bits)});
  }
  Index pop() {
    if (stack_.empty()) refuse("its stack runs empty");
    const Index top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Object& top(Kind kind) {
    if (stack_.empty() || objects_[stack_.back()].kind != kind) refuse("its objects do not fit");
    return objects_[stack_.back()];
  }
  std::vector<Index> pop_to_mark() {
    size_t at = stack_.size();
    while (at > 0 && objects_[stack_[at - 1]].kind != Kind::kMark) --at;
    if (at == 0) refuse("it lacks a mark");
    std::vector<Index> out(stack_.begin() + static_cast<std::ptrdiff_t>(at), stack_.end());
    stack_.resize(at - 1);
    return out;
  }
  std::vector<Index> pop_last(size_t count) {
    std::vector<Index> out(count);
    while (count-- > 0) out[count] = pop();
    return out;
  }
  void push_tuple(std::vector<Index> members) {
    push({.kind = Kind::kTuple, .members = std::move(members)});
  }
  /// Into the list or dictionary that is next on the stack.
  void extend(Kind kind, const std::vector<Index>& members) {
    if (kind == Kind::kDict && members.size() % 2 != 0) refuse("a key lacks its value");
    Object& into = top(kind);
    into.members.insert(into.members.end(), members.begin(), members.end());
  }
  void remember(size_t slot) {
    if (stack_.empty() || slot > memo_.size() + rest_.size()) refuse("its memo makes no sense");
    if (slot >= memo_.size()) memo_.resize(slot + 1);
    memo_[slot] = stack_.back();
  }
  void recall(size_t slot) {
    if (slot >= memo_.size() || !memo_[slot]) refuse("its memo lacks what it asks for");
    stack_.push_back(*memo_[slot]);
  }

  void step(Opcode opcode);
  bool step_constant(Opcode opcode);
  bool step_container(Opcode opcode);
  bool step_memo(Opcode opcode);
  void push_global(const std::string& name);
  void stack_global();
  void reduce();
  void build();
  void push_scalar(const Object& arguments);

  Bytes rest_;
  const std::string& where_;
  std::vector<Object> objects_;
  std::vector<Index> stack_;
  std::vector<std::optional<Index>> memo_;
};

void Machine::step(Opcode opcode) {
  if (step_constant(opcode) || step_container(opcode) || step_memo(opcode)) return;
  switch (opcode) {
    case kProto:
      number(1);
      return;
    case kFrame:
      number(8);
      return;
    case kGlobalOp: {
      const std::string module = line();
      return push_global(module + "." + line());
    }
    case kStackGlobal:
      return stack_global();
    case kReduce:
      return reduce();
    case kBuild:
      return build();
    default:
      refuse(fmt::format("opcode {:#04x} is not among those that are followed here",
                         static_cast<int>(opcode)));
  }
}

bool Machine::step_constant(Opcode opcode) {
  switch (opcode) {
    case kNoneOp:
      return push({}), true;
    case kNewTrue:
    case kNewFalse:
      return push_integer(opcode == kNewTrue ? 1 : 0), true;
    case kBinInt:
      return push_integer(static_cast<int32_t>(number(4))), true;
    case kBinInt1:
      return push_integer(static_cast<int64_t>(number(1))), true;
    case kBinInt2:
      return push_integer(static_cast<int64_t>(number(2))), true;
    case kLong1:
      return push_long(), true;
    case kBinFloat:
      return push_real(), true;
    case kShortBinUnicode:
      return push_text(Kind::kText, number(1)), true;
    case kBinUnicode:
      return push_text(Kind::kText, number(4)), true;
    case kBinUnicode8:
      return push_text(Kind::kText, number(8)), true;
    case kShortBinBytes:
      return push_text(Kind::kBytes, number(1)), true;
    case kBinBytes:
      return push_text(Kind::kBytes, number(4)), true;
    case kBinBytes8:
      return push_text(Kind::kBytes, number(8)), true;
    default:
      return false;
  }
}

bool Machine::step_container(Opcode opcode) {
  switch (opcode) {
    case kMarkOp:
      return push({.kind = Kind::kMark}), true;
    case kEmptyList:
      return push({.kind = Kind::kList}), true;
    case kEmptyDict:
      return push({.kind = Kind::kDict}), true;
    case kEmptyTuple:
      return push_tuple({}), true;
    case kTuple:
      return push_tuple(pop_to_mark()), true;
    case kTuple1:
    case kTuple2:
    case kTuple3:
      return push_tuple(pop_last(opcode - kTuple1 + size_t{1})), true;
    case kAppend:
      return extend(Kind::kList, pop_last(1)), true;
    case kAppends:
      return extend(Kind::kList, pop_to_mark()), true;
    case kSetItem:
      return extend(Kind::kDict, pop_last(2)), true;
    case kSetItems:
      return extend(Kind::kDict, pop_to_mark()), true;
    default:
      return false;
  }
}

bool Machine::step_memo(Opcode opcode) {
  switch (opcode) {
    case kPop:
      return pop(), true;
    case kPopMark:
      return pop_to_mark(), true;
    case kMemoize:
      return remember(memo_.size()), true;
    case kBinPut:
      return remember(number(1)), true;
    case kLongBinPut:
      return remember(number(4)), true;
    case kBinGet:
      return recall(number(1)), true;
    case kLongBinGet:
      return recall(number(4)), true;
    default:
      return false;
  }
}

/// The old and the new home of NumPy's functions count as one.
void Machine::push_global(const std::string& name) {
  std::string known = name;
  if (known.starts_with("numpy.core.")) known.replace(0, 11, "numpy._core.");
  for (const std::string_view allowed :
       {"numpy._core.multiarray._reconstruct", "numpy._core.multiarray.scalar", "numpy.ndarray",
        "numpy.dtype"}) {
    if (known == allowed) return push({.kind = Kind::kGlobal, .text = std::move(known)});
  }
  refuse(fmt::format("it calls for {}, and nothing is called here", name.substr(0, 80)));
}

void Machine::stack_global() {
  const std::vector<Index> names = pop_last(2);
  for (const Index name : names)
    if (objects_[name].kind != Kind::kText) refuse("it names a function by no text");
  push_global(objects_[names[0]].text + "." + objects_[names[1]].text);
}

/// numpy.core.multiarray.scalar(type, bytes): a number of one of the plain types.
void Machine::push_scalar(const Object& arguments) {
  const std::vector<Index>& of = arguments.members;
  const bool sound =
      of.size() == 2 && objects_[of[0]].kind == Kind::kType && objects_[of[1]].kind == Kind::kBytes;
  if (!sound) refuse("a NumPy scalar lacks its type or bytes");
  const std::string_view type = objects_[of[0]].text, bytes = objects_[of[1]].text;
  const size_t width = bytes.size();
  const bool known = type.size() == 2 && std::string_view("iubf").find(type[0]) != type.npos &&
                     width >= 1 && width <= 8 && static_cast<size_t>(type[1] - '0') == width;
  if (!known || type == "f2") refuse("a NumPy scalar is of a type that is not read here");
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), width);
  if (type == "f8") return push({.kind = Kind::kReal, .real = std::bit_cast<double>(bits)});
  if (type == "f4")
    return push({.kind = Kind::kReal, .real = std::bit_cast<float>(static_cast<uint32_t>(bits))});
  push_integer(type[0] == 'i' ? sign_extended(bits, width) : static_cast<int64_t>(bits));
}

/// Calls are read as what they would make. Nothing of an argument's size is copied: arguments may
/// be recalled as often as a pickle likes.
void Machine::reduce() {
  const Index arguments = pop(), function = pop();
  const Object& given = objects_[arguments];
  if (given.kind != Kind::kTuple || objects_[function].kind != Kind::kGlobal)
    refuse("it calls what is no function");
  const std::string name = objects_[function].text;
  if (name == "numpy._core.multiarray._reconstruct") return push({.kind = Kind::kArray});
  if (name == "numpy._core.multiarray.scalar") return push_scalar(given);
  constexpr size_t kLongestType = 8;
  const bool named = name == "numpy.dtype" && !given.members.empty() &&
                     objects_[given.members[0]].kind == Kind::kText &&
                     objects_[given.members[0]].text.size() <= kLongestType;
  if (!named) refuse(name + " is called in an unusual way");
  std::string type = objects_[given.members[0]].text;
  push({.kind = Kind::kType, .text = std::move(type)});
}

/// Gives a type or an array, which is below on the stack, its state.
void Machine::build() {
  const std::vector<Index>& state = objects_[pop()].members;
  if (stack_.empty()) refuse("its stack runs empty");
  Object& target = objects_[stack_.back()];
  if (target.kind == Kind::kType) {
    const bool big = state.size() > 1 && objects_[state[1]].text == ">";
    if (big) refuse("its numbers are big-endian");
    return;
  }
  // (version, shape, type, Fortran order, elements)
  const bool sound =
      target.kind == Kind::kArray && state.size() == 5 && objects_[state[4]].kind == Kind::kList;
  if (!sound) refuse("an array of objects lacks its elements");
  target.members = {state[4]};
}

PickledScalar scalar_of(const Machine& machine, const Object& object) {
  switch (object.kind) {
    case Kind::kInteger:
      return object.integer;
    case Kind::kReal:
      return object.real;
    case Kind::kText:
      return object.text;
    default:
      machine.refuse("it holds more than words and numbers");
  }
}
/// The dictionary itself, or the one in an array of one element.
const Object& the_dictionary(const Machine& machine, const Object& last) {
  const Object* found = &last;
  if (found->kind == Kind::kArray && found->members.size() == 1) {
    const Object& elements = machine.object(found->members.front());
    if (elements.members.size() == 1) found = &machine.object(elements.members.front());
  }
  if (found->kind != Kind::kDict) machine.refuse("it holds something else");
  return *found;
}
}  // namespace

PickledDict parse_pickled_dict(Bytes pickle, const std::string& where) {
  constexpr size_t kLargest = 1 << 20;
  if (pickle.size() > kLargest)
    fail(ErrorCode::kUnsupported, "{}: is a pickle of {} bytes; at most {} are read", where,
         pickle.size(), kLargest);
  Machine machine(pickle, where);
  const Object& dictionary = the_dictionary(machine, machine.run());
  PickledDict out;
  size_t text = 0;
  for (size_t i = 0; i + 1 < dictionary.members.size(); i += 2) {
    const Object& key = machine.object(dictionary.members[i]);
    const Object& value = machine.object(dictionary.members[i + 1]);
    text += key.text.size() + value.text.size();
    if (text > kLargest) machine.refuse("it repeats a text without end");
    out.emplace_back(scalar_of(machine, key), scalar_of(machine, value));
  }
  return out;
}

}  // namespace vesalius::media
