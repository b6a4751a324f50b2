#include "text/tokenizer.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "text/added_tokens.h"
#include "text/bpe_model.h"
#include "text/marked_text.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/token_decoder.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

namespace {

// What is no JSON at all is the model's error here, not the input's.
Json read_model_json(const fs::path& path) try {
  return read_json(path);
} catch (const Error& error) {
  throw Error(ErrorCode::kModel, error.what());
}

}  // namespace

// "truncation" and "padding" of the file are not read: they are what whoever saved it had set last,
// and the reference sets them anew for each call.
struct Tokenizer::State {
  explicit State(const JsonPart& file)
      : model(file["model"]),
        normalizer(Normalizer::parse(file["normalizer"])),
        added(file["added_tokens"], model.vocabulary(), normalizer),
        pre_tokenizer(PreTokenizer::parse(file["pre_tokenizer"])),
        post_processor(PostProcessor::parse(file["post_processor"])),
        decoder(TokenDecoder::parse(file["decoder"])) {
    for (const auto& [token, id] : model.vocabulary()) name(id, token);
    for (const AddedToken& token : added.all()) {
      name(token.id, token.content);
      ids.emplace(token.content, token.id);
      added_by_id.emplace(token.id, &token);
    }
    for (const int32_t id : post_processor.apply({}, true))
      if (!spelled(id))
        file["post_processor"].refuse(
            fmt::format("puts the token {}, which the vocabulary does not have", id));
  }

  void name(int32_t id, const std::string& token) {
    if (static_cast<size_t>(id) >= tokens.size()) tokens.resize(static_cast<size_t>(id) + 1);
    tokens[static_cast<size_t>(id)] = &token;
  }

  const std::string* spelled(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < tokens.size() ? tokens[static_cast<size_t>(id)]
                                                              : nullptr;
  }

  void encode_section(const MarkedText& section, BpeModel::Words& words,
                      std::vector<int32_t>& out) const {
    const bool first = !section.marks.empty() && (section.marks[0] & kFirst) != 0;
    for (const Piece& piece : pre_tokenizer.apply({section.text, first}))
      model.encode(piece.text, words, out);
  }

  std::vector<int32_t> encode(const MarkedText& text) const {
    std::vector<int32_t> out;
    BpeModel::Words words;
    for (Section& section : added.split(text, false)) {
      if (section.token) {
        out.push_back(section.token->id);
        continue;
      }
      normalizer.apply(section.text);
      for (const Section& part : added.split(section.text, true)) {
        if (part.token)
          out.push_back(part.token->id);
        else
          encode_section(part.text, words, out);
      }
    }
    return out;
  }

  BpeModel model;
  Normalizer normalizer;
  AddedTokens added;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  TokenDecoder decoder;
  std::vector<const std::string*> tokens;  // by id; null for none
  Vocabulary ids;                          // of added tokens
  std::unordered_map<int32_t, const AddedToken*> added_by_id;
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const fs::path& tokenizer_json) {
  const Json json = read_model_json(tokenizer_json);
  return Tokenizer(
      std::make_unique<State>(JsonPart(json, tokenizer_json.string() + ": tokenizer")));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return state_->post_processor.apply(state_->encode(marked(text, options.plain)), options.special);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) {
    const std::string* spelled = state_->spelled(id);
    if (!spelled)
      fail(ErrorCode::kModel,
           "there is no token {} in a vocabulary of {}; do the weights and the tokenizer belong "
           "together?",
           id, size());
    const auto added = state_->added_by_id.find(id);
    if (added == state_->added_by_id.end())
      tokens.push_back(*spelled);
    else if (!skip_special || !added->second->special)
      tokens.push_back(added->second->sought);
  }
  return state_->decoder.apply(std::move(tokens));
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const std::string key(token);
  const Vocabulary& base = state_->model.vocabulary();
  if (const auto added = state_->ids.find(key); added != state_->ids.end()) return added->second;
  if (const auto found = base.find(key); found != base.end()) return found->second;
  return {};
}

std::string_view Tokenizer::token(int32_t id) const {
  const std::string* spelled = state_->spelled(id);
  return spelled ? std::string_view(*spelled) : std::string_view();
}

int32_t Tokenizer::size() const { return static_cast<int32_t>(state_->tokens.size()); }

}  // namespace vesalius::text
