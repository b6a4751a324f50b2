#include <algorithm>
#include <string>

#include "guarded.h"
#include "text/grounded_text.h"

// Any text is read without an error, and what was read is read again alike once it is written.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::text;
  const std::string_view text(reinterpret_cast<const char*>(data), size < 4096 ? size : 4096);
  const GroundedText parsed = parse_grounded(text);
  for (const GroundedSentence& sentence : parsed.sentences) {
    if (sentence.span.begin > sentence.span.end || sentence.span.end > text.size())
      __builtin_trap();
    for (const Box& box : sentence.boxes)
      for (const double v : {box.x0, box.y0, box.x1, box.y1})
        if (!(v > 0 && v < 1)) __builtin_trap();
  }
  const bool plain = std::ranges::all_of(
      parsed.sentences, [](const auto& s) { return s.text.find('<') == std::string::npos; });
  if (!plain) return 0;
  const GroundedText again = parse_grounded(write_grounded(parsed.sentences));
  if (again.sentences.size() != parsed.sentences.size()) __builtin_trap();
  for (size_t i = 0; i < again.sentences.size(); ++i)
    if (again.sentences[i].boxes != parsed.sentences[i].boxes) __builtin_trap();
  return 0;
}
