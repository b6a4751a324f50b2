#include "text/tokenizer_file.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace vesalius::text {

namespace {

Json added_token(int32_t id, const NewToken& token) {
  return {
      {"id", id},        {"content", token.content}, {"single_word", false},    {"lstrip", false},
      {"rstrip", false}, {"normalized", false},      {"special", token.special}};
}

Json replacing(const char* what, const char* by) {
  return {{"type", "Replace"}, {"pattern", {{"String", what}}}, {"content", by}};
}

Json normalizer() {
  Json steps = Json::array({{{"type", "Prepend"}, {"prepend", "\u2581"}}});
  steps.push_back(replacing(" ", "\u2581"));
  return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

Json template_piece(const char* kind, const char* id, int type) {
  return {{kind, {{"id", id}, {"type_id", type}}}};
}

Json post_processor(int32_t begin) {
  Json single = Json::array({template_piece("SpecialToken", kBeginPiece, 0)});
  single.push_back(template_piece("Sequence", "A", 0));
  Json pair = single;
  pair.push_back(template_piece("SpecialToken", kBeginPiece, 1));
  pair.push_back(template_piece("Sequence", "B", 1));
  Json ids = Json::array({begin}), tokens = Json::array({kBeginPiece});
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens",
           {{kBeginPiece,
             {{"id", kBeginPiece}, {"ids", std::move(ids)}, {"tokens", std::move(tokens)}}}}}};
}

Json decoder() {
  Json steps = Json::array({replacing("\u2581", " ")});
  steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

Json model(const std::vector<std::string>& pieces, const Merges& merges) {
  // Not by keys: ordered_json would look each up among all before it.
  Json::object_t vocabulary;
  vocabulary.reserve(pieces.size());
  for (size_t id = 0; id < pieces.size(); ++id) vocabulary.emplace_back(pieces[id], id);
  Json pairs = Json::array();
  for (const auto& [left, right] : merges) pairs.push_back(left + " " + right);
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", kUnknownPiece},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", true},
          {"byte_fallback", true},
          {"ignore_merges", false},
          {"vocab", Json(std::move(vocabulary))},
          {"merges", std::move(pairs)}};
}

}  // namespace

Json tokenizer_file(const std::vector<std::string>& pieces, const Merges& merges,
                    const std::vector<NewToken>& added) {
  const auto id_of = [&](const std::string& piece) {
    return static_cast<int32_t>(std::ranges::find(pieces, piece) - pieces.begin());
  };
  Json tokens = Json::array();
  for (const char* control : {kUnknownPiece, kBeginPiece, kEndPiece})
    tokens.push_back(added_token(id_of(control), {control, true}));
  auto next = static_cast<int32_t>(pieces.size());
  for (const NewToken& token : added) tokens.push_back(added_token(next++, token));
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(tokens)},
          {"normalizer", normalizer()},
          {"pre_tokenizer", nullptr},
          {"post_processor", post_processor(id_of(kBeginPiece))},
          {"decoder", decoder()},
          {"model", model(pieces, merges)}};
}

Json padded_tokenizer(Json tokenizer, int32_t base_size) {
  auto& vocabulary = tokenizer["model"]["vocab"].get_ref<Json::object_t&>();
  const auto before = static_cast<int32_t>(vocabulary.size());
  if (base_size < before)
    fail(ErrorCode::kUsage, "a vocabulary of {} tokens cannot be made one of {}", before,
         base_size);
  std::unordered_set<std::string> taken;
  for (const auto& [token, id] : vocabulary) taken.insert(token);
  for (Json& token : tokenizer["added_tokens"]) {
    taken.insert(token["content"].get<std::string>());
    const auto id = token["id"].get<int32_t>();
    if (id >= before) token["id"] = id - before + base_size;
  }
  vocabulary.reserve(static_cast<size_t>(base_size));
  // No merge makes them, and of characters none is that long.
  for (int32_t number = 0; static_cast<int32_t>(vocabulary.size()) < base_size; ++number) {
    std::string filler = fmt::format("<filler_{}>", number);
    if (!taken.contains(filler)) vocabulary.emplace_back(std::move(filler), vocabulary.size());
  }
  return tokenizer;
}

std::vector<NewToken> maira2_added_tokens() {
  std::vector<NewToken> tokens{{"<obj>"}, {"</obj>"}};
  for (const char axis : {'x', 'y'})
    for (int bin = 0; bin < 100; ++bin) tokens.push_back({fmt::format("<{}{}>", axis, bin)});
  for (const char* token : {"<box>", "</box>"}) tokens.push_back({token});
  tokens.push_back({"<image>", true});
  for (const char* token : {"<prev_im>", "<lat_image>"}) tokens.push_back({token});
  return tokens;
}

}  // namespace vesalius::text
