// The tables of finding_labels.cpp.
#pragma once

#include <span>
#include <string_view>

namespace vesalius::tasks {

/// What a phrase says of an observation when no cue is near it.
enum class Saying { kPresent, kAbsent, kUncertain };

struct MentionPhrase {
  int label;  // of label_names(); -1: of none, and nothing else is looked for in it
  Saying saying;
  std::string_view phrase;
};

enum class Cue {
  kNeutral,          // looks like a cue and is none: "no change"
  kNegatesAfter,     // what stands behind it: "no"
  kNegatesBefore,    // what stands before it: "has resolved"
  kUncertainAfter,   // "possible"
  kUncertainBefore,  // "cannot be excluded"
  kDoubtfulAfter,    // uncertain, but absent where a negation reaches it: "no opacity to suggest"
  kUncertainBoth,    // "versus"
  kStop,             // no cue reaches over it: "but"
};

struct CuePhrase {
  Cue cue;
  std::string_view phrase;
};

std::span<const MentionPhrase> mention_phrases();
std::span<const CuePhrase> cue_phrases();
std::span<const std::string_view> temporal_phrases();
/// They say that there is nothing to compare with.
std::span<const std::string_view> phrases_of_no_earlier_film();

}  // namespace vesalius::tasks
