// Python pickles, protocols 2 to 5, read as data: nothing in them is ever run. Which globals may
// stand in one, and what their calls would have made, is for the reader of its values to say.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace vesalius {

enum class PickleKind {
  kNone,
  kBool,
  kInteger,
  kFloat,
  kString,
  kBytes,  // and integers beyond 64 bits
  kTuple,
  kList,
  kDict,
  kSet,
  kGlobal,      // a class or function, by name alone
  kCall,        // a global applied to arguments: what Python would run, and we do not
  kPersistent,  // a reference to something outside of the pickle: torch's storages
};

/// One value. A call stands for the object that Python would have made by it; what a pickle then
/// does to that object (append, set items, set state) is written down here and done to nothing.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;    // kInteger, kBool
  double real = 0;        // kFloat
  std::string_view text;  // kString, kBytes: views on the pickle
  /// kTuple, kList, kSet: members. kGlobal: module, name. kCall: what is called, its arguments,
  /// then whatever was appended. kPersistent: its id.
  std::vector<const PickleValue*> items;
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;  // kDict, kCall
  const PickleValue* state = nullptr;  // of BUILD (__setstate__ or attributes)

  /// "collections.OrderedDict" of a kGlobal, or of what a kCall calls; else empty.
  std::string global() const;
};

/// A pickle and the values in it. Values may contain each other, or themselves: never walk them
/// without a list of those already seen.
class Pickle {
 public:
  /// Reads a whole pickle, whose bytes must outlive it. An Error of the origin tells what is wrong;
  /// memory stays in proportion to the pickle, with a cap on both, and no depth of nesting
  /// costs any stack.
  Pickle(Bytes bytes, const Origin& origin);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& top() const { return *top_; }
  /// Every global that the pickle names, also those that nothing in top() leads to.
  const std::vector<const PickleValue*>& globals() const { return globals_; }

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  std::vector<const PickleValue*> globals_;
  const PickleValue* top_ = nullptr;
};

}  // namespace vesalius
