#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace vesalius {
namespace {

/// A file descriptor of a regular file, closed on the way out.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Descriptor open_regular(const fs::path& path, uint64_t& size) {
  // Opening a pipe would otherwise wait until somebody writes to it.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0)
    fail(ErrorCode::kUnsupported, "{}: cannot be opened ({}). Check the path and its permissions.",
         path.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(ErrorCode::kUnsupported, "{}: is not a file.", path.string());
  size = static_cast<uint64_t>(status.st_size);
  return file;
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) {
  uint64_t size = 0;
  const Descriptor file = open_regular(path, size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(path, nullptr, 0));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd, 0);
  if (data == MAP_FAILED)
    fail(ErrorCode::kFailed, "{}: cannot be mapped into memory ({}).", path.string(),
         std::strerror(errno));
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, static_cast<const uint8_t*>(data), size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

std::vector<uint8_t> read_file(const fs::path& path, uint64_t max_bytes) {
  uint64_t size = 0;
  const Descriptor file = open_regular(path, size);
  if (size > max_bytes)
    fail(ErrorCode::kUnsupported, "{}: is {} bytes long; at most {} are read.", path.string(), size,
         max_bytes);
  std::vector<uint8_t> bytes(size);
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::read(file.fd, bytes.data() + at, bytes.size() - at);
    if (got <= 0)
      fail(ErrorCode::kUnsupported, "{}: reading stopped at byte {} of {} ({}).", path.string(), at,
           size, got < 0 ? std::strerror(errno) : "the file shrank");
    at += static_cast<size_t>(got);
  }
  return bytes;
}

std::string read_text(const fs::path& path, uint64_t max_bytes) {
  const auto bytes = read_file(path, max_bytes);
  return {bytes.begin(), bytes.end()};
}

FileWriter::FileWriter(fs::path path) : path_(std::move(path)) {
  if (path_.has_parent_path()) {
    std::error_code failed;
    fs::create_directories(path_.parent_path(), failed);
  }
  temporary_ = path_;
  temporary_.replace_filename("." + path_.filename().string() + "." + std::to_string(::getpid()) +
                              ".part");
  file_ = std::fopen(temporary_.c_str(), "wbe");
  if (file_ == nullptr)
    fail(ErrorCode::kFailed, "{}: cannot be written ({}). Choose another place with -o.",
         path_.string(), std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void FileWriter::write(const void* data, size_t size) {
  if (size > 0 && std::fwrite(data, 1, size, file_) != size)
    fail(ErrorCode::kFailed, "{}: writing stopped ({}). Nothing was left behind.", path_.string(),
         std::strerror(errno));
}

void FileWriter::commit() {
  const bool flushed = std::fflush(file_) == 0;
  const int reason = errno;
  const bool closed = std::fclose(file_) == 0;
  file_ = nullptr;
  std::error_code problem;
  if (flushed && closed) fs::rename(temporary_, path_, problem);
  if (flushed && closed && !problem) return;
  const std::string why = flushed && closed ? problem.message() : std::strerror(reason);
  fs::remove(temporary_, problem);
  fail(ErrorCode::kFailed, "{}: could not be finished ({}). Nothing was left behind.",
       path_.string(), why);
}

void write_file(const fs::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.write(content);
  writer.commit();
}

std::string unused_name(std::set<std::string>& taken, const std::string& name) {
  std::string unused = name;
  for (int i = 2; !taken.insert(unused).second; ++i) unused = fmt::format("{}-{}", name, i);
  return unused;
}

}  // namespace vesalius
