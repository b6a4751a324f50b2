// Small DICOM files in memory, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vesalius::media::testing {

/// Writes explicit little-endian elements one behind the other.
class DicomWriter {
 public:
  DicomWriter& text(uint16_t group, uint16_t element, const char* vr, std::string value) {
    if (value.size() % 2 != 0) value += vr == std::string("UI") ? '\0' : ' ';
    head(group, element, vr);
    number(value.size(), 2);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  DicomWriter& us(uint16_t group, uint16_t element, std::vector<uint16_t> values,
                  const char* vr = "US") {
    head(group, element, vr);
    number(values.size() * 2, 2);
    for (const uint16_t value : values) number(value, 2);
    return *this;
  }
  /// OB, OW, SQ …, with any length that the test likes to claim.
  DicomWriter& blob(uint16_t group, uint16_t element, const char* vr,
                    const std::vector<uint8_t>& value, uint64_t claimed) {
    head(group, element, vr);
    number(0, 2);
    number(claimed, 4);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  DicomWriter& item(const std::vector<uint8_t>& value) {
    number(0xFFFE, 2);
    number(0xE000, 2);
    number(value.size(), 4);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  DicomWriter& end_of_sequence() {
    number(0xFFFE, 2);
    number(0xE0DD, 2);
    number(0, 4);
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  void head(uint16_t group, uint16_t element, const char* vr) {
    number(group, 2);
    number(element, 2);
    bytes_.push_back(static_cast<uint8_t>(vr[0]));
    bytes_.push_back(static_cast<uint8_t>(vr[1]));
  }
  void number(uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  std::vector<uint8_t> bytes_;
};

/// What a test wants to say about an image; the rest is usual.
struct Spec {
  std::string syntax = "1.2.840.10008.1.2.1", photometric = "MONOCHROME2", frames = "1";
  uint16_t rows = 2, columns = 3, samples = 1, allocated = 8, stored = 8, is_signed = 0;
  std::string series = "1.2.3", position, instance;
  std::string sop_class = "1.2.840.10008.5.1.4.1.1.7";
};

inline std::vector<uint8_t> with_meta(const std::string& syntax, const std::string& sop_class,
                                      const std::vector<uint8_t>& data) {
  std::vector<uint8_t> out(128);
  for (const char c : {'D', 'I', 'C', 'M'}) out.push_back(static_cast<uint8_t>(c));
  DicomWriter meta;
  meta.text(2, 2, "UI", sop_class).text(2, 3, "UI", "1.2.3.4").text(2, 0x10, "UI", syntax);
  const auto size = static_cast<uint16_t>(meta.bytes().size());
  DicomWriter length;
  length.us(2, 0, {size, 0}, "UL");
  out.insert(out.end(), length.bytes().begin(), length.bytes().end());
  out.insert(out.end(), meta.bytes().begin(), meta.bytes().end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

/// The data set up to the pixel data.
inline DicomWriter describe(const Spec& spec) {
  DicomWriter data;
  data.text(8, 0x16, "UI", spec.sop_class).text(8, 0x18, "UI", "1.2.3.4").text(8, 0x60, "CS", "OT");
  if (!spec.position.empty()) {
    data.text(0x20, 0xD, "UI", "1.2").text(0x20, 0xE, "UI", spec.series);
    if (!spec.instance.empty()) data.text(0x20, 0x13, "IS", spec.instance);
    data.text(0x20, 0x32, "DS", spec.position).text(0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0");
  } else {
    data.text(0x20, 0xD, "UI", "1.2").text(0x20, 0xE, "UI", spec.series);
    if (!spec.instance.empty()) data.text(0x20, 0x13, "IS", spec.instance);
  }
  data.us(0x28, 2, {spec.samples}).text(0x28, 4, "CS", spec.photometric);
  if (spec.samples > 1) data.us(0x28, 6, {0});
  data.text(0x28, 8, "IS", spec.frames).us(0x28, 0x10, {spec.rows}).us(0x28, 0x11, {spec.columns});
  data.us(0x28, 0x100, {spec.allocated}).us(0x28, 0x101, {spec.stored});
  data.us(0x28, 0x102, {static_cast<uint16_t>(spec.stored - 1)}).us(0x28, 0x103, {spec.is_signed});
  return data;
}

inline std::vector<uint8_t> dicom(const Spec& spec, const std::vector<uint8_t>& pixels) {
  DicomWriter data = describe(spec);
  data.blob(0x7FE0, 0x10, spec.allocated > 8 ? "OW" : "OB", pixels, pixels.size());
  return with_meta(spec.syntax, spec.sop_class, data.bytes());
}

inline std::vector<uint8_t> encapsulated(const Spec& spec,
                                         const std::vector<std::vector<uint8_t>>& items) {
  DicomWriter data = describe(spec);
  data.blob(0x7FE0, 0x10, "OB", {}, 0xFFFFFFFF);
  for (const auto& item : items) data.item(item);
  data.end_of_sequence();
  return with_meta(spec.syntax, spec.sop_class, data.bytes());
}

}  // namespace vesalius::media::testing
