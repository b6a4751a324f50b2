// Small JPEGs of inputs, as data URIs for a page.
#pragma once

#include <map>
#include <string>

namespace vesalius::results {

/// Draws and remembers the last few hundred.
class Thumbnails {
 public:
  /// `longest`: pixels of the longer side; smaller images are not enlarged.
  explicit Thumbnails(int longest) : longest_(longest) {}
  /// "data:image/jpeg;base64,…" of a file (a frame of it), shown as a viewer would (DICOM windows,
  /// inversion, EXIF rotation); empty when it cannot be read.
  std::string of(const std::string& file, int frame = 0);

 private:
  int longest_;
  std::map<std::string, std::string> drawn_;
};

std::string base64(const void* data, size_t size);

}  // namespace vesalius::results
