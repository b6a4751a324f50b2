#include "tasks/text_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "base/error.h"
#include "tasks/porter_stemmer.h"
#include "text/unicode.h"

namespace vesalius::tasks {
namespace {

using Words = std::vector<std::string>;
/// Of each length 1 … 4: the n-gram, its words with a space between, and how often it stands there.
using Ngrams = std::array<std::unordered_map<std::string, double>, kLongestNgram>;

Words words_between_spaces(std::string_view text) {
  Words words;
  std::u32string word;
  for (const char32_t c : text::from_utf8(text) + U' ') {
    if (!text::is_space(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(text::to_utf8(word));
      word.clear();
    }
  }
  return words;
}

Ngrams count_ngrams(const Words& words) {
  Ngrams counts;
  for (size_t begin = 0; begin < words.size(); ++begin) {
    std::string ngram;
    for (size_t n = 0; n < kLongestNgram && begin + n < words.size(); ++n) {
      ngram += (n > 0 ? " " : "") + words[begin + n];
      counts[n][ngram] += 1;
    }
  }
  return counts;
}

double count_of(const std::unordered_map<std::string, double>& counts, const std::string& ngram) {
  const auto found = counts.find(ngram);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

BleuCounts bleu_counts(std::string_view candidate, std::span<const std::string> references) {
  const Words words = words_between_spaces(candidate);
  BleuCounts counts{.length = static_cast<double>(words.size())};
  Ngrams most;  // of any one reference
  double closest = INFINITY;
  for (const auto& reference : references) {
    const Words theirs = words_between_spaces(reference);
    const auto length = static_cast<double>(theirs.size());
    const double distance = std::abs(length - counts.length);
    if (distance < closest || (distance == closest && length < counts.reference_length))
      closest = distance, counts.reference_length = length;
    const Ngrams found = count_ngrams(theirs);
    for (size_t n = 0; n < kLongestNgram; ++n)
      for (const auto& [ngram, count] : found[n]) most[n][ngram] = std::max(most[n][ngram], count);
  }
  const Ngrams ours = count_ngrams(words);
  for (size_t n = 0; n < kLongestNgram; ++n)
    for (const auto& [ngram, count] : ours[n]) {
      counts.written[n] += count;
      counts.matched[n] += std::min(count, count_of(most[n], ngram));
    }
  return counts;
}

std::array<double, kLongestNgram> bleu(const BleuCounts& counts) {
  constexpr double kTiny = 1e-15, kSmall = 1e-9;
  const double ratio = (counts.length + kTiny) / (counts.reference_length + kSmall);
  const double penalty = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  std::array<double, kLongestNgram> values{};
  double product = 1;
  for (size_t n = 0; n < kLongestNgram; ++n) {
    product *= (counts.matched[n] + kTiny) / (counts.written[n] + kSmall);
    values[n] = std::pow(product, 1.0 / static_cast<double>(n + 1)) * penalty;
  }
  return values;
}

namespace {

Words rouge_words(std::string_view text, bool stemmed) {
  constexpr size_t kShort = 3;
  Words words;
  std::string word;
  for (const char32_t c : text::lower(text::from_utf8(text)) + U' ') {
    if ((c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9')) {
      word += static_cast<char>(c);
    } else if (!word.empty()) {
      words.push_back(stemmed && word.size() > kShort ? porter_stem(word) : word);
      word.clear();
    }
  }
  return words;
}

double longest_common(const Words& a, const Words& b) {
  std::vector<int64_t> row(b.size() + 1);
  for (const auto& word : a) {
    int64_t corner = 0;  // of the row above
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t above = row[j];
      row[j] = word == b[j - 1] ? corner + 1 : std::max(above, row[j - 1]);
      corner = above;
    }
  }
  return static_cast<double>(row.back());
}

}  // namespace

double rouge_l(std::string_view candidate, std::string_view reference, bool stemmed) {
  const Words ours = rouge_words(candidate, stemmed), theirs = rouge_words(reference, stemmed);
  if (ours.empty() || theirs.empty()) return 0;
  // 2PR / (P + R) with P and R of the same numerator.
  return 2 * longest_common(ours, theirs) / static_cast<double>(ours.size() + theirs.size());
}

namespace {

/// Rarity of n-grams among the references, and texts weighed by it.
class Rarity {
 public:
  struct Weighed {
    Ngrams weights;
    std::array<double, kLongestNgram> norm{};
    double length = 0;  // in pairs of words, as the published code counts
  };

  explicit Rarity(const std::vector<std::vector<Ngrams>>& references)
      : log_count_(std::log(static_cast<double>(references.size()))) {
    for (const auto& of_one : references) {
      Ngrams once;
      for (const auto& reference : of_one)
        for (size_t n = 0; n < kLongestNgram; ++n)
          for (const auto& [ngram, count] : reference[n]) once[n][ngram] = 1;
      for (size_t n = 0; n < kLongestNgram; ++n)
        for (const auto& [ngram, one] : once[n]) documents_[n][ngram] += one;
    }
  }

  Weighed weigh(const Ngrams& counts) const {
    Weighed out{.weights = counts};
    for (size_t n = 0; n < kLongestNgram; ++n) {
      for (auto& [ngram, weight] : out.weights[n]) {
        if (n == 1) out.length += weight;
        weight *= log_count_ - std::log(std::max(1.0, count_of(documents_[n], ngram)));
        out.norm[n] += weight * weight;
      }
      out.norm[n] = std::sqrt(out.norm[n]);
    }
    return out;
  }

 private:
  double log_count_;
  Ngrams documents_;
};

/// Mean over n of the cosine with clipped weights, less for unequal lengths.
double likeness(const Rarity::Weighed& ours, const Rarity::Weighed& theirs) {
  constexpr double kSigma = 6;
  const double delta = ours.length - theirs.length;
  double sum = 0;
  for (size_t n = 0; n < kLongestNgram; ++n) {
    double dot = 0;
    for (const auto& [ngram, weight] : ours.weights[n]) {
      const double other = count_of(theirs.weights[n], ngram);
      dot += std::min(weight, other) * other;
    }
    const double norms = ours.norm[n] * theirs.norm[n];
    sum += norms != 0 ? dot / norms : dot;
  }
  return sum / kLongestNgram * std::exp(-delta * delta / (2 * kSigma * kSigma));
}

}  // namespace

std::vector<double> cider_d(std::span<const std::string> candidates,
                            std::span<const std::vector<std::string>> references) {
  if (candidates.size() != references.size() ||
      std::ranges::any_of(references, [](const auto& one) { return one.empty(); }))
    fail(ErrorCode::kUsage, "CIDEr-D needs a reference for each text ({} texts, {} references).",
         candidates.size(), references.size());
  std::vector<std::vector<Ngrams>> counted;
  for (const auto& of_one : references) {
    auto& list = counted.emplace_back();
    for (const auto& reference : of_one)
      list.push_back(count_ngrams(words_between_spaces(reference)));
  }
  const Rarity rarity(counted);
  std::vector<double> scores;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto ours = rarity.weigh(count_ngrams(words_between_spaces(candidates[i])));
    double sum = 0;
    for (const auto& reference : counted[i]) sum += likeness(ours, rarity.weigh(reference));
    constexpr double kScale = 10;
    scores.push_back(kScale * sum / static_cast<double>(counted[i].size()));
  }
  return scores;
}

}  // namespace vesalius::tasks
