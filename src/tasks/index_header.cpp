#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/version.h"
#include "tasks/index.h"

namespace vesalius::tasks {
namespace {

constexpr int64_t kVersion = 1, kMaxDimension = 65536;
constexpr int64_t kMaxRows = int64_t{1} << 40;  // times kMaxDimension floats still fits 64 bits

/// Reads fields and complains in the name of one file.
class Reader {
 public:
  Reader(const Json& json, const std::string& where) : json_(json), where_(where) {
    if (!json.is_object()) bad("it is not a JSON object");
  }
  std::string text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string()) bad(fmt::format("'{}' is not a text", key));
    return value.get<std::string>();
  }
  int64_t number(const char* key, int64_t least, int64_t most) const {
    const Json& value = at(key);
    if (!value.is_number_integer() || value.get<int64_t>() < least || value.get<int64_t>() > most)
      bad(fmt::format("'{}' is not a whole number from {} to {}", key, least, most));
    return value.get<int64_t>();
  }
  const Json& at(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) bad(fmt::format("'{}' is missing", key));
    return *found;
  }
  [[noreturn]] void bad(const std::string& why) const {
    fail(ErrorCode::kUnsupported,
         "{}: is not a sound index ({}). Restore it from a copy or build it again.", where_, why);
  }

 private:
  const Json& json_;
  const std::string& where_;
};

/// A plain name in the index's own folder, so that no index makes us read elsewhere.
std::string file_name(const Reader& reader, const char* key) {
  std::string name = reader.text(key);
  const bool plain = !name.empty() && name[0] != '.' && name.find('/') == std::string::npos &&
                     name.find('\0') == std::string::npos;
  if (!plain) reader.bad(fmt::format("'{}' is not a plain file name", key));
  return name;
}

IndexHeader::Segment read_segment(const Json& json, const std::string& where) {
  const Reader reader(json, where);
  return {file_name(reader, "vectors"), file_name(reader, "entries"), reader.text("vectors_sha256"),
          reader.text("entries_sha256"), reader.number("count", 0, kMaxRows)};
}

IndexOrigin read_origin(const Reader& reader) {
  IndexOrigin origin{reader.text("model"), reader.text("weights_sha256"), reader.text("recipe"),
                     reader.text("precision"), reader.text("device")};
  origin.recipe_parameters = reader.at("recipe_parameters");
  return origin;
}

}  // namespace

IndexOrigin IndexOrigin::from_provenance(const Json& provenance) {
  const auto text = [&](const char* key) { return provenance.value(key, std::string()); };
  IndexOrigin origin{text("model"), text("weights_sha256"), text("recipe"), text("precision"),
                     text("device")};
  origin.recipe_parameters = provenance.value("recipe_parameters", Json::object());
  return origin;
}

void IndexOrigin::check_fits(const IndexOrigin& other, const std::string& index) const {
  if (weights_sha256 != other.weights_sha256)
    fail(ErrorCode::kModel,
         "{}: holds vectors of the model '{}' with weights {:.12}…; this is '{}' with weights "
         "{:.12}…. "
         "Vectors of two models do not compare: give --model as it was, or build a new index.",
         index, model, weights_sha256, other.model, other.weights_sha256);
  // Compared as sorted JSON: the order of parameters does not matter.
  const bool same = nlohmann::json(recipe_parameters) == nlohmann::json(other.recipe_parameters);
  if (recipe != other.recipe || !same)
    fail(ErrorCode::kModel,
         "{}: holds vectors of the recipe {} {}; this run uses {} {}. Give --recipe as it was, or "
         "build a "
         "new index.",
         index, recipe, dump_json(recipe_parameters), other.recipe,
         dump_json(other.recipe_parameters));
}

IndexHeader IndexHeader::parse(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  const Reader reader(json, where);
  if (reader.text("format") != "vesalius-index") reader.bad("'format' is not \"vesalius-index\"");
  if (reader.number("version", 0, INT64_MAX) != kVersion)
    fail(ErrorCode::kUnsupported,
         "{}: is an index of version {}; this program reads version {}. Use the program that wrote "
         "it, or "
         "build it again.",
         where, dump_json(reader.at("version")), kVersion);
  IndexHeader header{read_origin(reader), reader.number("dimension", 1, kMaxDimension),
                     reader.number("count", 0, kMaxRows)};
  if (!reader.at("segments").is_array()) reader.bad("'segments' is not a list");
  int64_t rows = 0;
  for (const auto& segment : reader.at("segments")) {
    header.segments.push_back(read_segment(segment, where));
    rows += header.segments.back().count;
    if (rows > header.count) reader.bad("the segments have more rows than 'count' says");
  }
  if (rows != header.count) reader.bad("the segments have fewer rows than 'count' says");
  return header;
}

Json IndexHeader::to_json() const {
  Json list = Json::array();
  for (const auto& segment : segments)
    list.push_back({{"vectors", segment.vectors},
                    {"entries", segment.entries},
                    {"count", segment.count},
                    {"vectors_sha256", segment.vectors_sha256},
                    {"entries_sha256", segment.entries_sha256}});
  return {{"format", "vesalius-index"},
          {"version", kVersion},
          {"dimension", dimension},
          {"count", count},
          {"model", origin.model},
          {"weights_sha256", origin.weights_sha256},
          {"recipe", origin.recipe},
          {"recipe_parameters", origin.recipe_parameters},
          {"precision", origin.precision},
          {"device", origin.device},
          {"program", std::string("vesalius ") + vesalius::version()},
          {"research_use_only", true},
          {"segments", std::move(list)}};
}

}  // namespace vesalius::tasks
