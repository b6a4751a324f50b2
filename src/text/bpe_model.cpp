#include "text/bpe_model.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr std::string_view kSpace = "\u2581";  // SentencePiece's sign
constexpr size_t kLongestKept = 64;            // bytes of a word worth remembering

Vocabulary read_vocabulary(const JsonPart& part) {
  if (!part.json().is_object() || part.json().empty()) part.refuse("is not an object of tokens");
  Vocabulary vocabulary;
  std::unordered_set<int32_t> taken;
  vocabulary.reserve(part.json().size());
  for (const auto& [token, id] : part.json().items()) {
    const int32_t number = JsonPart(id, part.where() + "['" + token + "']").count();
    if (!taken.insert(number).second) part.refuse(fmt::format("gives the id {} twice", number));
    vocabulary.emplace(token, number);
  }
  return vocabulary;
}

// "left right", or a list of the two.
std::pair<std::string, std::string> merge_of(const Json& merge, const JsonPart& merges) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos)
      return {text.substr(0, space), text.substr(space + 1)};
  }
  merges.refuse("has an entry that is not two tokens: " + dump_json(merge));
}

void refuse_unless_empty(const JsonPart& part) {
  const bool empty = part.is_null() || part.json() == Json("") || part.json() == Json(0.0);
  if (!empty) part.refuse("is not supported");
}

/// The beginning of the next word: a sign of space behind another character.
size_t word_end(std::string_view text, size_t from) {
  size_t at = text.find(kSpace, from);
  while (at != std::string_view::npos && (at == 0 || text.substr(0, at).ends_with(kSpace)))
    at = text.find(kSpace, at + kSpace.size());
  return std::min(at, text.size());
}

}  // namespace

BpeModel::BpeModel(const JsonPart& model)
    : unknown_token_(model["unk_token"].text("")),
      has_unknown_(!model["unk_token"].is_null()),
      fuse_unknown_(model["fuse_unk"].flag(false)),
      byte_fallback_(model["byte_fallback"].flag(false)),
      ignore_merges_(model["ignore_merges"].flag(false)) {
  // Older files leave the type out.
  if (model["type"].text("BPE") != "BPE") model["type"].refuse("is not BPE");
  for (const char* absent : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    refuse_unless_empty(model[absent]);
  vocabulary_ = read_vocabulary(model["vocab"]);
  read_merges(model["merges"]);
  find_bytes();
}

void BpeModel::read_merges(const JsonPart& merges) {
  if (!merges.json().is_array()) merges.refuse("is not a list");
  const auto id_of = [&](const std::string& token) {
    const auto found = vocabulary_.find(token);
    if (found == vocabulary_.end())
      merges.refuse("needs the token '" + token + "', which the vocabulary does not have");
    return found->second;
  };
  words_apart_ = vocabulary_.contains(std::string(kSpace));
  for (const Json& merge : merges.json()) {
    const auto [left, right] = merge_of(merge, merges);
    const std::string merged = left + right;
    const int32_t first = id_of(left), second = id_of(right);
    merges_.add(first, second, id_of(merged));
    words_apart_ = words_apart_ && word_end(merged, 0) == merged.size();
  }
}

void BpeModel::find_bytes() {
  for (size_t byte = 0; byte < bytes_.size(); ++byte) {
    const auto found = vocabulary_.find(fmt::format("<0x{:02X}>", byte));
    bytes_[byte] = found == vocabulary_.end() ? -1 : found->second;
  }
}

int32_t BpeModel::unknown() const {
  const auto found = vocabulary_.find(unknown_token_);
  if (found == vocabulary_.end())
    fail(ErrorCode::kModel,
         "the tokenizer's unknown token '{}' is not in its vocabulary, and this text needs it",
         unknown_token_);
  return found->second;
}

bool BpeModel::append_bytes(std::string_view character, std::vector<int32_t>& ids) const {
  const auto id_of = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)]; };
  if (!std::ranges::all_of(character, [&](char byte) { return id_of(byte) >= 0; })) return false;
  for (const char byte : character) ids.push_back(id_of(byte));
  return true;
}

std::vector<int32_t> BpeModel::characters(std::string_view word) const {
  std::vector<int32_t> ids;
  // An unknown token waits: the reference puts bytes that follow it before it.
  bool waiting = false;
  const auto put_unknown = [&] {
    if (waiting) ids.push_back(unknown());
  };
  for (size_t at = 0; at < word.size();) {
    const size_t length = utf8_step(word, at).length;
    const std::string character(word.substr(at, length));
    at += length;
    const auto found = vocabulary_.find(character);
    if (found != vocabulary_.end()) {
      put_unknown();
      waiting = false;
      ids.push_back(found->second);
    } else if (!(byte_fallback_ && append_bytes(character, ids)) && has_unknown_) {
      if (!fuse_unknown_) put_unknown();
      waiting = true;
    }
  }
  put_unknown();
  return ids;
}

void BpeModel::encode_word(std::string_view word, Words& words, std::vector<int32_t>& ids) const {
  const auto encoded = [&] {
    std::vector<int32_t> made = characters(word);
    merges_.apply(made);
    return made;
  };
  if (word.size() > kLongestKept) {
    const std::vector<int32_t> made = encoded();
    ids.insert(ids.end(), made.begin(), made.end());
    return;
  }
  const auto [entry, fresh] = words.try_emplace(std::string(word));
  if (fresh) entry->second = encoded();
  ids.insert(ids.end(), entry->second.begin(), entry->second.end());
}

void BpeModel::encode(std::string_view piece, Words& words, std::vector<int32_t>& ids) const {
  if (ignore_merges_) {
    const auto whole = vocabulary_.find(std::string(piece));
    if (whole != vocabulary_.end()) return ids.push_back(whole->second);
  }
  if (!words_apart_) return encode_word(piece, words, ids);
  for (size_t at = 0; at < piece.size();) {
    const size_t end = word_end(piece, at + 1);
    encode_word(piece.substr(at, end - at), words, ids);
    at = end;
  }
}

}  // namespace vesalius::text
