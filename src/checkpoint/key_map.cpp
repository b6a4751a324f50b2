#include "checkpoint/key_map.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace vesalius {
namespace {

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> parts;
  while (!name.empty()) {
    const auto dot = name.find('.');
    parts.emplace_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    name.remove_prefix(dot + 1);
    if (name.empty()) parts.emplace_back();  // a trailing dot is kept
  }
  return parts;
}

bool captures(std::string_view part) { return part.starts_with('{') && part.ends_with('}'); }

bool digits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

KeyMap::KeyMap(const std::vector<Rename>& lines) {
  for (auto [from, to] : lines) {
    Line line;
    line.at_start = from.starts_with('^');
    line.at_end = from.ends_with('$');
    from.remove_prefix(line.at_start ? 1 : 0);
    from.remove_suffix(line.at_end ? 1 : 0);
    line.from = split(from);
    line.to = split(to);
    lines_.push_back(std::move(line));
  }
}

bool KeyMap::match(const Line& line, const Parts& name, size_t at,
                   std::map<std::string, std::string>& captured) {
  if (line.at_end && at + line.from.size() != name.size()) return false;
  for (size_t i = 0; i < line.from.size(); ++i) {
    const std::string &pattern = line.from[i], &part = name[at + i];
    const bool fits = !captures(pattern) ? pattern == part : pattern.size() > 3 || digits(part);
    if (!fits) return false;
    if (captures(pattern)) captured[pattern] = part;
  }
  return true;
}

void KeyMap::apply_line(const Line& line, Parts& name) {
  for (size_t at = 0; at + line.from.size() <= name.size(); ++at) {
    if (line.at_start && at > 0) return;
    std::map<std::string, std::string> captured;
    if (!match(line, name, at, captured)) continue;
    Parts to = line.to;
    for (std::string& part : to)
      if (captures(part)) part = captured.at(part);
    const auto place =
        name.erase(name.begin() + static_cast<std::ptrdiff_t>(at),
                   name.begin() + static_cast<std::ptrdiff_t>(at + line.from.size()));
    name.insert(place, to.begin(), to.end());
    return;
  }
}

std::string KeyMap::operator()(std::string_view name) const {
  Parts parts = split(name);
  for (const Line& line : lines_) apply_line(line, parts);
  return fmt::format("{}", fmt::join(parts, "."));
}

}  // namespace vesalius
