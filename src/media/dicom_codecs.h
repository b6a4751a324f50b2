// One compressed DICOM frame to samples.
#pragma once

#include <string>
#include <vector>

#include "media/dicom.h"

namespace vesalius::media {

/// What a code stream's own header says.
struct CodeStream {
  int width = 0, height = 0, components = 0, precision = 0;
  bool is_signed = false;    // JPEG 2000 alone can say so
  uint8_t frame_marker = 0;  // SOFn of JPEG and JPEG-LS
  bool rgb_ids = false, jfif = false;
};

/// Reads the markers of JPEG or JPEG-LS up to the frame header. Error kUnsupported when there is
/// none.
CodeStream read_jpeg_header(Bytes bytes, const std::string& where);

/// Samples as the code stream holds them, interleaved, not yet cut to the bits that the data set
/// stores.
struct CodedFrame {
  CodeStream stream;
  std::vector<int32_t> values;
};

/// Each checks the code stream against info.rows, .columns and .samples before memory is asked for.
CodedFrame decode_jpeg_frame(Bytes bytes, const DicomInfo& info, const std::string& where);
CodedFrame decode_jpeg_ls_frame(Bytes bytes, const DicomInfo& info, const std::string& where);
CodedFrame decode_jpeg2000_frame(Bytes bytes, const DicomInfo& info, const std::string& where);
CodedFrame decode_rle_frame(Bytes bytes, const DicomInfo& info, const std::string& where);

/// Error kUnsupported unless the code stream has the sizes that the data set claims.
void check_code_stream(const CodeStream& stream, const DicomInfo& info, const std::string& where);

}  // namespace vesalius::media
