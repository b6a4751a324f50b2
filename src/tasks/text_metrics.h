// How alike two texts are by their words: BLEU, ROUGE-L and CIDEr-D as the Python packages have
// them that reports are compared with.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesalius::tasks {

constexpr size_t kLongestNgram = 4;

/// What BLEU counts of one text, or, added up, of many.
struct BleuCounts {
  std::array<double, kLongestNgram> matched{}, written{};  // n-grams of 1 … 4 words
  double length = 0, reference_length = 0;                 // words
};

/// Of a text and its references, at least one; words stand between spaces, capitals count. Of
/// several references the one of the closest length (the shorter of two) gives its length.
BleuCounts bleu_counts(std::string_view candidate, std::span<const std::string> references);

/// BLEU-1 … BLEU-4 (Papineni et al., ACL 2002), 0 to 1, as pycocoevalcap smooths them: 1e-15 and
/// 1e-9 in every fraction. Of one text's counts or of a corpus's sums.
std::array<double, kLongestNgram> bleu(const BleuCounts& counts);

/// ROUGE-L's F (Lin 2004), 0 to 1, as Google's rouge_score has it: small letters, words of a to z
/// and 0 to 9, longest common subsequence of the whole texts. `stemmed` compares the stems of words
/// of more than three letters.
double rouge_l(std::string_view candidate, std::string_view reference, bool stemmed);

/// CIDEr-D (Vedantam et al., CVPR 2015) of every text, 0 to 10, as pycocoevalcap has it: rarity
/// counted in these references, the length penalty on the number of word pairs. A corpus's figure
/// is the mean. Error kUsage unless there are as many lists of references as texts, none empty.
std::vector<double> cider_d(std::span<const std::string> candidates,
                            std::span<const std::vector<std::string>> references);

}  // namespace vesalius::tasks
