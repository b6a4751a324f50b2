#include "media/walk.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "media/codecs.h"
#include "media/dicom.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

namespace {
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The digits at the front without leading zeros, and what follows them.
std::pair<std::string_view, std::string_view> split_number(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  const size_t zeros = std::min(text.substr(0, end).find_first_not_of('0'), end);
  return {text.substr(zeros, end - zeros), text.substr(end)};
}

/// Reports, plans and directories of files are DICOM and no images.
bool is_other_object(Bytes head) {
  const std::string sop_class = meta_sop_class(head);
  const bool known = dcmFindNameOfUID(sop_class.c_str()) != nullptr;
  return known && !dcmIsImageStorageSOPClassUID(sop_class.c_str());
}

bool left_out(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".") || name == "DICOMDIR";
}
}  // namespace

bool may_be_image(Bytes head) {
  if (is_png(head) || is_jpeg(head)) return true;
  // A TIFF may carry a DICOM preamble's worth of anything, and a DICOM preamble may be a TIFF
  // header.
  const bool marked =
      head.size() >= 132 && std::equal(head.begin() + 128, head.begin() + 132, "DICM");
  if (is_tiff(head) && !marked) return true;
  return looks_like_dicom(head) && !is_other_object(head);
}

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const auto [number_a, rest_a] = split_number(a);
      const auto [number_b, rest_b] = split_number(b);
      if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
      if (number_a != number_b) return number_a < number_b;
      a = rest_a;
      b = rest_b;
      continue;
    }
    if (a.front() != b.front()) {
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // "01" and "1"
}

std::vector<Found> walk_folder(const fs::path& top) {
  std::vector<Found> found;
  std::vector<fs::path> waiting{top};  // the next one last
  while (!waiting.empty()) {
    const fs::path path = std::move(waiting.back());
    waiting.pop_back();
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (fs::is_regular_file(path, error)) found.push_back({path, ""});
      continue;
    }
    if (path != top && fs::is_symlink(path, error)) continue;  // it may lead back up here
    const auto first = static_cast<std::ptrdiff_t>(waiting.size());
    fs::directory_iterator at(path, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error))
      if (!left_out(at->path())) waiting.push_back(at->path());
    if (error) found.push_back({path, error.message()});
    std::sort(waiting.begin() + first, waiting.end(), [](const fs::path& a, const fs::path& b) {
      return natural_less(b.filename().native(), a.filename().native());
    });
  }
  return found;
}

}  // namespace vesalius::media
