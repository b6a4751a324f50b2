#include "tasks/finding_labels.h"

#include <algorithm>
#include <array>
#include <optional>

#include "tasks/finding_phrases.h"
#include "tasks/phrases.h"

namespace vesalius::tasks {
namespace {
using Words = std::vector<std::string>;
constexpr size_t kReach = 14;  // words that a cue reaches over
constexpr size_t kLabels = 14, kDevices = 12, kNoFinding = 13;
using Sayings = std::array<std::optional<Saying>, kLabels>;

struct Mention {
  int label;
  Saying saying;
  size_t begin, end;
  bool praise_first = false;  // "normal heart size", not "heart size is normal"
};
struct FoundCue {
  Cue cue;
  size_t begin, end;
};

template <class Entry>
struct Compiled {
  Entry entry;
  Phrase phrase;
};

template <class Entry>
std::vector<Compiled<Entry>> compiled(std::span<const Entry> entries) {
  std::vector<Compiled<Entry>> out;
  for (const Entry& entry : entries) out.push_back({entry, Phrase(entry.phrase)});
  return out;
}

bool praises(std::string_view word) {
  return word == "normal" || word == "unremarkable" || word == "clear";
}

std::vector<Mention> mentions_in(const Words& words) {
  static const auto kPhrases = compiled(mention_phrases());
  std::vector<Mention> found;
  std::vector<bool> taken(words.size());  // by what is of no observation
  for (const auto& [entry, phrase] : kPhrases) {
    for (size_t at = 0; at < words.size(); ++at) {
      const auto end = phrase.match(words, at);
      if (!end) continue;
      if (entry.label < 0)
        std::fill(taken.begin() + at, taken.begin() + *end, true);
      else if (std::find(taken.begin() + at, taken.begin() + *end, true) == taken.begin() + *end)
        found.push_back({entry.label, entry.saying, at, *end, praises(words[at])});
    }
  }
  return found;
}

/// The longest cue at each place; none begins inside another.
std::vector<FoundCue> cues_in(const Words& words) {
  static const auto kPhrases = compiled(cue_phrases());
  std::vector<FoundCue> found;
  for (size_t at = 0; at < words.size();) {
    std::optional<FoundCue> longest;
    for (const auto& [entry, phrase] : kPhrases) {
      const auto end = phrase.match(words, at);
      if (end && (!longest || *end > longest->end)) longest = FoundCue{entry.cue, at, *end};
    }
    if (longest) found.push_back(*longest);
    at = longest ? longest->end : at + 1;
  }
  return found;
}

bool is_one_of(Cue cue, std::initializer_list<Cue> kinds) {
  return std::find(kinds.begin(), kinds.end(), cue) != kinds.end();
}

/// What the nearest cue before the mention makes of it.
std::optional<Saying> said_before(const Mention& mention, const std::vector<FoundCue>& cues) {
  bool doubtful = false;
  for (auto cue = cues.rbegin(); cue != cues.rend(); ++cue) {
    // "The lungs are clear of": the cue is of what follows.
    if (cue->end > mention.end) continue;
    const bool inside = cue->begin >= mention.begin;  // "heart is not enlarged"
    if (!inside && (cue->cue == Cue::kStop || mention.begin - cue->end > kReach)) break;
    if (cue->cue == Cue::kNegatesAfter) return Saying::kAbsent;
    if (is_one_of(cue->cue, {Cue::kUncertainAfter, Cue::kUncertainBoth})) return Saying::kUncertain;
    doubtful = doubtful || cue->cue == Cue::kDoubtfulAfter;
  }
  return doubtful ? std::optional(Saying::kUncertain) : std::nullopt;
}

std::optional<Saying> said_behind(const Mention& mention, const std::vector<FoundCue>& cues) {
  for (const FoundCue& cue : cues) {
    if (cue.begin < mention.end) continue;
    if (cue.cue == Cue::kStop || cue.begin - mention.end > kReach) break;
    if (cue.cue == Cue::kNegatesBefore) return Saying::kAbsent;
    if (is_one_of(cue.cue, {Cue::kUncertainBefore, Cue::kUncertainBoth})) return Saying::kUncertain;
    // What is said of the next thing is not said of this one.
    if (is_one_of(cue.cue, {Cue::kNegatesAfter, Cue::kUncertainAfter, Cue::kDoubtfulAfter})) break;
  }
  return std::nullopt;
}

/// "The heart is not normal": only a negation among its words turns what says that all is well.
bool denied(const Mention& normal, const std::vector<FoundCue>& cues) {
  return !normal.praise_first && std::ranges::any_of(cues, [&](const FoundCue& cue) {
    return cue.cue == Cue::kNegatesAfter && cue.begin >= normal.begin && cue.end <= normal.end;
  });
}

Saying saying_of(const Mention& mention, const std::vector<FoundCue>& cues) {
  if (mention.label == static_cast<int>(kNoFinding)) return mention.saying;
  if (mention.saying == Saying::kAbsent)
    return denied(mention, cues) ? Saying::kPresent : Saying::kAbsent;
  const auto before = said_before(mention, cues), behind = said_behind(mention, cues);
  if (before == Saying::kAbsent || behind == Saying::kAbsent) return Saying::kAbsent;
  return before || behind ? Saying::kUncertain : mention.saying;
}

void add(std::optional<Saying>& to, Saying saying) {
  const auto rank = [](Saying of) {
    return of == Saying::kPresent ? 2 : of == Saying::kUncertain ? 1 : 0;
  };
  if (!to || rank(saying) > rank(*to)) to = saying;
}

Sayings sayings_of(std::string_view sentence) {
  const Words words = words_of(sentence);
  const std::vector<FoundCue> cues = cues_in(words);
  Sayings out;
  for (const Mention& mention : mentions_in(words)) {
    add(out[static_cast<size_t>(mention.label)], saying_of(mention, cues));
  }
  return out;
}

/// A finding that is there, or may be.
bool something_found(const Sayings& sayings) {
  for (size_t i = 0; i < kDevices; ++i) {
    if (sayings[i] && sayings[i] != Saying::kAbsent) return true;
  }
  return false;
}

std::vector<FindingLabel> named(const Sayings& sayings) {
  static constexpr const char* kPolarities[] = {"present", "absent", "uncertain"};
  std::vector<FindingLabel> out;
  for (size_t i = 0; i < kLabels; ++i) {
    if (sayings[i])
      out.push_back({label_names()[i], kPolarities[static_cast<size_t>(*sayings[i])]});
  }
  return out;
}

/// Sentences end at a line, and at a mark with a space or nothing behind it ("3.5 cm" has none).
std::vector<std::string_view> sentences_of(std::string_view report) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t i = 0; i < report.size(); ++i) {
    const char c = report[i], next = i + 1 < report.size() ? report[i + 1] : ' ';
    const bool mark = (c == '.' || c == '!' || c == '?') && (next == ' ' || next == '\n');
    if (!mark && c != '\n') continue;
    out.push_back(report.substr(begin, i + 1 - begin));
    begin = i + 1;
  }
  out.push_back(report.substr(begin));
  return out;
}

