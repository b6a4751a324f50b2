#include "text/clip_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/bpe.h"
#include "text/clip_files.h"
#include "text/clip_words.h"
#include "text/text_cleanup.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

// The 75 tokens that a model sees come from a few hundred characters; what is far behind them is
// not read, so that no input, however long, costs more than milliseconds.
constexpr size_t kMostCharacters = 1 << 13;

int32_t special_id(const Vocabulary& vocabulary, const char* token, const fs::path& folder) {
  const auto found = vocabulary.find(token);
  if (found == vocabulary.end()) {
    fail(ErrorCode::kModel, "{}: vocab.json has no token '{}'; this is not a CLIP tokenizer",
         folder.string(), token);
  }
  return found->second;
}

}  // namespace

struct ClipTokenizer::State {
  Bpe bpe;
  int32_t begin, end, size;

  // A piece of the text between special tokens.
  void encode(std::u32string_view text, size_t most, std::vector<int32_t>& ids) const {
    const std::u32string cleaned = clean_text(text);
    for (const std::u32string_view word : clip_words(cleaned)) {
      if (ids.size() >= most) return;
      if (word == U"<|startoftext|>" || word == U"<|endoftext|>") {
        ids.push_back(word[2] == U's' ? begin : end);
      } else {
        bpe.encode_word(to_utf8(word), ids);
      }
    }
  }
};

ClipTokenizer::ClipTokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClipTokenizer::ClipTokenizer(ClipTokenizer&&) noexcept = default;
ClipTokenizer& ClipTokenizer::operator=(ClipTokenizer&&) noexcept = default;
ClipTokenizer::~ClipTokenizer() = default;

ClipTokenizer ClipTokenizer::make(const Vocabulary& vocabulary, const Merges& merges,
                                  const fs::path& source) {
  const int32_t begin = special_id(vocabulary, kBeginToken, source);
  const int32_t end = special_id(vocabulary, kEndToken, source);
  return ClipTokenizer(
      std::make_unique<State>(State{Bpe(vocabulary, merges, source.string()), begin, end,
                                    static_cast<int32_t>(vocabulary.size())}));
}

ClipTokenizer ClipTokenizer::load(const fs::path& folder) {
  return make(read_vocabulary(folder / "vocab.json"), read_merges(folder / "merges.txt"), folder);
}

ClipTokenizer ClipTokenizer::of_merges(const fs::path& path) {
  const Merges merges = read_merges(path);
  return make(vocabulary_of(merges), merges, path);
}

std::vector<int32_t> ClipTokenizer::encode(std::string_view text, int context) const {
  if (context < 2)
    fail(ErrorCode::kUsage, "a context of {} tokens has no room for begin and end", context);
  std::u32string characters = from_utf8(text.substr(0, 4 * kMostCharacters));
  characters.resize(std::min(characters.size(), kMostCharacters));
  const auto most = static_cast<size_t>(context) - 1;
  std::vector<int32_t> ids = {state_->begin};
  // Special tokens written out are cut off before the clean-up, as the reference cuts them.
  std::u32string_view rest = characters;
  while (!rest.empty() && ids.size() < most) {
    const size_t begin = rest.find(U"<|startoftext|>"), end = rest.find(U"<|endoftext|>");
    const size_t next = std::min(begin, end);
    state_->encode(rest.substr(0, next), most, ids);
    if (next == std::u32string_view::npos) break;
    ids.push_back(next == begin ? state_->begin : state_->end);
    rest.remove_prefix(next + (next == begin ? 15 : 13));
  }
  ids.resize(std::min(ids.size(), most));
  ids.push_back(state_->end);
  return ids;
}

int32_t ClipTokenizer::begin() const { return state_->begin; }
int32_t ClipTokenizer::end() const { return state_->end; }
int32_t ClipTokenizer::vocabulary() const { return state_->size; }

}  // namespace vesalius::text
