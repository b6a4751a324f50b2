// PNG through libpng. Samples of one, two and four bits are widened as Pillow widens them.
#include <png.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "media/codecs.h"
#include "media/exif.h"

namespace vesalius::media {

namespace {
/// libpng's structures, and the input that its callbacks read. Errors leave libpng as exceptions.
struct PngReader {
  PngReader(Bytes bytes, const std::string& where);
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  static void read(png_structp png, png_bytep out, size_t count) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (self.rest.size() < count) png_error(png, "the file ends early");
    std::memcpy(out, self.rest.data(), count);
    self.rest = self.rest.subspan(count);
  }
  [[noreturn]] static void error(png_structp png, png_const_charp message) {
    fail_damaged(static_cast<PngReader*>(png_get_error_ptr(png))->where, "PNG", message);
  }
  static void warning(png_structp, png_const_charp) {}

  Bytes rest;
  const std::string& where;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

PngReader::PngReader(Bytes bytes, const std::string& name) : rest(bytes), where(name) {
  png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, error, warning);
  if (png != nullptr) info = png_create_info_struct(png);
  if (info == nullptr) fail(ErrorCode::kFailed, "{}: not enough memory for the PNG decoder", where);
  png_set_read_fn(png, this, read);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // ours are checked in allocate_image()
  png_set_chunk_malloc_max(png, 8 << 20);
  // Colour profiles and text say nothing about the stored samples, and cost time to inflate.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER,
                              reinterpret_cast<png_const_bytep>("iCCP\0zTXt\0iTXt\0tEXt\0sPLT"), 5);
}

Mode png_mode(int color_type, int depth) {
  switch (color_type) {
    case PNG_COLOR_TYPE_GRAY:
      return depth == 16 ? Mode::kGray16 : depth == 1 ? Mode::kBilevel : Mode::kGray;
    case PNG_COLOR_TYPE_PALETTE:
      return Mode::kPalette;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return depth == 16 ? Mode::kRgba16 : Mode::kGrayAlpha;  // Pillow has no 16-bit "LA" either
    case PNG_COLOR_TYPE_RGB:
      return depth == 16 ? Mode::kRgb16 : Mode::kRgb;
    default:
      return depth == 16 ? Mode::kRgba16 : Mode::kRgba;
  }
}

void read_palette(const PngReader& reader, Image& image) {
  png_colorp colors = nullptr;
  int count = 0;
  png_get_PLTE(reader.png, reader.info, &colors, &count);
  image.palette.assign(size_t{256} * 3, 0);
  const std::span shown(colors, static_cast<size_t>(std::clamp(count, 0, 256)));
  for (size_t i = 0; i < shown.size(); ++i) {
    image.palette[3 * i] = shown[i].red;
    image.palette[3 * i + 1] = shown[i].green;
    image.palette[3 * i + 2] = shown[i].blue;
  }
  png_bytep alpha = nullptr;
  int alphas = 0;
  if (png_get_tRNS(reader.png, reader.info, &alpha, &alphas, nullptr) != 0 && alpha != nullptr) {
    image.palette_alpha.assign(alpha, alpha + std::min(alphas, 256));
  }
}

void read_rows(const PngReader& reader, Image& image, size_t row_bytes) {
  const int passes = png_set_interlace_handling(reader.png);
  png_start_read_image(reader.png);
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < image.height; ++y) {
      png_read_row(reader.png, image.data.data() + y * row_bytes, nullptr);
    }
  }
}

void set_transforms(const PngReader& reader, int color_type, int depth) {
  if (depth == 16) png_set_swap(reader.png);  // to little-endian, the order of our machines
  if (color_type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(reader.png);
  if (color_type == PNG_COLOR_TYPE_PALETTE && depth < 8) png_set_packing(reader.png);
  if (color_type == PNG_COLOR_TYPE_GRAY_ALPHA && depth == 16) png_set_gray_to_rgb(reader.png);
}

/// Reads to the end: EXIF may stand behind the pixels. Damage there takes nothing from them.
void read_end(const PngReader& reader) {
  try {
    png_read_end(reader.png, reader.info);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): said above
  }
}

int read_orientation(const PngReader& reader) {
  png_uint_32 size = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(reader.png, reader.info, &size, &exif) == 0 || exif == nullptr) return 1;
  return exif_orientation({exif, size});
}
}  // namespace

bool is_png(Bytes bytes) { return bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0; }

Image decode_png(Bytes bytes, const std::string& where) {
  PngReader reader(bytes, where);
  png_read_info(reader.png, reader.info);
  const int color_type = png_get_color_type(reader.png, reader.info);
  const int depth = png_get_bit_depth(reader.png, reader.info);
  // Deflate gives at most 1032 bytes for one; narrow samples become bytes of their own.
  const double max_ratio = 1032.0 * std::max(1, 8 / depth) * 2;
  Image image = allocate_image(png_get_image_width(reader.png, reader.info),
                               png_get_image_height(reader.png, reader.info),
                               png_mode(color_type, depth), bytes.size(), max_ratio, where);
  set_transforms(reader, color_type, depth);
  read_rows(reader, image, image.data.size() / image.height);
  if (image.mode == Mode::kPalette) read_palette(reader, image);
  read_end(reader);
  image.orientation = read_orientation(reader);
  return image;
}

}  // namespace vesalius::media
