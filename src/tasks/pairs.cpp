#include "tasks/pairs.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

std::vector<std::string> split_texts(const std::string& joined) {
  std::vector<std::string> texts;
  for (size_t start = 0; start <= joined.size();) {
    const size_t end = std::min(joined.find('|', start), joined.size());
    if (end > start) texts.push_back(joined.substr(start, end - start));
    start = end + 1;
  }
  return texts;
}

/// The lines of a mapped file, without their ends.
std::vector<std::string_view> lines_of(const MappedFile& file) {
  const std::string_view all(reinterpret_cast<const char*>(file.bytes().data()),
                             file.bytes().size());
  std::vector<std::string_view> lines;
  for (size_t start = 0; start < all.size();) {
    const size_t end = std::min(all.find('\n', start), all.size());
    auto line = all.substr(start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    start = end + 1;
  }
  return lines;
}

/// "name TAB rest".
std::pair<std::string, std::string_view> split_row(std::string_view line, const fs::path& file,
                                                   size_t number) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos)
    fail(ErrorCode::kUnsupported, "{}: line {} has no tab. Rows are: name, tab, content.",
         file.string(), number);
  return {std::string(line.substr(0, tab)), line.substr(tab + 1)};
}

std::string text_of(std::string_view json, const fs::path& file, size_t number) {
  const Json row = parse_json(json, fmt::format("{}: line {}", file.string(), number));
  for (const char* key : {"class_name", "caption", "text"})
    if (row.contains(key) && row[key].is_string() && row[key] != "")
      return row[key].get<std::string>();
  fail(ErrorCode::kUnsupported, "{}: line {} has neither class_name nor caption.", file.string(),
       number);
}

std::vector<uint8_t> decode_base64(Bytes encoded, const std::string& where) {
  std::vector<uint8_t> bytes(encoded.size() / 4 * 3 + 3);
  const int size = EVP_DecodeBlock(bytes.data(), encoded.data(), static_cast<int>(encoded.size()));
  if (size < 0) fail(ErrorCode::kUnsupported, "{}: the image is not valid base64.", where);
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

}  // namespace

PairSet read_pairs(const fs::path& manifest) {
  PairSet set;
  size_t number = 0;
  for (const Json& row : read_manifest(manifest)) {
    ++number;
    const std::string path = column_text(row, "path"), text = column_text(row, "text");
    auto texts =
        text.empty() ? split_texts(column_text(row, "texts")) : std::vector<std::string>{text};
    if (path.empty() || texts.empty())
      fail(ErrorCode::kUnsupported, "{}: row {} lacks {}. Columns are path, and text or texts.",
           manifest.string(), number, path.empty() ? "a path" : "a text");
    set.pairs.push_back({beside(manifest, path).string(), std::move(texts), {}});
  }
  if (set.pairs.empty()) fail(ErrorCode::kUnsupported, "{}: has no rows.", manifest.string());
  return set;
}

PairSet read_pair_tsv(const fs::path& images, const fs::path& texts) {
  const auto text_file = MappedFile::open(texts);
  PairSet set{.pairs = {}, .source = MappedFile::open(images)};
  const auto image_rows = lines_of(*set.source), text_rows = lines_of(*text_file);
  if (image_rows.size() != text_rows.size() || image_rows.empty())
    fail(ErrorCode::kUnsupported,
         "{} has {} rows and {} has {}; every image needs its row of text.", images.string(),
         image_rows.size(), texts.string(), text_rows.size());
  for (size_t i = 0; i < image_rows.size(); ++i) {
    const auto [name, encoded] = split_row(image_rows[i], images, i + 1);
    const auto [text_name, json] = split_row(text_rows[i], texts, i + 1);
    if (name != text_name)
      fail(ErrorCode::kUnsupported,
           "row {}: {} names '{}', {} names '{}'. Both files must list the same names in the "
           "same order.",
           i + 1, images.string(), name, texts.string(), text_name);
    set.pairs.push_back({name,
                         {text_of(json, texts, i + 1)},
                         Bytes(reinterpret_cast<const uint8_t*>(encoded.data()), encoded.size())});
  }
  return set;
}

media::Image load_pair(const Pair& pair, const recipes::Recipe& recipe, int size) {
  const auto bytes =
      pair.encoded.empty() ? read_file(pair.path) : decode_base64(pair.encoded, pair.path);
  recipes::ModelInput input;
  input.size = size;
  auto prepared = recipes::prepare(recipe, input, bytes, pair.path);
  return {
      .width = size, .height = size, .mode = media::Mode::kRgb, .data = std::move(prepared.rgb)};
}

}  // namespace vesalius::tasks
