#include "text/bpe_trainer.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>
#include <utility>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr char32_t kSpace = U'\u2581';

using Pair = std::pair<int32_t, int32_t>;

/// A piece of text that is merged within itself, and how often it occurs.
struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

enum class Class { kSpace, kLetter, kDigit, kOther };

Class class_of(char32_t c) {
  if (c == kSpace) return Class::kSpace;
  if (is_letter(c)) return Class::kLetter;
  return is_number(c) ? Class::kDigit : Class::kOther;
}

bool belongs_together(char32_t left, char32_t right) {
  const Class a = class_of(left), b = class_of(right);
  if (b == Class::kSpace) return a == Class::kSpace;
  if (a == Class::kDigit || b == Class::kDigit) return false;
  return a == Class::kSpace || a == b;
}

std::map<std::u32string, int64_t> count_words(const std::vector<std::string>& lines) {
  std::map<std::u32string, int64_t> counts;
  for (const std::string& line : lines) {
    std::u32string text = U"\u2581" + from_utf8(line);
    std::ranges::replace(text, U' ', kSpace);
    if (text.size() == 1) continue;
    size_t begin = 0;
    for (size_t at = 1; at <= text.size(); ++at) {
      if (at < text.size() && belongs_together(text[at - 1], text[at])) continue;
      ++counts[text.substr(begin, at - begin)];
      begin = at;
    }
  }
  return counts;
}

/// The commonest characters that make up `coverage` of all, the sign of a space among them.
std::vector<char32_t> alphabet(const std::map<std::u32string, int64_t>& words, double coverage) {
  std::map<char32_t, int64_t> counts;
  int64_t total = 0;
  for (const auto& [word, count] : words) {
    for (const char32_t c : word) counts[c] += count;
    total += count * static_cast<int64_t>(word.size());
  }
  std::vector<std::pair<int64_t, char32_t>> ordered{{0, kSpace}};
  for (const auto& [c, count] : counts)
    if (c != kSpace) ordered.emplace_back(-count, c);
  std::sort(ordered.begin() + 1, ordered.end());
  std::vector<char32_t> out;
  int64_t covered = counts[kSpace];
  for (const auto& [less, c] : ordered) {
    if (!out.empty() && static_cast<double>(covered) >= coverage * static_cast<double>(total))
      break;
    out.push_back(c);
    covered -= less;
  }
  return out;
}

class Trainer {
 public:
  Trainer(const std::vector<std::string>& lines, const TokenizerPlan& plan) {
    const auto words = count_words(lines);
    pieces_ = {kUnknownPiece, kBeginPiece, kEndPiece};
    for (int byte = 0; byte < 256; ++byte) pieces_.push_back(fmt::format("<0x{:02X}>", byte));
    std::unordered_map<char32_t, int32_t> ids;
    for (const char32_t c : alphabet(words, plan.coverage)) {
      ids[c] = static_cast<int32_t>(pieces_.size());
      pieces_.push_back(to_utf8({&c, 1}));
    }
    if (static_cast<int64_t>(pieces_.size()) > plan.vocabulary_size)
      fail(ErrorCode::kUsage,
           "a vocabulary of {} tokens has no room for 3 control tokens, 256 bytes and {} "
           "characters; give it at least {}",
           plan.vocabulary_size, ids.size(), pieces_.size());
    for (size_t id = 0; id < pieces_.size(); ++id) known_[pieces_[id]] = static_cast<int32_t>(id);
    for (const auto& [word, count] : words) add_word(word, count, ids);
  }

  void learn(int32_t size) {
    for (const auto& [pair, places] : places_) offer(pair);
    while (static_cast<int64_t>(pieces_.size()) < size && !queue_.empty()) {
      const auto [count, less] = queue_.top();
      queue_.pop();
      const Pair pair{-less.first, -less.second};
      // Counts change after they were offered; the true one is in the queue too.
      if (count == counts_[pair] && count > 1) merge(pair);
    }
  }

  Json file(const std::vector<NewToken>& added) const {
    return tokenizer_file(pieces_, merges_, added);
  }

 private:
  // A character without a token ends what may be merged.
  void add_word(const std::u32string& word, int64_t count,
                const std::unordered_map<char32_t, int32_t>& ids) {
    std::vector<int32_t> run;
    const auto finish = [&] {
      if (run.size() > 1) add_run(std::move(run), count);
      run.clear();
    };
    for (const char32_t c : word) {
      const auto found = ids.find(c);
      if (found == ids.end())
        finish();
      else
        run.push_back(found->second);
    }
    finish();
  }

  void add_run(std::vector<int32_t> ids, int64_t count) {
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      counts_[{ids[i], ids[i + 1]}] += count;
      places_[{ids[i], ids[i + 1]}].insert(words_.size());
    }
    words_.push_back({std::move(ids), count});
  }

  // The commonest first, and of equals the one of the oldest tokens.
  void offer(const Pair& pair) { queue_.push({counts_[pair], {-pair.first, -pair.second}}); }

  void merge(const Pair& pair) {
    const std::string merged = pieces_[pair.first] + pieces_[pair.second];
    const auto [known, fresh] = known_.emplace(merged, static_cast<int32_t>(pieces_.size()));
    const int32_t id = known->second;
    merges_.emplace_back(pieces_[pair.first], pieces_[pair.second]);
    if (fresh) pieces_.push_back(merged);
    std::set<Pair> changed;
    for (const size_t word : places_[pair]) rewrite(word, pair, id, changed);
    counts_[pair] = 0;
    places_.erase(pair);
    changed.erase(pair);
    for (const Pair& each : changed) offer(each);
  }

  void rewrite(size_t index, const Pair& pair, int32_t merged, std::set<Pair>& changed) {
    Word& word = words_[index];
    count_pairs(word, -word.count, changed);
    std::vector<int32_t> out;
    for (size_t i = 0; i < word.ids.size(); ++i) {
      const bool here = i + 1 < word.ids.size() && Pair{word.ids[i], word.ids[i + 1]} == pair;
      out.push_back(here ? merged : word.ids[i]);
      i += here;
    }
    word.ids = std::move(out);
    count_pairs(word, word.count, changed);
    for (size_t i = 0; i + 1 < word.ids.size(); ++i)
      if (word.ids[i] == merged || word.ids[i + 1] == merged)
        places_[{word.ids[i], word.ids[i + 1]}].insert(index);
  }

  void count_pairs(const Word& word, int64_t count, std::set<Pair>& changed) {
    for (size_t i = 0; i + 1 < word.ids.size(); ++i) {
      const Pair pair{word.ids[i], word.ids[i + 1]};
      counts_[pair] += count;
      changed.insert(pair);
    }
  }

  std::vector<std::string> pieces_;
  std::unordered_map<std::string, int32_t> known_;
  Merges merges_;
  std::vector<Word> words_;
  std::map<Pair, int64_t> counts_;
  std::map<Pair, std::set<size_t>> places_;  // words that may hold the pair
  std::priority_queue<std::pair<int64_t, Pair>> queue_;
};

}  // namespace

Json train_tokenizer(const std::vector<std::string>& lines, const TokenizerPlan& plan) {
  Trainer trainer(lines, plan);
  trainer.learn(plan.vocabulary_size);
  return trainer.file(plan.added);
}

}  // namespace vesalius::text
