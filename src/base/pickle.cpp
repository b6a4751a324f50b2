#include "base/pickle.h"

#include <array>
#include <bit>
#include <cstring>

namespace vesalius {
namespace {

// A thousand tensors take 0.2 MB and 40,000 values; optimizer states three times as much.
constexpr uint64_t kLargestPickle = 64 << 20;
constexpr size_t kMostValues = 4'000'000;
constexpr size_t kLongestName = 200;  // of a module or class, for errors that can be read
constexpr uint64_t kOldestProtocol = 2, kNewestProtocol = 5;

}  // namespace

std::string PickleValue::global() const {
  const PickleValue* named = kind == PickleKind::kCall ? items[0] : this;
  if (named->kind != PickleKind::kGlobal) return {};
  return fmt::format("{}.{}", named->items[0]->text.substr(0, kLongestName),
                     named->items[1]->text.substr(0, kLongestName));
}

/// The stack machine of Python's pickletools, with calls written down instead of made.
class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, Bytes bytes, const Origin& origin)
      : pickle_(pickle), bytes_(bytes), origin_(origin) {}

  void run() {
    if (bytes_.size() > kLargestPickle) refuse("it is {} bytes long", bytes_.size());
    if (bytes_.empty() || bytes_[0] != 0x80)
      refuse("it does not start as protocol 2 or later does");
    while (!stopped_) step(take<uint8_t>());
  }

 private:
  using Value = PickleValue;
  using Handler = void (PickleMachine::*)();
  using Table = std::array<Handler, 256>;
  static constexpr Table make_table();

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> reason, Args&&... args) const {
    fail(origin_.code,
         "{}: the pickle in it is not one that is read here: {} (at byte {}). Fetch the file again "
         "and compare its hash.",
         origin_.where, fmt::format(reason, std::forward<Args>(args)...), at_);
  }

  void step(uint8_t code);

  // Bytes.
  std::string_view take_bytes(uint64_t size) {
    if (size > bytes_.size() - at_)
      refuse("{} bytes are due, {} are left", size, bytes_.size() - at_);
    const std::string_view taken(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
    return taken;
  }
  template <class T>
  T take() {
    T value = 0;
    std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take_line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_,
                                bytes_.size() - at_);
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) refuse("a name does not end");
    return take_bytes(end + 1).substr(0, end);
  }

  // The stack.
  Value* add(Value value) {
    if (pickle_.values_.size() >= kMostValues) refuse("it holds more than {} values", kMostValues);
    return &pickle_.values_.emplace_back(std::move(value));
  }
  void push(Value* value) {
    if (stack_.size() >= kMostValues) refuse("its stack is too deep");
    stack_.push_back(value);
  }
  void make(Value value) { push(add(std::move(value))); }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Value* top() const {
    if (stack_.size() <= floor()) refuse("it takes a value from an empty stack");
    return stack_.back();
  }
  Value* pop() {
    Value* value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<const Value*> pop_mark() {
    if (marks_.empty()) refuse("a mark is missing");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const Value*> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }

  // Plain values.
  template <int64_t kTruth>
  void boolean() {
    make({.kind = PickleKind::kBool, .integer = kTruth});
  }
  void none() { make({}); }
  template <class T>
  void integer() {
    make({.kind = PickleKind::kInteger, .integer = take<T>()});
  }
  /// Two's complement, little-endian, as many bytes as it takes.
  template <class Size>
  void long_integer() {
    const std::string_view text = take_bytes(take<Size>());
    if (text.size() > sizeof(int64_t)) return make({.kind = PickleKind::kBytes, .text = text});
    uint64_t value = !text.empty() && (text.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, text.data(), text.size());
    make({.kind = PickleKind::kInteger, .integer = static_cast<int64_t>(value)});
  }
  void real() {  // the one big-endian number of the format
    uint64_t bits = 0;
    for (const char byte : take_bytes(sizeof bits)) bits = bits << 8 | static_cast<uint8_t>(byte);
    make({.kind = PickleKind::kFloat, .real = std::bit_cast<double>(bits)});
  }
  template <PickleKind kKind, class Size>
  void text() {
    make({.kind = kKind, .text = take_bytes(take<Size>())});
  }

  // Containers.
  template <PickleKind kKind>
  void empty() {
    make({.kind = kKind});
  }
  template <PickleKind kKind>
  void marked() {
    make({.kind = kKind, .items = pop_mark()});
  }
  template <size_t kSize>
  void tuple() {
    std::vector<const Value*> items(kSize);
    for (size_t i = kSize; i > 0; --i) items[i - 1] = pop();
    make({.kind = PickleKind::kTuple, .items = std::move(items)});
  }
  /// A list, a set, or an object that Python would ask to append.
  Value& growing() {
    Value& target = *top();
    if (target.kind != PickleKind::kList && target.kind != PickleKind::kSet &&
        target.kind != PickleKind::kCall)
      refuse("it appends to what is no list");
    return target;
  }
  void append() {
    const Value* item = pop();
    growing().items.push_back(item);
  }
  void append_marked() {
    const auto items = pop_mark();
    auto& target = growing().items;
    target.insert(target.end(), items.begin(), items.end());
  }
  Value& mapping() {
    Value& target = *top();
    if (target.kind != PickleKind::kDict && target.kind != PickleKind::kCall)
      refuse("it sets items of what is no dict");
    return target;
  }
  void set_item() {
    const Value* value = pop();
    const Value* key = pop();
    mapping().entries.emplace_back(key, value);
  }
  void set_marked() {
    const auto items = pop_mark();
    if (items.size() % 2 != 0) refuse("a key lacks its value");
    auto& entries = mapping().entries;
    for (size_t i = 0; i < items.size(); i += 2) entries.emplace_back(items[i], items[i + 1]);
  }

  // What Python would run.
  void make_global(const Value* module, const Value* name) {
    make({.kind = PickleKind::kGlobal, .items = {module, name}});
    pickle_.globals_.push_back(stack_.back());
  }
  void global() {
    const Value* module = add({.kind = PickleKind::kString, .text = take_line()});
    make_global(module, add({.kind = PickleKind::kString, .text = take_line()}));
  }
  void stack_global() {
    const Value* name = pop();
    const Value* module = pop();
    if (name->kind != PickleKind::kString || module->kind != PickleKind::kString)
      refuse("a global has no name");
    make_global(module, name);
  }
  /// REDUCE, NEWOBJ and NEWOBJ_EX: `kCount` values, of which the first is called.
  template <size_t kCount>
  void call() {
    std::vector<const Value*> items(kCount);
    for (size_t i = kCount; i > 0; --i) items[i - 1] = pop();
    make({.kind = PickleKind::kCall, .items = std::move(items)});
  }
  void build() {
    const Value* state = pop();
    if (top()->state != nullptr) refuse("an object is given its state twice");
    top()->state = state;
  }
  void persistent() {
    const Value* id = pop();
    make({.kind = PickleKind::kPersistent, .items = {id}});
  }

  // The memo, the stack itself, and the frame.
  void remember(uint64_t index) {
    if (index >= kMostValues) refuse("it remembers more than {} values", kMostValues);
    if (index >= memo_.size()) memo_.resize(index + 1);
    memo_[index] = top();
  }
  void memoize() { remember(memo_.size()); }
  template <class T>
  void put() {
    remember(take<T>());
  }
  template <class T>
  void get() {
    const uint64_t index = take<T>();
    if (index >= memo_.size() || memo_[index] == nullptr)
      refuse("it recalls a value that it never stored");
    push(memo_[index]);
  }
  void mark() {
    if (marks_.size() >= kMostValues) refuse("its stack is too deep");
    marks_.push_back(stack_.size());
  }
  void drop() {  // as Python does, a mark where no value is left on it
    if (stack_.size() > floor())
      stack_.pop_back();
    else
      drop_marked();
  }
  void drop_marked() { pop_mark(); }
  void duplicate() { push(top()); }
  void protocol() {
    const uint64_t number = take<uint8_t>();
    if (number < kOldestProtocol || number > kNewestProtocol)
      refuse("its protocol is {}, not 2 to 5", number);
  }
  void frame() {
    const auto size = take<uint64_t>();
    if (size > bytes_.size() - at_) refuse("a frame of {} bytes goes past its end", size);
  }
  void stop() {
    pickle_.top_ = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("it leaves values behind");
    stopped_ = true;
  }

  Pickle& pickle_;
  Bytes bytes_;
  const Origin& origin_;
  uint64_t at_ = 0;
  bool stopped_ = false;
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<Value*> memo_;   // by index; picklers count up
};

