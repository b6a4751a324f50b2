#include "media/jpeg.h"

// jpeglib.h needs the declarations of <cstdio> before it.
#include <cstdio>

#include <jpeglib.h>

#include <array>
#include <cstring>

#include "media/codecs.h"
#include "media/exif.h"

namespace vesalius::media {

namespace {
/// libjpeg's structure with callbacks; errors leave libjpeg as exceptions.
struct JpegReader {
  JpegReader(Bytes bytes, const std::string& where);
  ~JpegReader() { jpeg_destroy_decompress(&state); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  static JpegReader& self(j_common_ptr state) {
    return *static_cast<JpegReader*>(state->client_data);
  }
  [[noreturn]] static void error(j_common_ptr state) {
    std::array<char, JMSG_LENGTH_MAX> message{};
    state->err->format_message(state, message.data());
    fail_damaged(self(state).where, "JPEG", message.data());
  }
  static void quiet(j_common_ptr) {}
  static boolean no_more_input(j_decompress_ptr state) {
    fail_damaged(self(reinterpret_cast<j_common_ptr>(state)).where, "JPEG", "the file ends early");
  }
  static void skip(j_decompress_ptr state,
                   long count) {  // NOLINT(google-runtime-int): libjpeg's type
    if (count <= 0) return;
    if (static_cast<size_t>(count) > state->src->bytes_in_buffer) no_more_input(state);
    state->src->next_input_byte += count;
    state->src->bytes_in_buffer -= static_cast<size_t>(count);
  }
  // A few bytes can name thousands of scans, each of which would go over the whole image.
  static void limit_scans(j_common_ptr state) {
    constexpr int kMaxScans = 500;
    if (reinterpret_cast<j_decompress_ptr>(state)->input_scan_number > kMaxScans) {
      fail_damaged(self(state).where, "JPEG", "more than 500 scans");
    }
  }

  const std::string& where;
  jpeg_decompress_struct state{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
};

JpegReader::JpegReader(Bytes bytes, const std::string& name) : where(name) {
  state.err = jpeg_std_error(&errors);
  errors.error_exit = error;
  errors.output_message = quiet;
  state.client_data = this;
  jpeg_create_decompress(&state);
  source.next_input_byte = bytes.data();
  source.bytes_in_buffer = bytes.size();
  source.init_source = [](j_decompress_ptr) {};
  source.fill_input_buffer = no_more_input;
  source.skip_input_data = skip;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = [](j_decompress_ptr) {};
  state.src = &source;
  progress.progress_monitor = limit_scans;
  state.progress = &progress;
}

int read_orientation(const jpeg_decompress_struct& state) {
  constexpr std::string_view kExif{"Exif\0\0", 6};
  for (const jpeg_marker_struct* marker = state.marker_list; marker != nullptr;
       marker = marker->next) {
    const Bytes data{marker->data, marker->data_length};
    if (data.size() < kExif.size() || std::memcmp(data.data(), kExif.data(), kExif.size()) != 0)
      continue;
    return exif_orientation(data.subspan(kExif.size()));
  }
  return 1;
}

Mode jpeg_mode(const JpegReader& reader) {
  switch (reader.state.num_components) {
    case 1:
      return Mode::kGray;
    case 3:
      return Mode::kRgb;
    case 4:
      return Mode::kCmyk;
    default:
      fail(ErrorCode::kUnsupported,
           "{}: a JPEG with {} components; only 1, 3 and 4 have a meaning here", reader.where,
           reader.state.num_components);
  }
}

// One block of 64 samples takes a bit at least, in every scan of an ordinary file; components may
// be subsampled up to four times in each direction, and arithmetic coding can go below a bit.
double max_ratio(const jpeg_decompress_struct& state) {
  return 64.0 * 8 * 4 * 4 * (state.arith_code ? 64 : 1);
}
}  // namespace

bool is_jpeg(Bytes bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

Image decode_jpeg(Bytes bytes, const std::string& where) {
  return decode_jpeg(bytes, where, JpegColor::kRgb);
}

Image decode_jpeg(Bytes bytes, const std::string& where, JpegColor color) {
  JpegReader reader(bytes, where);
  jpeg_decompress_struct& state = reader.state;
  jpeg_save_markers(&state, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&state, TRUE);
  Image image = allocate_image(state.image_width, state.image_height, jpeg_mode(reader),
                               bytes.size(), max_ratio(state), where);
  if (color == JpegColor::kStored && image.mode == Mode::kRgb) {
    state.out_color_space = state.jpeg_color_space;
  }
  jpeg_start_decompress(&state);
  const size_t row_bytes = image.data.size() / image.height;
  while (state.output_scanline < state.output_height) {
    JSAMPROW row = image.data.data() + state.output_scanline * row_bytes;
    jpeg_read_scanlines(&state, &row, 1);
  }
  image.orientation = read_orientation(state);
  jpeg_finish_decompress(&state);
  // Adobe stores ink as its complement, and Pillow takes every four-component file to be Adobe's.
  if (image.mode == Mode::kCmyk) {
    for (uint8_t& sample : image.data) sample = static_cast<uint8_t>(255 - sample);
  }
  return image;
}

}  // namespace vesalius::media
