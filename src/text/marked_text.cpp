#include "text/marked_text.h"

#include <algorithm>

#include "text/unicode.h"

namespace vesalius::text {

bool MarkedText::touches_user(size_t begin, size_t end) const {
  return std::any_of(marks.begin() + begin, marks.begin() + end,
                     [](char mark) { return (mark & kUser) != 0; });
}

MarkedText MarkedText::cut(size_t begin, size_t end) const {
  return {text.substr(begin, end - begin), marks.substr(begin, end - begin)};
}

void MarkedText::append(std::string_view more, char mark) {
  text += more;
  marks.append(more.size(), mark);
}

MarkedText marked(std::string_view bytes, const std::vector<Span>& users) {
  std::string marks(bytes.size(), 0);
  for (const Span& span : users) {
    const size_t end = std::min(span.end, bytes.size());
    for (size_t i = span.begin; i < end; ++i) marks[i] = kUser;
  }
  MarkedText out;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    const auto any = *std::max_element(marks.begin() + at, marks.begin() + at + step.length);
    out.append(step.valid ? bytes.substr(at, step.length) : "\uFFFD",
               static_cast<char>(any | (at == 0 ? kFirst : 0)));
    at += step.length;
  }
  return out;
}

}  // namespace vesalius::text
