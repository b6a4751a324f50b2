#include "catalog/family.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "catalog/dino_package.h"
#include "catalog/insight_package.h"
#include "catalog/parse_package.h"
#include "catalog/report_package.h"

namespace vesalius::catalog {

const std::vector<Family>& families() {
  static const std::vector<Family> all{parse_family_v2(), parse_family_v1(), report_family(),
                                       dino_family(), insight_family()};
  return all;
}

const Family& family_named(std::string_view name, const std::string& where) {
  const auto found = std::ranges::find(families(), name, &Family::name);
  if (found != families().end()) return *found;
  std::vector<std::string_view> names;
  names.reserve(families().size());
  for (const Family& family : families()) names.push_back(family.name);
  fail(ErrorCode::kModel, "{}: is of the family '{}', which this program does not know ({}).",
       where, name, fmt::join(names, ", "));
}

}  // namespace vesalius::catalog
