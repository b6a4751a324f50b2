#include "text/normalizer.h"

#include <algorithm>
#include <utility>

#include "text/pattern.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

// NFKC makes 18 characters of one; no published file comes near this.
constexpr size_t kMostGrowth = 64;
// Sorting combining marks takes quadratic time; no language piles up this many.
constexpr size_t kLongestCluster = 1024;

Normalizer::Step parse_prepend(const JsonPart& part) {
  return [what = part["prepend"].text()](MarkedText& text) {
    if (text.text.empty()) return;
    text.text.insert(0, what);
    text.marks.insert(0, what.size(), static_cast<char>(text.marks[0] & kFirst));
  };
}

Normalizer::Step parse_replace(const JsonPart& part) {
  return [pattern = Pattern::parse(part["pattern"]),
          content = part["content"].text()](MarkedText& text) {
    MarkedText out;
    size_t at = 0;
    for (const Span match : pattern.find_all(text.text)) {
      out.text.append(text.text, at, match.begin - at);
      out.marks.append(text.marks, at, match.begin - at);
      const bool user = text.touches_user(match.begin, match.end);
      // What is put in stands where the last of what it replaces stood.
      const bool first = match.end == 0 || (text.marks[match.end - 1] & kFirst) != 0;
      out.append(content, static_cast<char>((user ? kUser : 0) | (first ? kFirst : 0)));
      at = match.end;
    }
    out.text.append(text.text, at);
    out.marks.append(text.marks, at);
    text = std::move(out);
  };
}

size_t leading_space(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text, at);
    if (!is_white_space(step.code)) break;
    at += step.length;
  }
  return at;
}

size_t before_trailing_space(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    at += step.length;
    if (!is_white_space(step.code)) end = at;
  }
  return end;
}

Normalizer::Step parse_strip(const JsonPart& part) {
  const bool left = part["strip_left"].flag(true), right = part["strip_right"].flag(true);
  return [left, right](MarkedText& text) {
    const size_t end = right ? before_trailing_space(text.text) : text.text.size();
    const size_t begin = left ? leading_space(text.text) : 0;
    text = text.cut(std::min(begin, end), end);
  };
}

// Calls `use` with the beginning and end of each character.
template <class Use>
void for_each_character(std::string_view text, Use&& use) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    use(step.code, at, at + step.length);
    at += step.length;
  }
}

// Letter by letter: there is no final sigma.
Normalizer::Step parse_lowercase(const JsonPart&) {
  return [](MarkedText& text) {
    MarkedText out;
    for_each_character(text.text, [&](char32_t c, size_t begin, size_t) {
      out.append(to_utf8(lower({&c, 1})), text.marks[begin]);
    });
    text = std::move(out);
  };
}

// Normalises cluster by cluster: a character and what may combine with it.
Normalizer::Step normal_form(NormalForm form) {
  return [form](MarkedText& text) {
    MarkedText out;
    std::u32string cluster;
    char mark = 0;
    const auto finish = [&] {
      if (cluster.size() == 1 && cluster[0] < 0x80)
        out.append(to_utf8(cluster), mark);
      else if (!cluster.empty())
        out.append(to_utf8(normalised(cluster, form)), mark);
      cluster.clear();
    };
    for_each_character(text.text, [&](char32_t c, size_t begin, size_t) {
      if (begins_cluster(c, form) || cluster.size() == kLongestCluster) finish();
      mark = cluster.empty() ? text.marks[begin] : static_cast<char>(mark | text.marks[begin]);
      cluster.push_back(c);
    });
    finish();
    text = std::move(out);
  };
}

constexpr StepKind<Normalizer::Step> kKinds[] = {
    {"Prepend", parse_prepend},
    {"Replace", parse_replace},
    {"Strip", parse_strip},
    {"Lowercase", parse_lowercase},
    {"NFC", [](const JsonPart&) { return normal_form(NormalForm::kNfc); }},
    {"NFKC", [](const JsonPart&) { return normal_form(NormalForm::kNfkc); }},
};

}  // namespace

Normalizer Normalizer::parse(const JsonPart& part) {
  Normalizer out;
  parse_steps(part, "normalizers", kKinds, out.steps_);
  return out;
}

void Normalizer::apply(MarkedText& text) const {
  const size_t most = kMostGrowth * (text.text.size() + 16);
  for (const Step& step : steps_) {
    step(text);
    if (text.text.size() > most)
      fail(ErrorCode::kModel,
           "the normalizer of this tokenizer makes a text more than {} times longer; is its "
           "tokenizer.json as it was published?",
           kMostGrowth);
  }
}

}  // namespace vesalius::text
