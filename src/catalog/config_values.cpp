#include "catalog/config_values.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace vesalius::catalog {

ConfigValues::ConfigValues(const Json& table, std::string where)
    : table_(table), where_(std::move(where)) {
  if (!table_.is_object())
    fail(ErrorCode::kModel, "{}: is no table. Use the file that was published.", where_);
}

void ConfigValues::refuse(const char* key, const std::string& wanted) const {
  fail(ErrorCode::kModel, "{}: {} = {}, where {} is wanted. Use the file that was published.",
       where_, key, has(key) ? dump_json(table_.at(key)) : "nothing", wanted);
}

bool ConfigValues::has(const char* key) const {
  return table_.contains(key) && !table_.at(key).is_null();
}

int64_t ConfigValues::whole(const char* key, int64_t standard, int64_t least, int64_t most) const {
  if (!has(key)) return standard;
  const Json& value = table_.at(key);
  if (!value.is_number_integer() || value < least || value > most)
    refuse(key, fmt::format("a whole number from {} to {}", least, most));
  return value.get<int64_t>();
}

double ConfigValues::number(const char* key, double standard) const {
  if (!has(key)) return standard;
  if (!table_.at(key).is_number() || !std::isfinite(table_.at(key).get<double>()))
    refuse(key, "a number");
  return table_.at(key).get<double>();
}

bool ConfigValues::flag(const char* key, bool standard) const {
  if (!has(key)) return standard;
  if (!table_.at(key).is_boolean()) refuse(key, "true or false");
  return table_.at(key).get<bool>();
}

std::string ConfigValues::word(const char* key, const std::string& standard) const {
  if (!has(key)) return standard;
  if (!table_.at(key).is_string()) refuse(key, "text");
  return table_.at(key).get<std::string>();
}

std::vector<double> ConfigValues::numbers(const char* key) const {
  if (!has(key)) return {};
  const Json& list = table_.at(key);
  if (!list.is_array() ||
      !std::ranges::all_of(list, [](const Json& one) { return one.is_number(); }))
    refuse(key, "a list of numbers");
  return list.get<std::vector<double>>();
}

std::vector<int64_t> ConfigValues::wholes(const char* key) const {
  if (!has(key)) return {};
  const Json list = table_.at(key).is_array() ? table_.at(key) : Json::array({table_.at(key)});
  for (const Json& value : list)
    if (!value.is_number_integer()) refuse(key, "whole numbers");
  return list.get<std::vector<int64_t>>();
}

ConfigValues ConfigValues::table(const char* key) const {
  return {has(key) ? table_.at(key) : Json::object(), where_ + ", " + key};
}

void ConfigValues::require(const char* key, const std::string& standard,
                           const std::vector<std::string>& known) const {
  if (std::ranges::find(known, word(key, standard)) == known.end())
    refuse(key, fmt::format("{}", fmt::join(known, " or ")));
}

}  // namespace vesalius::catalog
