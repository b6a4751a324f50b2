// TIFF through libtiff: the first directory, in strips or tiles.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstring>
#include <memory>

#include "media/codecs.h"
#include "media/tiff_samples.h"

namespace vesalius::media {

namespace {
/// The bytes that libtiff reads, and what it complained of first.
struct TiffSource {
  Bytes bytes;
  toff_t at = 0;
  std::string complaint;
};

TiffSource& source_of(thandle_t handle) { return *static_cast<TiffSource*>(handle); }

tmsize_t read_source(thandle_t handle, void* out, tmsize_t size) {
  TiffSource& source = source_of(handle);
  if (size <= 0 || source.at >= source.bytes.size()) return 0;
  const size_t count = std::min<size_t>(static_cast<size_t>(size), source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, count);
  source.at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t refuse_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_source(thandle_t handle, toff_t offset, int whence) {
  TiffSource& source = source_of(handle);
  source.at = offset + (whence == SEEK_CUR   ? source.at
                        : whence == SEEK_END ? source.bytes.size()
                                             : 0);
  return source.at;
}

int close_source(thandle_t) { return 0; }
toff_t size_source(thandle_t handle) { return source_of(handle).bytes.size(); }

int map_source(thandle_t handle, void** base, toff_t* size) {
  const Bytes bytes = source_of(handle).bytes;
  *base = const_cast<uint8_t*>(bytes.data());
  *size = bytes.size();
  return 1;
}
void unmap_source(thandle_t, void*, toff_t) {}

int keep_complaint(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<TiffSource*>(user);
  if (!source.complaint.empty()) return 1;
  std::array<char, 256> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  source.complaint = text.data();
  return 1;
}
int ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open_tiff(TiffSource& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), 1 << 30);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_complaint, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore, nullptr);
  return {TIFFClientOpenExt("input", "r", &source, read_source, refuse_write, seek_source,
                            close_source, size_source, map_source, unmap_source, options.get()),
          TIFFClose};
}

template <class T>
T tag(TIFF* tiff, uint32_t name, T otherwise) {
  T value = otherwise;
  return TIFFGetFieldDefaulted(tiff, name, &value) == 1 ? value : otherwise;
}

int alpha_kind(TIFF* tiff) {
  uint16_t count = 0;
  uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 || count == 0) return -1;
  return kinds[0];
}

/// Samples of colour; those behind them are extra, whatever ExtraSamples claims.
int color_samples(uint16_t photometric) {
  if (photometric == PHOTOMETRIC_SEPARATED) return 4;
  return photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
}

TiffLayout read_layout(TIFF* tiff) {
  TiffLayout layout;
  layout.width = tag<uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  layout.height = tag<uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  layout.bits = tag<uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = tag<uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.format = tag<uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout.photometric = tag<uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  layout.compression = tag<uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout.planar =
      tag<uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE &&
      layout.samples > 1;
  if (layout.samples > color_samples(layout.photometric)) layout.alpha = alpha_kind(tiff);
  return layout;
}

/// How many bytes one byte of a compressed file may become at best; 0 for what we do not read.
double expansion(uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return 8;  // strips may lie on top of each other
    case COMPRESSION_PACKBITS:
      return 128;
    case COMPRESSION_LZW:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_JPEG:
      return 4096;
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
    case COMPRESSION_LZMA:
    case COMPRESSION_ZSTD:
    case COMPRESSION_WEBP:
      return 1 << 16;
    default:
      return 0;
  }
}

/// A strip or a tile: where it stands and how its rows follow each other.
struct BlockGrid {
  uint32_t block_width, block_height, across, down;
  size_t row_bytes, block_bytes;
  bool tiled;
};

BlockGrid read_grid(TIFF* tiff, const TiffLayout& layout) {
  BlockGrid grid{layout.width, 0, 1, 0, 0, 0, TIFFIsTiled(tiff) != 0};
  if (grid.tiled) {
    grid.block_width = tag<uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0);
    grid.block_height = tag<uint32_t>(tiff, TIFFTAG_TILELENGTH, 0);
    grid.row_bytes = TIFFTileRowSize64(tiff);
    grid.block_bytes = TIFFTileSize64(tiff);
  } else {
    grid.block_height =
        std::min(tag<uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, layout.height), layout.height);
    grid.row_bytes = TIFFScanlineSize64(tiff);
    grid.block_bytes = TIFFStripSize64(tiff);
  }
  if (grid.block_width == 0 || grid.block_height == 0) return grid;
  grid.across = (layout.width - 1) / grid.block_width + 1;
  grid.down = (layout.height - 1) / grid.block_height + 1;
  return grid;
}

void check_grid(const BlockGrid& grid, const TiffLayout& layout, size_t file_bytes,
                const std::string& where) {
  const uint64_t row_bits =
      uint64_t{grid.block_width} * layout.bits * (layout.planar ? 1 : layout.samples);
  const double limit = double(file_bytes) * expansion(layout.compression) + (1 << 24);
  if (grid.block_width == 0 || grid.block_height == 0 || grid.row_bytes < (row_bits + 7) / 8 ||
      grid.block_bytes / grid.block_height < grid.row_bytes || double(grid.block_bytes) > limit) {
    fail_damaged(where, "TIFF", "its strips or tiles have impossible sizes");
  }
}

