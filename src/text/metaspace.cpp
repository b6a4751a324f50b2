#include "text/metaspace.h"

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr std::pair<std::string_view, MetaspacePrefix> kPrefixes[] = {
    {"never", MetaspacePrefix::kNever},
    {"first", MetaspacePrefix::kFirst},
    {"always", MetaspacePrefix::kAlways}};

}  // namespace

Metaspace Metaspace::parse(const JsonPart& part) {
  const char32_t character = part["replacement"].character();
  const JsonPart scheme = part["prepend_scheme"], older = part["add_prefix_space"];
  const bool none = !older.flag(true);
  Metaspace out{to_utf8({&character, 1}), none ? MetaspacePrefix::kNever : MetaspacePrefix::kAlways,
                part["split"].flag(true)};
  if (scheme.is_null()) return out;
  out.prefix = scheme.one_of(kPrefixes);
  if (none && out.prefix != MetaspacePrefix::kNever) older.refuse("contradicts 'prepend_scheme'");
  return out;
}

std::string Metaspace::marked(std::string_view text, bool first) const {
  std::string out;
  for (const char c : text) {
    if (c == ' ')
      out += sign;
    else
      out.push_back(c);
  }
  const bool wanted =
      prefix == MetaspacePrefix::kAlways || (prefix == MetaspacePrefix::kFirst && first);
  return wanted && !out.starts_with(sign) ? sign + out : out;
}

}  // namespace vesalius::text
