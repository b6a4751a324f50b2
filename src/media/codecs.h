// The decoders behind decode_image(), and the checks that they share.
#pragma once

#include "media/image.h"

namespace vesalius::media {

bool is_png(Bytes bytes);
bool is_jpeg(Bytes bytes);
bool is_tiff(Bytes bytes);

/// Each throws Error kUnsupported for what it cannot read; `where` names the input.
Image decode_png(Bytes bytes, const std::string& where);
Image decode_jpeg(Bytes bytes, const std::string& where);
Image decode_tiff(Bytes bytes, const std::string& where);

/// A blank picture compresses without limit; but when more than 256 MiB are asked for, every 4 KiB
/// of them must be backed by a byte of file.
bool plausible_size(double decoded_bytes, size_t file_bytes);

/// An image of these sizes with data of zeros. Error kUnsupported when a side is empty, when there
/// are more samples than kMaxSamples, or when more decoded bytes are claimed than `max_ratio` times
/// `file_bytes` (what the compression can reach at best) plus a little, or than plausible_size()
/// allows.
Image allocate_image(int64_t width, int64_t height, Mode mode, size_t file_bytes, double max_ratio,
                     const std::string& where);

/// The one sentence for a file whose content is broken.
[[noreturn]] void fail_damaged(const std::string& where, const char* format,
                               const std::string& reason);

}  // namespace vesalius::media
