// jpeglib.h needs the declarations of <cstdio> before it.
#include <cstdio>

#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <cstdlib>
#include <memory>

#include "media/resize.h"

namespace vesalius::media {

namespace {

// libjpeg ends with longjmp; between setjmp and it only plain data lives in the frames it leaves.
struct JpegErrors {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> message;
};

void leave(j_common_ptr state) {
  auto* errors = reinterpret_cast<JpegErrors*>(state->err);
  state->err->format_message(state, errors->message.data());
  std::longjmp(errors->back, 1);
}

jpeg_error_mgr* error_manager(JpegErrors& errors) {
  jpeg_error_mgr* manager = jpeg_std_error(&errors.manager);
  manager->error_exit = leave;
  return manager;
}

struct Encoded {
  unsigned char* data = nullptr;  // malloc'ed by libjpeg
  unsigned long size = 0;         // NOLINT(google-runtime-int): libjpeg's type
};

bool encode(const Image& image, int quality, Encoded& out, JpegErrors& errors) {
  jpeg_compress_struct state;
  state.err = error_manager(errors);
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_compress(&state);
    return false;
  }
  jpeg_create_compress(&state);
  jpeg_mem_dest(&state, &out.data, &out.size);
  const bool gray = image.mode == Mode::kGray;
  state.image_width = static_cast<JDIMENSION>(image.width);
  state.image_height = static_cast<JDIMENSION>(image.height);
  state.input_components = gray ? 1 : 3;
  state.in_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&state);  // 4:2:0 for colour, standard Huffman tables, the integer DCT
  jpeg_set_quality(&state, quality, TRUE);
  jpeg_start_compress(&state, TRUE);
  const size_t row = static_cast<size_t>(image.width) * state.input_components;
  while (state.next_scanline < state.image_height) {
    auto* line = const_cast<JSAMPROW>(image.data.data() + state.next_scanline * row);
    jpeg_write_scanlines(&state, &line, 1);
  }
  jpeg_finish_compress(&state);
  jpeg_destroy_compress(&state);
  return true;
}

// `image` has the size and mode of what was encoded.
bool decode(const Encoded& encoded, Image& image, JpegErrors& errors) {
  jpeg_decompress_struct state;
  state.err = error_manager(errors);
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&state);
    return false;
  }
  jpeg_create_decompress(&state);
  jpeg_mem_src(&state, encoded.data, encoded.size);
  jpeg_read_header(&state, TRUE);
  jpeg_start_decompress(&state);
  const size_t row = static_cast<size_t>(state.output_width) * state.output_components;
  while (state.output_scanline < state.output_height) {
    JSAMPROW line = image.data.data() + state.output_scanline * row;
    jpeg_read_scanlines(&state, &line, 1);
  }
  jpeg_finish_decompress(&state);
  jpeg_destroy_decompress(&state);
  return true;
}

void check(const Image& image, int quality) {
  if (image.mode != Mode::kRgb && image.mode != Mode::kGray) {
    fail(ErrorCode::kUnsupported,
         "a {} image cannot be written as JPEG here; convert it to RGB first",
         mode_name(image.mode));
  }
  if (image.width < 1 || image.height < 1 || image.width > JPEG_MAX_DIMENSION ||
      image.height > JPEG_MAX_DIMENSION) {
    fail(ErrorCode::kUnsupported, "{}x{} pixels do not fit a JPEG; its sides go from 1 to {}",
         image.width, image.height, JPEG_MAX_DIMENSION);
  }
  if (quality < 1 || quality > 100) {
    fail(ErrorCode::kUsage, "JPEG quality {} does not exist; choose 1 to 100", quality);
  }
}

}  // namespace

Image jpeg_round_trip(const Image& image, int quality) {
  check(image, quality);
  Image out = image;
  Encoded encoded;
  JpegErrors errors;
  const bool done = encode(image, quality, encoded, errors) && decode(encoded, out, errors);
  std::free(encoded.data);
  if (!done) {
    fail(ErrorCode::kFailed, "the JPEG round trip of a {}x{} image failed: {}", image.width,
         image.height, errors.message.data());
  }
  return out;
}

}  // namespace vesalius::media
