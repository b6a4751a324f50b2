// Other spellings of a checkpoint's names: a table of renames, applied once when a file is opened.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace vesalius {

/// One line of the table, in components between dots: "stages.{i}.blocks" -> "blocks.{i}". A name
/// of one letter in braces captures digits, a longer one any component; "^" at the start and "$" at
/// the end bind the pattern to the start and end of the name. An empty `to` drops what matched.
struct Rename {
  std::string_view from, to;
};

/// Lines are applied in order, each at its first match in the name and once.
class KeyMap {
 public:
  explicit KeyMap(const std::vector<Rename>& lines);

  std::string operator()(std::string_view name) const;

  /// The same for the keys of a map. Error kModel when two names become one.
  template <class Value>
  std::map<std::string, Value> apply(std::map<std::string, Value> from,
                                     const std::string& source) const {
    std::map<std::string, Value> to;
    for (auto& [name, value] : from) {
      const std::string key = (*this)(name);
      if (!to.emplace(key, std::move(value)).second)
        fail(ErrorCode::kModel,
             "{}: two of its tensors are '{}', one of them as '{}'. Use a file "
             "with one spelling.",
             source, key, name);
    }
    return to;
  }

 private:
  using Parts = std::vector<std::string>;
  struct Line {
    Parts from, to;
    bool at_start = false, at_end = false;
  };
  static bool match(const Line& line, const Parts& name, size_t at,
                    std::map<std::string, std::string>& captured);
  static void apply_line(const Line& line, Parts& name);
  std::vector<Line> lines_;
};

}  // namespace vesalius
