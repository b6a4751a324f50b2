#include "media/walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <memory>
#include <set>

#include "base/error.h"
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

std::vector<uint8_t> read_head(const fs::path& path) {
  constexpr size_t kEnough = 2048;  // preamble, and the meta information with the SOP class
  std::vector<uint8_t> head(kEnough);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) return {};
  head.resize(std::fread(head.data(), 1, head.size(), file.get()));
  return head;
}

bool can_open(const fs::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  return file != nullptr;
}

/// Reports, plans and directories of files are DICOM and no images.
bool is_other_object(Bytes head) {
  const std::string sop_class = meta_sop_class(head);
  const bool known = dcmFindNameOfUID(sop_class.c_str()) != nullptr;
  return known && !dcmIsImageStorageSOPClassUID(sop_class.c_str());
}

[[noreturn]] void fail_folder(const fs::path& folder, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "{}: the folder cannot be read ({}); check its permissions",
       folder.string(), reason);
}

class Walker {
 public:
  void add(const fs::path& path);
  Inputs take() { return std::move(inputs_); }

 private:
  void enter(const fs::path& folder);
  void add_found(const fs::path& path);
  bool first_visit(const fs::path& folder);

  Inputs inputs_;
  std::set<std::pair<dev_t, ino_t>> visited_;
};

void Walker::add(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    const std::string reason = error && error != std::errc::no_such_file_or_directory
                                   ? error.message()
                                   : "no such file or folder";
    fail(ErrorCode::kUnsupported, "{}: {}; check the path", path.string(), reason);
  }
  if (fs::is_directory(status)) {
    enter(path);
    return;
  }
  inputs_.files.push_back({path, recognise(read_head(path))});
}

/// False when the folder was entered before, which links in a circle would do for ever.
bool Walker::first_visit(const fs::path& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return true;
  return visited_.insert({info.st_dev, info.st_ino}).second;
}

void Walker::enter(const fs::path& top) {
  std::vector<fs::path> waiting{top};  // the next one last
  while (!waiting.empty()) {
    const fs::path path = waiting.back();
    waiting.pop_back();
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      add_found(path);
      continue;
    }
    if (!first_visit(path)) continue;
    std::vector<fs::path> entries;
    fs::directory_iterator at(path, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error))
      entries.push_back(at->path());
    if (error) fail_folder(path, error.message());
    std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) {
      return natural_less(b.filename().native(), a.filename().native());
    });
    waiting.insert(waiting.end(), entries.begin(), entries.end());
  }
}

void Walker::add_found(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {  // a pipe, a device, a link to nowhere
    ++inputs_.skipped;
    return;
  }
  const std::vector<uint8_t> head = read_head(path);
  const InputKind kind = recognise(head);
  const bool unreadable = head.empty() && !can_open(path);
  const bool other = kind == InputKind::kDicom && is_other_object(head);
  if ((kind == InputKind::kUnknown && !unreadable) || other) {
    ++inputs_.skipped;
    return;
  }
  inputs_.files.push_back({path, kind});
}
}  // namespace

InputKind recognise(Bytes head) {
  if (is_png(head) || is_jpeg(head)) return InputKind::kImage;
  // A TIFF may carry a DICOM preamble's worth of anything, and a DICOM preamble may be a TIFF
  // header.
  const bool marked =
      head.size() >= 132 && std::equal(head.begin() + 128, head.begin() + 132, "DICM");
  if (is_tiff(head) && !marked) return InputKind::kImage;
  return looks_like_dicom(head) ? InputKind::kDicom : InputKind::kUnknown;
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

Inputs walk_inputs(const std::vector<fs::path>& paths) {
  Walker walker;
  for (const fs::path& path : paths) walker.add(path);
  return walker.take();
}

}  // namespace vesalius::media
