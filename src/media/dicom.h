// DICOM images: stored pixel values and what is needed to show or measure them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/image.h"

namespace vesalius::media {

/// A look-up table as DICOM describes it (modality LUT, VOI LUT, palette).
struct Lut {
  int first = 0;  // stored value mapped to values[0]
  int bits = 16;  // of an entry
  std::vector<uint16_t> values;
};

/// One window of DICOM PS3.3 C.11.2, units of the rescaled value.
struct Window {
  double center = 0, width = 1;
};

/// Attributes of one image object. Missing text is empty.
struct DicomInfo {
  std::string sop_class_uid, sop_instance_uid, series_instance_uid, study_instance_uid;
  std::string transfer_syntax_uid, modality, body_part, view_position, series_description,
      patient_id;
  std::string photometric;       // "MONOCHROME1", "RGB", …, of the pixels that frame() returns
  std::string voi_lut_function;  // "LINEAR", "LINEAR_EXACT", "SIGMOID"
  int rows = 0, columns = 0, frames = 1, samples = 1;
  int bits_allocated = 8, bits_stored = 8;
  bool is_signed = false;
  double rescale_slope = 1, rescale_intercept = 0;
  std::vector<Window> windows;
  std::optional<Lut> modality_lut, voi_lut;
  std::optional<Lut> palette[3];  // red, green, blue
  std::optional<int> instance_number;
  std::vector<double> image_position, image_orientation, pixel_spacing;  // mm; empty when absent
};

/// One decoded frame, [rows, columns, samples] interleaved. Values equal pydicom's pixel_array:
/// stored values with unused high bits cleared (or sign-extended); colour as its photometric says.
struct DicomFrame {
  int rows = 0, columns = 0, samples = 1;
  std::vector<int32_t> values;
};

/// An open DICOM file; frames are decoded one at a time.
class DicomFile {
 public:
  /// Error kUnsupported when it is not DICOM, has no pixels, or lies about them.
  static DicomFile open(const fs::path& path);
  static DicomFile parse(Bytes bytes, const std::string& where);
  /// Of the object; rescale, windows and geometry of its first frame.
  const DicomInfo& info() const;
  /// The same with the rescale, windows and geometry of frame `index`, which multi-frame objects
  /// may give to each frame (PS3.3 C.7.6.16).
  DicomInfo frame_info(int index) const;
  DicomFrame frame(int index) const;

  DicomFile(DicomFile&&) noexcept;
  DicomFile& operator=(DicomFile&&) noexcept;
  ~DicomFile();

 private:
  struct State;
  explicit DicomFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The attributes alone, for a quick look at many files; frames are not checked to be there.
DicomInfo read_dicom_header(const fs::path& path);

/// True if the bytes carry the DICM mark, or look like a data set without preamble.
bool looks_like_dicom(Bytes bytes);

}  // namespace vesalius::media
