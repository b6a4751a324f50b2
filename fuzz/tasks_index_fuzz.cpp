// The index's header from anywhere: a sound header or an Error; a sound one survives being written
// and read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guarded.h"
#include "tasks/index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vesalius::tasks::IndexHeader;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  return vesalius::guarded([&] {
    const auto header = IndexHeader::parse(text, "fuzz");
    const auto again = IndexHeader::parse(vesalius::dump_json(header.to_json()), "fuzz");
    if (again.count != header.count || again.segments.size() != header.segments.size())
      std::abort();
  });
}