/// By opcode, with the names of Python's pickletools.
constexpr PickleMachine::Table PickleMachine::make_table() {
  using M = PickleMachine;
  using enum PickleKind;
  const std::pair<uint8_t, Handler> rows[] = {
      {0x80, &M::protocol},                 // PROTO
      {0x95, &M::frame},                    // FRAME
      {'.', &M::stop},                      // STOP
      {'(', &M::mark},                      // MARK
      {'0', &M::drop},                      // POP
      {'1', &M::drop_marked},               // POP_MARK
      {'2', &M::duplicate},                 // DUP
      {'q', &M::put<uint8_t>},              // BINPUT
      {'r', &M::put<uint32_t>},             // LONG_BINPUT
      {0x94, &M::memoize},                  // MEMOIZE
      {'h', &M::get<uint8_t>},              // BINGET
      {'j', &M::get<uint32_t>},             // LONG_BINGET
      {'N', &M::none},                      // NONE
      {0x88, &M::boolean<1>},               // NEWTRUE
      {0x89, &M::boolean<0>},               // NEWFALSE
      {'K', &M::integer<uint8_t>},          // BININT1
      {'M', &M::integer<uint16_t>},         // BININT2
      {'J', &M::integer<int32_t>},          // BININT
      {0x8A, &M::long_integer<uint8_t>},    // LONG1
      {0x8B, &M::long_integer<uint32_t>},   // LONG4
      {'G', &M::real},                      // BINFLOAT
      {0x8C, &M::text<kString, uint8_t>},   // SHORT_BINUNICODE
      {'X', &M::text<kString, uint32_t>},   // BINUNICODE
      {0x8D, &M::text<kString, uint64_t>},  // BINUNICODE8
      {'U', &M::text<kString, uint8_t>},    // SHORT_BINSTRING, of Python 2
      {'T', &M::text<kString, uint32_t>},   // BINSTRING, of Python 2
      {'C', &M::text<kBytes, uint8_t>},     // SHORT_BINBYTES
      {'B', &M::text<kBytes, uint32_t>},    // BINBYTES
      {0x8E, &M::text<kBytes, uint64_t>},   // BINBYTES8
      {0x96, &M::text<kBytes, uint64_t>},   // BYTEARRAY8
      {')', &M::empty<kTuple>},             // EMPTY_TUPLE
      {']', &M::empty<kList>},              // EMPTY_LIST
      {'}', &M::empty<kDict>},              // EMPTY_DICT
      {0x8F, &M::empty<kSet>},              // EMPTY_SET
      {'t', &M::marked<kTuple>},            // TUPLE
      {0x91, &M::marked<kSet>},             // FROZENSET
      {0x85, &M::tuple<1>},                 // TUPLE1
      {0x86, &M::tuple<2>},                 // TUPLE2
      {0x87, &M::tuple<3>},                 // TUPLE3
      {'a', &M::append},                    // APPEND
      {'e', &M::append_marked},             // APPENDS
      {0x90, &M::append_marked},            // ADDITEMS
      {'s', &M::set_item},                  // SETITEM
      {'u', &M::set_marked},                // SETITEMS
      {'c', &M::global},                    // GLOBAL
      {0x93, &M::stack_global},             // STACK_GLOBAL
      {'R', &M::call<2>},                   // REDUCE
      {0x81, &M::call<2>},                  // NEWOBJ
      {0x92, &M::call<3>},                  // NEWOBJ_EX
      {'b', &M::build},                     // BUILD
      {'Q', &M::persistent},                // BINPERSID
  };
  Table table{};
  for (const auto& [code, handler] : rows) table[code] = handler;
  return table;
}

void PickleMachine::step(uint8_t code) {
  static constexpr Table kTable = make_table();
  if (kTable[code] == nullptr) refuse("opcode 0x{:02x} is not of protocols 2 to 5", code);
  (this->*kTable[code])();
}

Pickle::Pickle(Bytes bytes, const Origin& origin) { PickleMachine(*this, bytes, origin).run(); }

}  // namespace vesalius