std::vector<Phrase> phrases_from(std::span<const std::string_view> texts) {
  std::vector<Phrase> out;
  for (const std::string_view text : texts) out.emplace_back(text);
  return out;
}

/// Where the longest phrase that begins at word `at` ends; `at` where none begins.
size_t longest_match(const std::vector<Phrase>& phrases, const Words& words, size_t at) {
  size_t longest = at;
  for (const Phrase& phrase : phrases)
    longest = std::max(longest, phrase.match(words, at).value_or(at));
  return longest;
}
}  // namespace

const std::vector<std::string>& label_names() {
  static const std::vector<std::string> kNames = {"Enlarged Cardiomediastinum",
                                                  "Cardiomegaly",
                                                  "Lung Opacity",
                                                  "Lung Lesion",
                                                  "Edema",
                                                  "Consolidation",
                                                  "Pneumonia",
                                                  "Atelectasis",
                                                  "Pneumothorax",
                                                  "Pleural Effusion",
                                                  "Pleural Other",
                                                  "Fracture",
                                                  "Support Devices",
                                                  "No Finding"};
  return kNames;
}

std::vector<FindingLabel> label_sentence(std::string_view sentence) {
  Sayings sayings = sayings_of(sentence);
  if (something_found(sayings)) sayings[kNoFinding].reset();
  return named(sayings);
}

std::vector<FindingLabel> label_report(std::string_view report) {
  Sayings all;
  bool words = false;
  for (const std::string_view sentence : sentences_of(report)) {
    words = words || !words_of(sentence).empty();
    const Sayings sayings = sayings_of(sentence);
    for (size_t i = 0; i < kLabels; ++i) {
      if (sayings[i]) add(all[i], *sayings[i]);
    }
  }
  all[kNoFinding].reset();
  if (words && !something_found(all)) all[kNoFinding] = Saying::kPresent;
  return named(all);
}

std::vector<std::string> temporal_words(std::string_view sentence) {
  static const std::vector<Phrase> kCompare = phrases_from(temporal_phrases());
  static const std::vector<Phrase> kNothingThere = phrases_from(phrases_of_no_earlier_film());
  const Words words = words_of(sentence);
  std::vector<std::string> out;
  for (size_t at = 0; at < words.size();) {
    const size_t skipped = longest_match(kNothingThere, words, at);
    const size_t end = longest_match(kCompare, words, at);
    if (end > at && skipped == at) out.push_back(joined(words, at, end));
    at = std::max({skipped, end, at + 1});
  }
  return out;
}

}  // namespace vesalius::tasks
