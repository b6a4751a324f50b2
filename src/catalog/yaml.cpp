#include "catalog/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace vesalius::catalog {
namespace {

constexpr size_t kMostDepth = 32, kMostValues = 20'000;

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(ErrorCode::kModel,
       "{}: cannot be read as YAML: {}. Use the file that was published with the weights.", where,
       fmt::format(reason, std::forward<Args>(args)...));
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

/// What a plain scalar means in YAML 1.1, which the published files are written for.
Json plain_value(const std::string& text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return {};
  if (one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}))
    return false;
  const char *begin = text.data(), *end = begin + text.size();
  begin += text[0] == '+' && text.size() > 1 && text[1] != '-' ? 1 : 0;
  int64_t whole = 0;
  if (const auto read = std::from_chars(begin, end, whole);
      read.ec == std::errc() && read.ptr == end)
    return whole;
  double number = 0;
  const bool digits = std::any_of(begin, end, [](char c) { return c >= '0' && c <= '9'; });
  if (const auto read = std::from_chars(begin, end, number);
      digits && read.ec == std::errc() && read.ptr == end)
    return number;
  return text;
}

/// Builds the tree from the parser's events; the usual loader would follow aliases.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& where) : where_(where) {}
  Json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { put(mark, {}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(where_, "line {} has an alias, which is not followed here", mark.line + 1);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    const bool is_key = !open_.empty() && open_.back().value.is_object() && !open_.back().has_key;
    put(mark, is_key || tag != "?" ? Json(value) : plain_value(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
    open(mark, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Json value;
    YAML::Mark mark;
    std::string key;
    bool has_key = false;
  };

  void open(const YAML::Mark& mark, Json value) {
    if (open_.size() >= kMostDepth) refuse(where_, "line {} is nested too deep", mark.line + 1);
    if (!open_.empty() && open_.back().value.is_object() && !open_.back().has_key)
      refuse(where_, "line {} has a key that is no plain text", mark.line + 1);
    open_.push_back({std::move(value), mark, {}, false});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    put(done.mark, std::move(done.value));
  }

  void put(const YAML::Mark& mark, Json value) {
    if (++values_ > kMostValues) refuse(where_, "it has more than {} values", kMostValues);
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& top = open_.back(); top.value.is_array()) {
      top.value.push_back(std::move(value));
    } else if (top.has_key) {
      top.value[top.key] = std::move(value);
      top.has_key = false;
    } else {
      if (!value.is_string()) refuse(where_, "line {} has an empty key", mark.line + 1);
      top.key = value.get<std::string>();
      if (top.value.contains(top.key))
        refuse(where_, "line {} has the key '{}' a second time", mark.line + 1, top.key);
      top.has_key = true;
    }
  }

  const std::string& where_;
  std::vector<Open> open_;
  Json root_;
  size_t values_ = 0;
};

/// "a.b[0].c" as a, b, 0, c.
std::vector<std::string> path_of(const std::string& dotted) {
  std::vector<std::string> path(1);
  for (const char c : dotted) {
    if (c == '.' || c == '[')
      path.emplace_back();
    else if (c != ']')
      path.back() += c;
  }
  return path;
}

/// Mappings on the way are made where they are missing; lists are changed in place, never longer.
void override_value(Json& root, const std::string& key, Json value, const std::string& where) {
  const auto path = path_of(key);
  if (path.size() > kMostDepth) refuse(where, "the override '{}' leads too deep", key);
  Json* node = &root;
  for (const std::string& part : path) {
    if (node->is_null()) *node = Json::object();
    size_t index = std::numeric_limits<size_t>::max();
    if (node->is_array()) std::from_chars(part.data(), part.data() + part.size(), index);
    if (node->is_array() ? index >= node->size() : !node->is_object())
      refuse(where, "the override '{}' leads nowhere at '{}'", key, part);
    node = node->is_array() ? &(*node)[index] : &(*node)[part];
  }
  *node = std::move(value);
}

void apply_overrides(Json& root, const std::string& where) {
  std::vector<std::pair<std::string, Json>> overrides;
  for (const auto& [key, value] : root.items())
    if (key.find_first_of(".[") != std::string::npos) overrides.emplace_back(key, value);
  for (auto& [key, value] : overrides) {
    root.erase(key);
    override_value(root, key, std::move(value), where);
  }
}

}  // namespace

Json parse_yaml(const std::string& text, const std::string& where) {
  Builder builder(where);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& problem) {
    refuse(where, "{}", problem.what());
  }
  Json root = builder.take();
  if (root.is_object()) apply_overrides(root, where);
  return root;
}

}  // namespace vesalius::catalog
