#include "text/added_tokens.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr size_t kLongestToken = 1024;  // bytes; a longer one is not a control token

AddedToken parse_token(const JsonPart& part) {
  AddedToken token;
  token.content = part["content"].text();
  token.id = part["id"].count();
  token.special = part["special"].flag(false);
  token.normalized = part["normalized"].flag(!token.special);
  token.single_word = part["single_word"].flag(false);
  token.lstrip = part["lstrip"].flag(false);
  token.rstrip = part["rstrip"].flag(false);
  if (token.content.empty() || token.content.size() > kLongestToken)
    part.refuse(fmt::format("has {} bytes of content", token.content.size()));
  return token;
}

size_t character_before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

// No letter, digit or the like on either side.
bool stands_alone(std::string_view text, size_t begin, size_t end) {
  const bool before = begin > 0 && is_word(utf8_step(text, character_before(text, begin)).code);
  const bool behind = end < text.size() && is_word(utf8_step(text, end).code);
  return !before && !behind;
}

size_t left_of_space(std::string_view text, size_t at, size_t least) {
  while (at > least) {
    const size_t before = character_before(text, at);
    if (before < least || !is_white_space(utf8_step(text, before).code)) break;
    at = before;
  }
  return at;
}

size_t right_of_space(std::string_view text, size_t at) {
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text, at);
    if (!is_white_space(step.code)) break;
    at += step.length;
  }
  return at;
}

}  // namespace

AddedTokens::AddedTokens(const JsonPart& list, const Vocabulary& vocabulary,
                         const Normalizer& normalizer) {
  if (list.is_null()) return;
  auto next_id = static_cast<int32_t>(vocabulary.size());
  std::unordered_set<std::string> seen;
  for (const JsonPart& item : list.items()) {
    AddedToken token = parse_token(item);
    const auto base = vocabulary.find(token.content);
    const int32_t id = base == vocabulary.end() ? next_id++ : base->second;
    if (id != token.id)
      item.refuse(fmt::format("gives '{}' the id {}, but its place gives it {}", token.content,
                              token.id, id));
    if (!seen.insert(token.content).second)
      item.refuse("adds '" + token.content + "' a second time");
    tokens_.push_back(std::move(token));
  }
  for (size_t i = 0; i < tokens_.size(); ++i) {
    MarkedText sought = marked(tokens_[i].content, {});
    if (tokens_[i].normalized) normalizer.apply(sought);
    tokens_[i].sought = std::move(sought.text);
    grow(tokens_[i].normalized ? normalized_ : raw_, tokens_[i].sought, static_cast<int32_t>(i));
  }
}

void AddedTokens::grow(Tree& tree, const std::string& content, int32_t token) {
  if (content.empty()) return;
  size_t node = 0;
  for (const char byte : content) {
    const auto [found, made] = tree[node].next.emplace(byte, static_cast<int32_t>(tree.size()));
    node = static_cast<size_t>(found->second);
    if (made) tree.emplace_back();
  }
  if (tree[node].token < 0) tree[node].token = token;
}

AddedTokens::Found AddedTokens::next(const Tree& tree, const MarkedText& text, size_t from) const {
  for (size_t begin = from; begin < text.text.size(); ++begin) {
    Found longest;
    size_t node = 0;
    for (size_t at = begin; at < text.text.size() && (text.marks[at] & kUser) == 0; ++at) {
      const auto found = tree[node].next.find(text.text[at]);
      if (found == tree[node].next.end()) break;
      node = static_cast<size_t>(found->second);
      if (tree[node].token >= 0) longest = {&tokens_[tree[node].token], begin, at + 1};
    }
    if (longest.token) return longest;
  }
  return {};
}

std::vector<Section> AddedTokens::split(const MarkedText& text, bool normalized) const {
  std::vector<Section> out;
  const std::string_view bytes = text.text;
  size_t done = 0;
  const auto text_until = [&](size_t end) {
    if (done < end) out.push_back({text.cut(done, end)});
  };
  const Tree& tree = normalized ? normalized_ : raw_;
  for (Found found = next(tree, text, 0); found.token; found = next(tree, text, found.end)) {
    const AddedToken& token = *found.token;
    if (token.single_word && !stands_alone(bytes, found.begin, found.end)) continue;
    // The space that a token takes along may have gone to the token before it.
    text_until(token.lstrip ? left_of_space(bytes, found.begin, done) : found.begin);
    out.push_back({{}, &token});
    done = std::max(done, found.end);
    if (token.rstrip) done = right_of_space(bytes, done);
  }
  text_until(bytes.size());
  return out;
}

}  // namespace vesalius::text
