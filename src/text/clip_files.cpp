#include "text/clip_files.h"

#include <algorithm>
#include <unordered_set>

#include "base/json.h"

namespace vesalius::text {

namespace {

std::string version_line(const fs::path& path, std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (!line.starts_with("#version")) {
    fail(ErrorCode::kModel, "{}: the first line must say '#version'; is this merges.txt?",
         path.string());
  }
  return std::string(line);
}

std::pair<std::string, std::string> parse_merge(std::string_view line, const fs::path& path,
                                                size_t number) {
  const size_t space = line.find(' ');
  const bool two = space != std::string_view::npos && space > 0 && space + 1 < line.size() &&
                   line.find(' ', space + 1) == std::string_view::npos;
  if (!two) {
    fail(ErrorCode::kModel, "{}: line {} is not two tokens with a space between", path.string(),
         number);
  }
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

Json special_token(const char* content, bool typed) {
  Json token = {{"content", content}, {"single_word", false}, {"lstrip", false},
                {"rstrip", false},    {"normalized", true},   {"special", false}};
  if (typed) token["__type"] = "AddedToken";
  return token;
}

Json special_tokens() {
  return {{"bos_token", special_token(kBeginToken, false)},
          {"eos_token", special_token(kEndToken, false)},
          {"unk_token", special_token(kEndToken, false)},
          {"pad_token", kEndToken}};
}

Json tokenizer_config() {
  return {{"errors", "replace"},
          {"unk_token", special_token(kEndToken, true)},
          {"bos_token", special_token(kBeginToken, true)},
          {"eos_token", special_token(kEndToken, true)},
          {"pad_token", kEndToken},
          {"add_prefix_space", false},
          {"do_lower_case", true},
          {"model_max_length", 77},
          {"tokenizer_class", "CLIPTokenizer"}};
}

}  // namespace

Merges read_merges(const fs::path& path) {
  const std::string text = read_text(path);
  size_t at = version_line(path, text).size();
  Merges merges;
  for (size_t number = 2; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at + 1), text.size());
    const std::string_view line = std::string_view(text).substr(at + 1, end - at - 1);
    at = end;
    if (line.empty() && at + 1 >= text.size()) break;
    merges.push_back(parse_merge(line, path, number));
  }
  return merges;
}

Vocabulary read_vocabulary(const fs::path& path) {
  // Not read_json: a file that is no JSON is the model's error here, not the input's.
  const auto json = nlohmann::json::parse(read_text(path), nullptr, false);
  if (!json.is_object() || json.empty()) {
    fail(ErrorCode::kModel, "{} is not an object of tokens and ids", path.string());
  }
  Vocabulary vocabulary;
  std::unordered_set<int32_t> taken;
  for (const auto& [token, id] : json.items()) {
    const bool fits = id.is_number_unsigned() && id.get<uint64_t>() < (uint64_t{1} << 24);
    if (!fits || !taken.insert(id.get<int32_t>()).second) {
      fail(ErrorCode::kModel,
           "{}: token '{}' has the id {}, which is not a free, small, whole number", path.string(),
           token, dump_json(id));
    }
    vocabulary[token] = id.get<int32_t>();
  }
  return vocabulary;
}

Vocabulary vocabulary_of(const Merges& merges) {
  Vocabulary vocabulary;
  const auto add = [&](const std::string& token) {
    vocabulary.emplace(token, static_cast<int32_t>(vocabulary.size()));
  };
  for (const ByteLetter& letter : byte_letters()) add(letter.letter);
  for (const ByteLetter& letter : byte_letters()) add(letter.letter + std::string(kEndOfWord));
  for (const auto& [left, right] : merges) add(left + right);
  add(kBeginToken);
  add(kEndToken);
  return vocabulary;
}

void write_clip_tokenizer(const fs::path& folder, const fs::path& merges_path) {
  const Vocabulary vocabulary = vocabulary_of(read_merges(merges_path));
  std::vector<std::pair<int32_t, std::string>> ordered;
  for (const auto& [token, id] : vocabulary) ordered.emplace_back(id, token);
  std::sort(ordered.begin(), ordered.end());
  // ordered_json looks keys up one by one; this many go into a list of pairs first.
  std::string text = "{";
  for (const auto& [id, token] : ordered) {
    text += fmt::format("{}\n  {}: {}", id == 0 ? "" : ",", dump_json(token), id);
  }
  std::error_code made;
  fs::create_directories(folder, made);
  if (made)
    fail(ErrorCode::kFailed, "cannot make the folder {}: {}", folder.string(), made.message());
  write_file(folder / "vocab.json", text + "\n}\n");
  write_file(folder / "merges.txt", read_text(merges_path));
  write_file(folder / "special_tokens_map.json", dump_json(special_tokens(), 2) + "\n");
  write_file(folder / "tokenizer_config.json", dump_json(tokenizer_config(), 2) + "\n");
}

}  // namespace vesalius::text
