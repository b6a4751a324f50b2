// media_pixels [--display] FILE...: for each file one line of JSON on standard output, followed by
// `bytes` bytes of decoded pixels. Images come as Image::data; DICOM frames as int32, one behind
// the other. A file that cannot be read has `error` and `code` in its line; the exit code is that
// of the last error.
#include <cstdio>
#include <string_view>

#include "base/json.h"
#include "media/dicom.h"
#include "media/dicom_display.h"
#include "media/image.h"

namespace vesalius::media {

namespace {
void print(const Json& header, const void* data, size_t size) {
  std::printf("%s\n", dump_json(header).c_str());
  std::fwrite(data, 1, size, stdout);
}

void print_image(const fs::path& path, const Image& image) {
  print({{"path", path.string()},
         {"kind", "image"},
         {"mode", mode_name(image.mode)},
         {"width", image.width},
         {"height", image.height},
         {"channels", mode_channels(image.mode)},
         {"orientation", image.orientation},
         {"palette", image.palette},
         {"palette_alpha", image.palette_alpha},
         {"bytes", image.data.size()}},
        image.data.data(), image.data.size());
}

void print_dicom(const fs::path& path, Bytes bytes) {
  const DicomFile file = DicomFile::parse(bytes, path.string());
  const DicomInfo& info = file.info();
  std::vector<int32_t> values;
  for (int i = 0; i < info.frames; ++i) {
    const DicomFrame frame = file.frame(i);
    values.insert(values.end(), frame.values.begin(), frame.values.end());
  }
  const size_t size = values.size() * sizeof(int32_t);
  print({{"path", path.string()},
         {"kind", "dicom"},
         {"shape", {info.frames, info.rows, info.columns, info.samples}},
         {"photometric", info.photometric},
         {"transfer_syntax", info.transfer_syntax_uid},
         {"bytes", size}},
        values.data(), size);
}

/// Frame 0 after the VOI step, as float64, and as a viewer shows it.
void print_display(const fs::path& path) {
  const DicomFile file = DicomFile::open(path);
  const DicomInfo& info = file.info();
  const DicomFrame frame = file.frame(0);
  const std::vector<double> stored(frame.values.begin(), frame.values.end());
  const VoiValues voi = voi_values(modality_values(stored, info), info);
  print({{"path", path.string()},
         {"kind", "voi"},
         {"low", voi.low},
         {"high", voi.high},
         {"bytes", voi.values.size() * sizeof(double)}},
        voi.values.data(), voi.values.size() * sizeof(double));
  print_image(path, display_frame(frame, info, path.string()));
}

void print_file(const fs::path& path, bool display) {
  if (display) return print_display(path);
  const auto file = MappedFile::open(path);
  if (looks_like_dicom(file->bytes())) {
    print_dicom(path, file->bytes());
  } else {
    print_image(path, decode_image(file->bytes(), path.string()));
  }
}
}  // namespace

}  // namespace vesalius::media

int main(int count, char** arguments) {
  int exit_code = 0;
  const bool display = count > 1 && std::string_view(arguments[1]) == "--display";
  for (int i = display ? 2 : 1; i < count; ++i) {
    try {
      vesalius::media::print_file(arguments[i], display);
    } catch (const vesalius::Error& error) {
      exit_code = static_cast<int>(error.code());
      std::printf(
          "%s\n",
          vesalius::dump_json(
              {{"path", arguments[i]}, {"error", error.what()}, {"code", exit_code}, {"bytes", 0}})
              .c_str());
    }
  }
  return exit_code;
}
