#include "results/terminology.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "results/terminology_table.h"

namespace vesalius::results {

using media::Code;

namespace {
Code category_of(Property property) {
  switch (property) {
    case Property::kAnatomy:
      return {"123037004", "SCT", "Anatomical Structure"};
    case Property::kAbnormal:
      return {"49755003", "SCT", "Morphologically Abnormal Structure"};
    case Property::kObject:
      return {"260787004", "SCT", "Physical object"};
    case Property::kSubstance:
      return {"91720002", "SCT", "Body Substance"};
    case Property::kTissue:
      break;
  }
  return {"85756007", "SCT", "Tissue"};
}

using Words = std::vector<std::string>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Lower-case words, apart at spaces and underscores.
Words split(std::string_view text) {
  Words words(1);
  for (const char c : text) {
    if (c == ' ' || c == '_' || c == '\t' || c == '\n') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += lower(c);
    }
  }
  if (words.back().empty()) words.pop_back();
  std::erase(words, "the");
  std::replace(words.begin(), words.end(), std::string("vertebrae"), std::string("vertebra"));
  return words;
}

std::string join(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// Terms by their words, and by the meanings of their codes.
const TermRow* term_row(const std::string& words) {
  static const auto kRows = [] {
    std::unordered_map<std::string, const TermRow*> map;
    for (const TermRow& row : term_rows()) map.emplace(row.words, &row);
    for (const TermRow& row : term_rows()) map.emplace(join(split(row.meaning)), &row);
    return map;
  }();
  const auto found = kRows.find(words);
  return found == kRows.end() ? nullptr : found->second;
}

const AliasRow* alias_row(const std::string& words) {
  static const auto kRows = [] {
    std::unordered_map<std::string, const AliasRow*> map;
    for (const AliasRow& row : alias_rows()) map.emplace(row.words, &row);
    return map;
  }();
  const auto found = kRows.find(words);
  return found == kRows.end() ? nullptr : found->second;
}

Code code_of(const TermRow& row) { return {row.code, "SCT", row.meaning}; }

Term term_of(const TermRow& row) {
  return {category_of(row.property), code_of(row), std::nullopt, std::nullopt, row.colour, true};
}

/// Exactly these words, or an alias of them.
std::optional<Term> look_up(const std::string& words) {
  if (const TermRow* row = term_row(words)) return term_of(*row);
  const AliasRow* alias = alias_row(words);
  if (alias == nullptr) return std::nullopt;
  Term term = term_of(*term_row(alias->term));
  if (const TermRow* region = term_row(alias->region)) term.region = code_of(*region);
  return term;
}

/// "kidneys" is "kidney", "arteries" are "artery".
std::optional<Term> look_up_singular(const std::string& words) {
  if (auto term = look_up(words)) return term;
  if (words.ends_with("ies")) return look_up(words.substr(0, words.size() - 3) + "y");
  if (words.ends_with("s")) return look_up(words.substr(0, words.size() - 1));
  return std::nullopt;
}

/// An organ and what is wrong with it: "liver tumor", "malignant breast tumor".
std::optional<Term> look_up_lesion(Words words) {
  if (words.size() > 1 && (words.front() == "benign" || words.front() == "malignant")) {
    words.erase(words.begin());
  }
  if (auto term = look_up_singular(join(words))) return term;
  if (words.size() < 2) return std::nullopt;
  auto lesion = look_up_singular(words.back());
  words.pop_back();
  const auto organ = look_up_singular(join(words));
  if (!lesion || !organ || lesion->category != category_of(Property::kAbnormal)) return {};
  if (organ->category.value == lesion->category.value) return {};
  lesion->region = organ->type;
  return lesion;
}

/// A side named first or last, taken off the words.
std::optional<Code> take_side(Words& words) {
  static const std::unordered_map<std::string, Code> kSides = {
      {"left", {"7771000", "SCT", "Left"}},
      {"right", {"24028007", "SCT", "Right"}},
      {"both", {"51440002", "SCT", "Right and left"}},
      {"bilateral", {"51440002", "SCT", "Right and left"}}};
  if (words.size() < 2) return std::nullopt;
  for (const bool first : {true, false}) {
    const auto found = kSides.find(first ? words.front() : words.back());
    if (found == kSides.end()) continue;
    words.erase(first ? words.begin() : words.end() - 1);
    return found->second;
  }
  return std::nullopt;
}

/// The same words have the same colour everywhere.
std::array<uint8_t, 3> colour_for(const std::string& words) {
  constexpr std::array<uint8_t, 3> kColours[] = {
      {230, 159, 60}, {86, 160, 211},  {0, 158, 115},   {214, 193, 66},  {110, 124, 196},
      {213, 94, 60},  {204, 121, 167}, {120, 190, 110}, {170, 140, 220}, {90, 190, 190}};
  return kColours[fnv1a64(words) % std::size(kColours)];
}
}  // namespace

Term find_term(std::string_view text) {
  Words words = split(text);
  if (auto term = look_up_lesion(words)) return *term;
  const std::string whole = join(words);
  const auto side = take_side(words);
  if (auto term = look_up_lesion(words)) {
    term->modifier = side;
    return *term;
  }
  const Code tissue = category_of(Property::kTissue);
  return {tissue, tissue, side, std::nullopt, colour_for(whole), false};
}

}  // namespace vesalius::results
