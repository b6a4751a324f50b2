// Manifests from anywhere: CSV, JSON Lines and labels files end in rows or in an Error, never
// otherwise.
#include <cstdint>
#include <string_view>

#include "guarded.h"
#include "tasks/labels.h"
#include "tasks/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vesalius::guarded([&] { vesalius::tasks::parse_csv(text, "fuzz"); });
  vesalius::guarded([&] { vesalius::tasks::parse_json_lines(text, "fuzz"); });
  vesalius::guarded([&] { vesalius::tasks::parse_labels_file(text, "fuzz"); });
  vesalius::guarded([&] { vesalius::tasks::parse_label_list(text); });
  return 0;
}
