#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "guarded.h"
#include "text/tokenizer.h"

// A tokenizer.json and, behind a NUL, a text: whatever loads encodes and decodes, or says why not.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius;
  static const fs::path path =
      fs::temp_directory_path() / ("vesalius_fuzz_json_" + std::to_string(::getpid()));
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(input.find('\0'), size);
  // Short, for expressions that take their time.
  const std::string_view words = input.substr(std::min(cut + 1, size), 24);
  return guarded([&] {
    write_file(path, input.substr(0, cut));
    const auto tokenizer = text::Tokenizer::load(path);
    const auto ids = tokenizer.encode(words);
    if (std::ranges::any_of(ids, [&](int32_t id) { return id < 0 || id >= tokenizer.size(); }))
      __builtin_trap();
    tokenizer.decode(ids);
    tokenizer.encode(words, {.special = false, .plain = {{0, words.size() / 2}}});
  });
}
