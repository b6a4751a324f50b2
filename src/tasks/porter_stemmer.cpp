#include "tasks/porter_stemmer.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <vector>

namespace vesalius::tasks {
namespace {

bool is_vowel_letter(char c) { return std::string_view("aeiou").find(c) != std::string_view::npos; }

/// 'c' or 'v' for each letter; y is a vowel behind a consonant.
std::string classes(std::string_view word) {
  std::string out;
  for (const char c : word) {
    const bool vowel = is_vowel_letter(c) || (c == 'y' && !out.empty() && out.back() == 'c');
    out += vowel ? 'v' : 'c';
  }
  return out;
}

/// Porter's m: how often a vowel is followed by a consonant.
int measure(std::string_view stem) {
  const std::string kinds = classes(stem);
  int count = 0;
  for (size_t i = 1; i < kinds.size(); ++i) count += kinds[i - 1] == 'v' && kinds[i] == 'c' ? 1 : 0;
  return count;
}

bool has_vowel(std::string_view stem) { return classes(stem).find('v') != std::string::npos; }

bool ends_in_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && classes(word).back() == 'c';
}

/// Porter's *o, and NLTK's words of a vowel and a consonant.
bool ends_short(std::string_view word) {
  const std::string kinds = classes(word);
  if (kinds == "vc") return true;
  return kinds.ends_with("cvc") && std::string_view("wxy").find(word.back()) == std::string::npos;
}

struct Rule {
  std::string_view suffix, replacement;
};

std::string replaced(std::string_view word, const Rule& rule) {
  word.remove_suffix(rule.suffix.size());
  return std::string(word) + std::string(rule.replacement);
}

std::string_view less(std::string_view word, size_t letters) {
  return word.substr(0, word.size() - letters);
}

/// The first rule whose suffix is there decides, whether the measure of what is before it is above
/// `above` or not.
template <size_t N>
std::string apply(std::string_view word, const std::array<Rule, N>& rules, int above) {
  for (const Rule& rule : rules)
    if (word.ends_with(rule.suffix))
      return measure(less(word, rule.suffix.size())) > above ? replaced(word, rule)
                                                             : std::string(word);
  return std::string(word);
}

std::string without_plural(std::string_view word) {
  if (word.ends_with("ies")) return replaced(word, {"ies", word.size() == 4 ? "ie" : "i"});
  if (word.ends_with("sses")) return replaced(word, {"sses", "ss"});
  if (word.ends_with("s") && !word.ends_with("ss")) return replaced(word, {"s", ""});
  return std::string(word);
}

/// What is put right where -ed or -ing fell off.
std::string mended(std::string_view stem) {
  for (const std::string_view end : {"at", "bl", "iz"})
    if (stem.ends_with(end)) return std::string(stem) + "e";
  if (ends_in_double_consonant(stem)) {
    const bool stays = std::string_view("lsz").find(stem.back()) != std::string_view::npos;
    return std::string(stays ? stem : less(stem, 1));
  }
  return std::string(stem) + (measure(stem) == 1 && ends_short(stem) ? "e" : "");
}

std::string without_past(std::string_view word) {
  if (word.ends_with("ied")) return replaced(word, {"ied", word.size() == 4 ? "ie" : "i"});
  if (word.ends_with("eed")) return std::string(measure(less(word, 3)) > 0 ? less(word, 1) : word);
  for (const std::string_view suffix : {"ed", "ing"})
    if (word.ends_with(suffix) && has_vowel(less(word, suffix.size())))
      return mended(less(word, suffix.size()));
  return std::string(word);
}

std::string with_i_for_y(std::string_view word) {
  const std::string_view stem = less(word, word.ends_with("y") ? 1 : 0);
  const bool changes = stem.size() < word.size() && stem.size() > 1 && classes(stem).back() == 'c';
  return changes ? std::string(stem) + "i" : std::string(word);
}

std::string without_double_suffix(std::string_view word) {
  static constexpr std::array<Rule, 21> kRules{{
      {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
      {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
      {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
      {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
      {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
      {"fulli", "ful"},
  }};
  if (word.ends_with("alli") && measure(less(word, 4)) > 0)
    return without_double_suffix(less(word, 2));
  if (word.ends_with("logi"))  // its l counts to the stem: "geo-l", "theo-l"
    return std::string(measure(less(word, 3)) > 0 ? less(word, 1) : word);
  return apply(word, kRules, 0);
}

std::string without_full_suffix(std::string_view word) {
  static constexpr std::array<Rule, 7> kRules{{{"icate", "ic"},
                                               {"ative", ""},
                                               {"alize", "al"},
                                               {"iciti", "ic"},
                                               {"ical", "ic"},
                                               {"ful", ""},
                                               {"ness", ""}}};
  return apply(word, kRules, 0);
}

std::string without_last_suffix(std::string_view word) {
  static constexpr std::array<Rule, 18> kRules{{{"al", ""},
                                                {"ance", ""},
                                                {"ence", ""},
                                                {"er", ""},
                                                {"ic", ""},
                                                {"able", ""},
                                                {"ible", ""},
                                                {"ant", ""},
                                                {"ement", ""},
                                                {"ment", ""},
                                                {"ent", ""},
                                                {"ou", ""},
                                                {"ism", ""},
                                                {"ate", ""},
                                                {"iti", ""},
                                                {"ous", ""},
                                                {"ive", ""},
                                                {"ize", ""}}};
  if (word.ends_with("ion")) {
    const auto stem = less(word, 3);
    const bool falls = measure(stem) > 1 && (stem.ends_with("s") || stem.ends_with("t"));
    return std::string(falls ? stem : word);
  }
  return apply(word, kRules, 1);
}

std::string tidied(std::string_view word) {
  if (word.ends_with("e")) {
    const auto stem = less(word, 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_short(stem))) word = stem;
  }
  if (word.ends_with("ll") && measure(less(word, 1)) > 1) word = less(word, 1);
  return std::string(word);
}

/// Forms that the rules would get wrong.
std::string_view irregular(std::string_view word) {
  static const std::map<std::string_view, std::string_view> kForms{
      {"sky", "sky"},        {"skies", "sky"},        {"dying", "die"},
      {"lying", "lie"},      {"tying", "tie"},        {"news", "news"},
      {"innings", "inning"}, {"inning", "inning"},    {"outings", "outing"},
      {"outing", "outing"},  {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"},  {"exceed", "exceed"},
      {"succeed", "succeed"}};
  const auto found = kForms.find(word);
  return found == kForms.end() ? std::string_view{} : found->second;
}

}  // namespace

std::string porter_stem(std::string_view word) {
  if (const auto form = irregular(word); !form.empty()) return std::string(form);
  if (word.size() <= 2) return std::string(word);
  std::string stem(word);
  for (const auto step : {without_plural, without_past, with_i_for_y, without_double_suffix,
                          without_full_suffix, without_last_suffix, tidied})
    stem = step(stem);
  return stem;
}

}  // namespace vesalius::tasks
