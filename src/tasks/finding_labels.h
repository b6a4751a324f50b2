// What sentences of a chest report are about, by rules: the 14 observations that CheXpert counts.
//
// The names and the way that mentions are added up are CheXpert's (Irvin et al., AAAI 2019,
// arXiv 1901.07031); windows of cues before and behind a mention are NegEx's (Chapman et al., J
// Biomed Inform 2001). The phrases are our own, so figures differ from those of their programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/report.h"

namespace vesalius::tasks {

/// "Enlarged Cardiomediastinum", … "No Finding", in CheXpert's order of its 14.
const std::vector<std::string>& label_names();

/// Each observation that is mentioned once, in the order of label_names(): "present", "absent" or
/// "uncertain" ("likely" and "unlikely" are uncertain too). Of several mentions present wins over
/// uncertain, and uncertain over absent. "No Finding" where the sentence says that all is normal.
std::vector<FindingLabel> label_sentence(std::string_view sentence);

/// The same for a text of several sentences, added up; "No Finding" is present where nothing but
/// support devices is present or uncertain. Nothing for a text without words.
std::vector<FindingLabel> label_report(std::string_view report);

/// Words that compare with an earlier film, as they stand there in lower case: "unchanged", "since
/// the prior". A film without a prior gives no grounds for them.
std::vector<std::string> temporal_words(std::string_view sentence);

}  // namespace vesalius::tasks
