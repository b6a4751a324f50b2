#include <string>

#include "guarded.h"
#include "text/bpe.h"
#include "text/clip_files.h"
#include "text/clip_words.h"
#include "text/text_cleanup.h"
#include "text/unicode.h"

// Any bytes at all become tokens; cleaning what is clean changes nothing, and no byte of a word is
// lost.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::text;
  static const Merges merges = {
      {"e", "r"}, {"i", "n"}, {"in", "g</w>"}, {"t", "h"}, {"th", "e</w>"}};
  static const Bpe bpe(vocabulary_of(merges), merges, "fuzz");
  return vesalius::guarded([&] {
    const std::u32string text =
        from_utf8({reinterpret_cast<const char*>(data), size < 4096 ? size : 4096});
    const std::u32string fixed = fix_text(text);
    if (from_utf8(to_utf8(fixed)) != fixed) __builtin_trap();
    const std::u32string cleaned = clean_text(text);
    for (const std::u32string_view word : clip_words(cleaned)) {
      if (word.empty()) __builtin_trap();
      std::vector<int32_t> ids;
      const std::string bytes = to_utf8(word);
      bpe.encode_word(bytes, ids);
      if (ids.empty() || ids.size() > bytes.size()) __builtin_trap();
    }
  });
}
