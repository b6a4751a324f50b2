#include "guarded.h"
#include "media/rtstruct.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::media;
  return vesalius::guarded([&] {
    Grid grid;
    grid.size = {32, 24, 3};
    grid.step[2] = {0, 0.2, 2};
    const StructureSet read = parse_rtstruct({data, size}, "input");
    for (const Structure& structure : read.structures) rasterise(structure, grid);
  });
}
