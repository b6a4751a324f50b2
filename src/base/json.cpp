#include "base/json.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace vesalius {
namespace {
constexpr size_t kMaxDepth = 200;  // deeper nesting is an attack on the stack, not data

/// Builds the tree from the parser's events. nlohmann's own builders look a key up among all keys
/// before it, and with a callback walk the parent at every end; this one looks at each value once.
class Builder : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::string_view where) : where_(where) {}
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& /*text*/) override { return add(value); }
  bool string(std::string& text) override { return add(std::move(text)); }
  bool binary(Json::binary_t& value) override { return add(std::move(value)); }
  bool start_object(size_t /*size*/) override { return open(); }
  bool start_array(size_t /*size*/) override { return open(); }
  bool key(std::string& name) override {
    open_.back().names.push_back(std::move(name));
    return true;
  }
  bool end_object() override {
    Level level = close();
    refuse_repeats(level.names);
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    members.reserve(level.names.size());
    for (size_t i = 0; i < level.names.size(); ++i)
      members.emplace_back(std::move(level.names[i]), std::move(level.values[i]));
    return add(std::move(object));
  }
  bool end_array() override { return add(Json::array_t(std::move(close().values))); }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& problem) override {
    fail(ErrorCode::kUnsupported, "{}: is not valid JSON ({}).", where_, problem.what());
  }

 private:
  /// An array or object whose end has not come yet.
  struct Level {
    std::vector<std::string> names;
    std::vector<Json> values;
  };

  bool open() {
    if (open_.size() == kMaxDepth)
      fail(ErrorCode::kUnsupported, "{}: JSON nested deeper than {} levels.", where_, kMaxDepth);
    open_.emplace_back();
    return true;
  }
  Level close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    return level;
  }
  bool add(Json value) {
    if (open_.empty())
      root_ = std::move(value);
    else
      open_.back().values.push_back(std::move(value));
    return true;
  }
  void refuse_repeats(const std::vector<std::string>& names) const {
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end())
      fail(ErrorCode::kUnsupported, "{}: an object names '{}' twice.", where_, *twice);
  }

  std::string_view where_;
  std::vector<Level> open_;
  Json root_;
};
}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  Builder builder(where);
  Json::sax_parse(text, &builder);
  return builder.take();
}

Json read_json(const fs::path& path) { return parse_json(read_text(path), path.string()); }

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vesalius