void read_blocks(TIFF* tiff, const TiffLayout& layout, const TiffSource& source,
                 const std::string& where, Image& image) {
  const BlockGrid grid = read_grid(tiff, layout);
  check_grid(grid, layout, source.bytes.size(), where);
  std::vector<uint8_t> block(grid.block_bytes);
  const int planes = layout.planar ? layout.samples : 1;
  uint32_t index = 0;
  for (int plane = 0; plane < planes; ++plane) {
    for (uint64_t top = 0; top < layout.height; top += grid.block_height) {
      const auto y = static_cast<uint32_t>(top);
      for (uint32_t column = 0; column < grid.across; ++column, ++index) {
        const auto size = static_cast<tmsize_t>(block.size());
        const tmsize_t got = grid.tiled ? TIFFReadEncodedTile(tiff, index, block.data(), size)
                                        : TIFFReadEncodedStrip(tiff, index, block.data(), size);
        if (got < 0) fail_damaged(where, "TIFF", source.complaint);
        const uint32_t x = column * grid.block_width;
        const uint32_t rows = std::min(grid.block_height, layout.height - y);
        for (uint32_t row = 0; row < rows; ++row) {
          unpack_tiff_run(layout,
                          {block.data() + row * grid.row_bytes,
                           std::min(grid.block_width, layout.width - x), x, y + row, plane},
                          image);
        }
      }
    }
  }
}

/// YCbCr that libtiff converts by its own RGBA reader (chroma may be subsampled in ways of TIFF's
/// own).
void read_ycbcr(TIFF* tiff, const TiffSource& source, const std::string& where, Image& image) {
  std::vector<uint32_t> raster(static_cast<size_t>(image.width) * image.height);
  const auto orientation = tag<uint16_t>(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  if (TIFFReadRGBAImageOriented(tiff, image.width, image.height, raster.data(), orientation, 1) ==
      0) {
    fail_damaged(where, "TIFF", source.complaint);
  }
  for (size_t i = 0; i < raster.size(); ++i) {
    image.data[3 * i] = static_cast<uint8_t>(TIFFGetR(raster[i]));
    image.data[3 * i + 1] = static_cast<uint8_t>(TIFFGetG(raster[i]));
    image.data[3 * i + 2] = static_cast<uint8_t>(TIFFGetB(raster[i]));
  }
}

void read_palette(TIFF* tiff, const TiffLayout& layout, const std::string& where, Image& image) {
  uint16_t* channels[3] = {};
  if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2]) != 1) {
    fail_damaged(where, "TIFF", "a palette image without its palette");
  }
  image.palette.assign(size_t{256} * 3, 0);
  for (size_t i = 0; i < size_t{1} << layout.bits; ++i) {
    for (size_t c = 0; c < 3; ++c)
      image.palette[3 * i + c] = static_cast<uint8_t>(channels[c][i] >> 8);
  }
}
}  // namespace

bool is_tiff(Bytes bytes) {
  constexpr std::array<std::array<uint8_t, 4>, 4> kMarks = {
      {{'I', 'I', 42, 0}, {'M', 'M', 0, 42}, {'I', 'I', 43, 0}, {'M', 'M', 0, 43}}};
  return bytes.size() >= 8 && std::any_of(kMarks.begin(), kMarks.end(), [&](const auto& mark) {
           return std::equal(mark.begin(), mark.end(), bytes.begin());
         });
}

Image decode_tiff(Bytes bytes, const std::string& where) {
  TiffSource source{bytes};
  const Tiff tiff = open_tiff(source);
  if (tiff == nullptr) fail_damaged(where, "TIFF", source.complaint);
  TiffLayout layout = read_layout(tiff.get());
  const double ratio = expansion(layout.compression);
  if (ratio == 0) {
    fail(ErrorCode::kUnsupported,
         "{}: TIFF compression {} is not read here; convert the file to deflate, LZW or JPEG "
         "compression",
         where, layout.compression);
  }
  layout.mode = tiff_mode(layout, where);
  const double widening = std::max(1.0, 8.0 / layout.bits);
  Image image = allocate_image(layout.width, layout.height, layout.mode, bytes.size(),
                               ratio * widening, where);
  const bool ycbcr = layout.photometric == PHOTOMETRIC_YCBCR;
  const bool jpeg_converts = layout.compression == COMPRESSION_JPEG && !layout.planar;
  if (ycbcr && jpeg_converts) TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (ycbcr && !jpeg_converts) {
    read_ycbcr(tiff.get(), source, where, image);
  } else {
    read_blocks(tiff.get(), layout, source, where, image);
  }
  if (layout.photometric == PHOTOMETRIC_PALETTE) read_palette(tiff.get(), layout, where, image);
  if (layout.alpha == EXTRASAMPLE_ASSOCALPHA && layout.mode != Mode::kCmyk) unpremultiply(image);
  const int orientation = tag<uint16_t>(tiff.get(), TIFFTAG_ORIENTATION, 1);
  image.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  return image;
}

}  // namespace vesalius::media
