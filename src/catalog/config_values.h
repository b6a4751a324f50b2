// Values of a JSON table that somebody else wrote, checked as they are taken.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace vesalius::catalog {

/// One table of a config file. A key that is missing or null has the default. Error kModel names
/// the file, the table and the key.
class ConfigValues {
 public:
  ConfigValues(const Json& table, std::string where);

  bool has(const char* key) const;
  int64_t whole(const char* key, int64_t standard, int64_t least, int64_t most) const;
  double number(const char* key, double standard) const;
  bool flag(const char* key, bool standard) const;
  std::string word(const char* key, const std::string& standard) const;
  std::vector<double> numbers(const char* key) const;  // empty where it is missing
  std::vector<int64_t> wholes(const char* key) const;  // a list, or one number
  ConfigValues table(const char* key) const;
  /// Error kModel unless the word is one that can be built.
  void require(const char* key, const std::string& standard,
               const std::vector<std::string>& known) const;
  [[noreturn]] void refuse(const char* key, const std::string& wanted) const;

 private:
  Json table_;
  std::string where_;
};

}  // namespace vesalius::catalog
