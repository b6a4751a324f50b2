#include "results/vectors.h"

#include <algorithm>
#include <array>

#include "results/csv.h"
#include "results/json_line.h"
#include "results/spool.h"

namespace vesalius::results {
namespace {

/// Refuses a vector of another length than the first.
class Width {
 public:
  explicit Width(const fs::path& path) : path_(path) {}
  void check(const at::Tensor& features) {
    if (width_ < 0) width_ = features.numel();
    if (features.numel() != width_)
      fail(ErrorCode::kUsage,
           "{}: holds vectors of one length, these are of {} and {} numbers. Write .jsonl, or "
           "texts and "
           "studies apart.",
           path_.string(), width_, features.numel());
  }
  int64_t get() const { return std::max<int64_t>(width_, 0); }

 private:
  fs::path path_;
  int64_t width_ = -1;
};

class JsonLinesFile : public VectorFile {
 public:
  JsonLinesFile(const fs::path& path, Json provenance)
      : writer_(path), provenance_(std::move(provenance)) {}
  void add(const tasks::Record& record) override {
    writer_.write(json_line(record.head, record.features, provenance_) + "\n");
  }
  void finish() override { writer_.commit(); }

 private:
  FileWriter writer_;
  Json provenance_;
};

/// Rows spooled until every column is known: a later record may carry what earlier ones did not.
class CsvFile : public VectorFile {
 public:
  CsvFile(const fs::path& path, Json provenance)
      : path_(path), rows_(path), width_(path), provenance_(std::move(provenance)) {}

  void add(const tasks::Record& record) override {
    width_.check(record.features);
    for (const auto& [name, value] : record.head.items()) add_column(name);
    std::string head, tail;
    for (const auto& name : columns_) head += csv_field(record.head, name) + ",";
    for (const auto& [name, value] : provenance_.items()) tail += csv_text(value) + ",";
    const at::Tensor features = record.features.contiguous();
    for (int64_t i = 0; i < features.numel(); ++i)
      tail += (i > 0 ? "," : "") + shortest(features.data_ptr<float>()[i]);
    tail += '\n';
    rows_.write(head.data(), head.size());
    rows_.write(tail.data(), tail.size());
    lines_.push_back({columns_.size(), head.size(), tail.size()});
  }

  void finish() override {
    FileWriter out(path_);
    if (!lines_.empty()) out.write(header());
    rows_.rewind();
    for (const Line& line : lines_) {
      out.write(rows_.next(line.head));
      out.write(std::string(columns_.size() - line.columns, ','));
      out.write(rows_.next(line.tail));
    }
    out.commit();
  }

 private:
  /// How many columns were known when a line was spooled, and the bytes before and behind the
  /// others.
  struct Line {
    size_t columns, head, tail;
  };

  void add_column(const std::string& name) {
    if (std::find(columns_.begin(), columns_.end(), name) == columns_.end())
      columns_.push_back(name);
  }

  std::string header() {
    for (const char* always : {"frame", "warnings"}) add_column(always);
    std::string line;
    for (const auto& name : columns_) line += csv_text(name) + ",";
    for (const auto& [name, value] : provenance_.items()) line += csv_text(name) + ",";
    for (int64_t i = 0; i < width_.get(); ++i) line += (i > 0 ? ",f" : "f") + std::to_string(i);
    return line + "\n";
  }

  fs::path path_;
  Spool rows_;
  Width width_;
  Json provenance_;
  std::vector<std::string> columns_;
  std::vector<Line> lines_;
};

/// Rows spooled until their number, which both headers begin with, is known.
class MatrixFile : public VectorFile {
 public:
  MatrixFile(const fs::path& path, Json provenance)
      : path_(path), rows_(path), width_(path), provenance_(std::move(provenance)), heads_(path) {}

  void add(const tasks::Record& record) override {
    width_.check(record.features);
    const at::Tensor row = record.features.contiguous();
    rows_.write(row.data_ptr<float>(), static_cast<size_t>(row.numel()) * sizeof(float));
    const std::string head = (count_++ > 0 ? "," : "") + dump_json(record.head);
    heads_.write(head.data(), head.size());
  }

 protected:
  fs::path path_;
  Spool rows_;
  Width width_;
  Json provenance_;
  Spool heads_;  // the records' heads, JSON joined by commas
  int64_t count_ = 0;
};

class NpyFile : public MatrixFile {
 public:
  using MatrixFile::MatrixFile;
  void finish() override {
    FileWriter out(path_);
    out.write(header());
    rows_.copy_to(out);
    FileWriter beside(path_.string() + ".json");
    beside.write("{\"provenance\":" + dump_json(provenance_) + ",\"records\":[");
    heads_.copy_to(beside);
    beside.write("]}\n");
    beside.commit();
    out.commit();
  }

 private:
  /// Format version 1.0 of numpy.lib.format: the data begins at a multiple of 64 bytes.
  std::string header() const {
    constexpr size_t kAlign = 64, kBefore = 10;  // magic, version, length
    std::string text = fmt::format(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", count_, width_.get());
    text.append(kAlign - (kBefore + text.size() + 1) % kAlign, ' ');
    text += '\n';
    const auto size = static_cast<uint16_t>(text.size());
    const std::array<char, 2> length{static_cast<char>(size & 0xFF), static_cast<char>(size >> 8)};
    return std::string("\x93NUMPY\x01\x00", 8) + std::string(length.data(), 2) + text;
  }
};

class SafetensorsFile : public MatrixFile {
 public:
  using MatrixFile::MatrixFile;
  void finish() override {
    const uint64_t bytes = static_cast<uint64_t>(count_ * width_.get()) * sizeof(float);
    const std::string text = fmt::format(
        "{{\"__metadata__\":{{\"format\":\"pt\",\"provenance\":{},\"records\":{}}},"
        "\"features\":{{\"dtype\":\"F32\",\"shape\":[{},{}],\"data_offsets\":[0,{}]}}}}",
        dump_json(Json(dump_json(provenance_))), dump_json(Json("[" + heads_.text() + "]")), count_,
        width_.get(), bytes);
    const std::string padded = text + std::string((8 - text.size() % 8) % 8, ' ');
    const uint64_t size = padded.size();
    FileWriter out(path_);
    out.write(&size, sizeof(size));  // little endian, as this program's machines are
    out.write(padded);
    rows_.copy_to(out);
    out.commit();
  }
};

}  // namespace

std::unique_ptr<VectorFile> open_vector_file(const fs::path& path, const Json& provenance) {
  const std::string extension = path.extension().string();
  if (extension == ".jsonl") return std::make_unique<JsonLinesFile>(path, provenance);
  if (extension == ".csv") return std::make_unique<CsvFile>(path, provenance);
  if (extension == ".npy") return std::make_unique<NpyFile>(path, provenance);
  if (extension == ".safetensors") return std::make_unique<SafetensorsFile>(path, provenance);
  fail(ErrorCode::kUsage,
       "{}: vectors are written as .jsonl, .csv, .npy or .safetensors, not '{}'.", path.string(),
       extension);
}

}  // namespace vesalius::results
