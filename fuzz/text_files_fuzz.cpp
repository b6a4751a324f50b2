#include <unistd.h>

#include <string>

#include "guarded.h"
#include "text/clip_files.h"
#include "text/clip_tokenizer.h"

// A tokenizer folder whose two files are the halves of the input, cut at the first NUL.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius;
  static const fs::path folder =
      fs::temp_directory_path() / ("vesalius_fuzz_" + std::to_string(::getpid()));
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(input.find('\0'), size);
  return guarded([&] {
    fs::create_directories(folder);
    write_file(folder / "vocab.json", input.substr(0, cut));
    write_file(folder / "merges.txt", input.substr(std::min(cut + 1, size)));
    text::ClipTokenizer::load(folder).encode("a b");
  });
}
