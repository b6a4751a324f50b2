// Shows Python what resize, to_rgb and jpeg_round_trip make of raw pixels.
// Standard input has one job a line: OP MODE WIDTH HEIGHT IN OUT [arguments], files hold raw
// samples:
//   resize … OUT_WIDTH OUT_HEIGHT nearest|bilinear|bicubic · rgb … [PALETTE] · jpeg … QUALITY
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>

#include "base/files.h"
#include "media/resize.h"

using namespace vesalius;
using namespace vesalius::media;

namespace {

const std::map<std::string, Mode> kModes = {
    {"1", Mode::kBilevel},     {"L", Mode::kGray},     {"LA", Mode::kGrayAlpha},
    {"P", Mode::kPalette},     {"RGB", Mode::kRgb},    {"RGBA", Mode::kRgba},
    {"I;16", Mode::kGray16},   {"CMYK", Mode::kCmyk},  {"RGB16", Mode::kRgb16},
    {"RGBA16", Mode::kRgba16}, {"F", Mode::kGrayFloat}};
const std::map<std::string, Filter> kFilters = {
    {"nearest", Filter::kNearest}, {"bilinear", Filter::kBilinear}, {"bicubic", Filter::kBicubic}};

Image run(const std::string& op, Image image, std::istringstream& arguments) {
  if (op == "resize") {
    int width = 0, height = 0;
    std::string filter;
    arguments >> width >> height >> filter;
    return resize(image, width, height, kFilters.at(filter));
  }
  if (op == "rgb") {
    std::string palette;
    if (arguments >> palette) image.palette = read_file(palette);
    return to_rgb(image);
  }
  int quality = 0;
  arguments >> quality;
  return jpeg_round_trip(image, quality);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string op, mode, in, out;
    Image image;
    words >> op >> mode >> image.width >> image.height >> in >> out;
    image.mode = kModes.at(mode);
    image.data = read_file(in);
    const Image made = run(op, image, words);
    write_file(out, {reinterpret_cast<const char*>(made.data.data()), made.data.size()});
  }
}
