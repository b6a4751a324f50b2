#include "base/json.h"

namespace vesalius {
namespace {
constexpr int kMaxDepth = 200;  // deeper nesting is an attack on the stack, not data
}

Json parse_json(std::string_view text, std::string_view where) {
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth)
      fail(ErrorCode::kUnsupported, "{}: JSON nested deeper than {} levels.", where, kMaxDepth);
    return true;
  };
  try {
    return Json::parse(text, guard);
  } catch (const Json::exception& problem) {
    fail(ErrorCode::kUnsupported, "{}: is not valid JSON ({}).", where, problem.what());
  }
}

Json read_json(const fs::path& path) { return parse_json(read_text(path), path.string()); }

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vesalius
