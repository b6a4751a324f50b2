#include "text/pattern.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr int32_t kTimeLimit = 1000;  // of ICU's units for one match; about a second

// Escapes that mean the same to both; letters and digits that are not here do not.
constexpr std::string_view kSameEscapes = "pPsSdDnrtfuxAz";
constexpr std::string_view kSameGroups[] = {":", "=", "!", "<=", "<!", ">", "i:"};

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The end of an escape: of \p{Han} the brace, of others the letter.
size_t escape_end(std::string_view expression, size_t at) {
  const bool braced = expression.substr(at + 2).starts_with('{');
  return braced ? std::min(expression.find('}', at), expression.size()) : at + 1;
}

bool is_same_group(std::string_view rest) {
  for (const std::string_view group : kSameGroups)
    if (rest.starts_with(group)) return true;
  return false;
}

void check_dialect(std::string_view expression, const JsonPart& part) {
  for (size_t i = 0; i < expression.size(); ++i) {
    const std::string_view rest = expression.substr(i);
    if (rest[0] == '\\' && rest.size() > 1) {
      if (is_word_byte(rest[1]) && kSameEscapes.find(rest[1]) == std::string_view::npos)
        part.refuse(
            fmt::format("uses '\\{}' in a regular expression, which is not supported", rest[1]));
      i = escape_end(expression, i);
    } else if (rest.starts_with("(?") && !is_same_group(rest.substr(2))) {
      part.refuse(fmt::format("uses '{}' in a regular expression, which is not supported",
                              rest.substr(0, 4)));
    } else if (rest.starts_with("&&") || rest.starts_with("--") || rest.starts_with("[:") ||
               rest.starts_with("}+") || rest.starts_with("}?")) {
      part.refuse(fmt::format("uses '{}' in a regular expression, which is not supported",
                              rest.substr(0, 2)));
    }
  }
}

// How many bytes of UTF-8 lie between two places in UTF-16.
size_t bytes_between(const icu::UnicodeString& text, int32_t begin, int32_t end) {
  size_t bytes = 0;
  while (begin < end) {
    const UChar32 c = text.char32At(begin);
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    begin += c < 0x10000 ? 1 : 2;
  }
  return bytes;
}

void check_match(UErrorCode status) {
  if (U_FAILURE(status))
    fail(ErrorCode::kModel,
         "a regular expression of the tokenizer cannot deal with this text ({}); is its "
         "tokenizer.json as it was published?",
         u_errorName(status));
}

}  // namespace

struct Pattern::Regex {
  std::unique_ptr<icu::RegexPattern> pattern;
};

Pattern Pattern::regex(const std::string& expression, const JsonPart& part) {
  check_dialect(expression, part);
  UErrorCode status = U_ZERO_ERROR;
  UParseError place{};
  // Lines end at \n alone, and ^ and $ are of lines: Oniguruma's ways.
  std::unique_ptr<icu::RegexPattern> compiled(
      icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(expression),
                                 UREGEX_UNIX_LINES | UREGEX_MULTILINE, place, status));
  if (U_FAILURE(status))
    part.refuse(fmt::format("is not a regular expression ({})", u_errorName(status)));
  Pattern out;
  out.regex_ = std::make_shared<const Regex>(Regex{std::move(compiled)});
  return out;
}

Pattern Pattern::literal(std::string text) {
  Pattern out;
  out.literal_ = std::move(text);
  return out;
}

Pattern Pattern::parse(const JsonPart& part) {
  const JsonPart fixed = part["String"], expression = part["Regex"];
  return fixed.is_null() ? regex(expression.text(), expression) : literal(fixed.text());
}

std::vector<Span> Pattern::find_all(std::string_view text) const {
  std::vector<Span> found;
  if (!regex_) {
    if (literal_.empty()) return found;
    for (size_t at = text.find(literal_); at != std::string_view::npos;
         at = text.find(literal_, at + literal_.size()))
      found.push_back({at, at + literal_.size()});
    return found;
  }
  UErrorCode status = U_ZERO_ERROR;
  const auto wide = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  const std::unique_ptr<icu::RegexMatcher> matcher(regex_->pattern->matcher(wide, status));
  check_match(status);
  matcher->setTimeLimit(kTimeLimit, status);
  int32_t at = 0;
  size_t bytes = 0;
  while (matcher->find(status) && U_SUCCESS(status)) {
    const int32_t begin = matcher->start(status), end = matcher->end(status);
    if (begin == end && begin == at && at > 0) continue;
    const size_t start = bytes + bytes_between(wide, at, begin);
    bytes = start + bytes_between(wide, begin, end);
    at = end;
    found.push_back({start, bytes});
  }
  check_match(status);
  return found;
}

}  // namespace vesalius::text
