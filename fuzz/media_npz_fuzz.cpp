#include "guarded.h"
#include "media/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::media;
  const vesalius::Bytes bytes(data, size);
  vesalius::guarded([&] { parse_pickled_dict(bytes, "input"); });
  vesalius::guarded([&] {
    NpyArray array{.header = parse_npy_header(bytes, "input")};
    if (array.header.type.kind == 'O') return;
    const auto need = static_cast<uint64_t>(array.header.elements() * array.header.type.width);
    if (need != size - array.header.data_start) return;
    array.bytes.assign(data + array.header.data_start, data + size);
    elements_of<uint16_t>(array, "input");
  });
  return vesalius::guarded([&] {
    const NpzFile file = NpzFile::parse(bytes, "input");
    vesalius::guarded([&] { read_text_prompts(file); });
    vesalius::guarded([&] { read_npz_labels(file, "gts"); });
    read_npz_volume(file);
  });
}
