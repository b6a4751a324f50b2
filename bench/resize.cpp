// The worker of bench/resize: answers each line of JSON on standard input with a line of JSON.
//   {"do": "load", "mode", "width", "height", "path"}   raw samples
//   {"do": "resize", "to": [w, h], "filter", "level"}   level "best", or a plainer one: "plain",
//   "avx2"
//   {"do": "jpeg", "quality"}                           {"seconds"} of one run
//   {"do": "save", "path"}                              the last result
//   {"do": "copy", "bytes"}                             {"seconds"} to copy that many bytes
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>

#include "base/files.h"
#include "base/json.h"
#include "media/resample.h"
#include "media/resize.h"

using namespace vesalius;
using namespace vesalius::media;

namespace {

const std::map<std::string, Mode> kModes = {{"L", Mode::kGray},
                                            {"LA", Mode::kGrayAlpha},
                                            {"RGB", Mode::kRgb},
                                            {"RGBA", Mode::kRgba},
                                            {"CMYK", Mode::kCmyk}};
const std::map<std::string, Filter> kFilters = {
    {"nearest", Filter::kNearest}, {"bilinear", Filter::kBilinear}, {"bicubic", Filter::kBicubic}};
const std::map<std::string, CpuLevel> kLevels = {{"plain", CpuLevel::kPlain},
                                                 {"avx2", CpuLevel::kAvx2}};

struct Worker {
  Image image, result;

  void load(const Json& job) {
    image.mode = kModes.at(job.at("mode"));
    image.width = job.at("width");
    image.height = job.at("height");
    image.data = read_file(std::string(job.at("path")));
  }

  void resize_once(const Json& job) {
    const int width = job.at("to")[0], height = job.at("to")[1];
    const std::string filter = job.at("filter"), level = job.at("level");
    if (level == "best") {
      result = resize(image, width, height, kFilters.at(filter));
      return;
    }
    result.data = resample_u8(image.data.data(), mode_channels(image.mode),
                              {image.width, image.height, width, height, PassOrder::kPillow13},
                              filter == "bicubic" ? kBicubicResampler : kBilinearResampler,
                              kLevels.at(level));
  }

  void copy(const Json& job) const {
    static std::vector<uint8_t> from, to;
    from.resize(job.at("bytes"), 1);
    to.resize(from.size());
    std::memcpy(to.data(), from.data(), from.size());
  }

  void run(const std::string& what, const Json& job) {
    if (what == "resize") resize_once(job);
    if (what == "jpeg") result = jpeg_round_trip(image, job.at("quality"));
    if (what == "copy") copy(job);
  }

  Json answer(const Json& job) {
    const std::string what = job.at("do");
    if (what == "load") load(job);
    if (what == "save") {
      write_file(std::string(job.at("path")),
                 {reinterpret_cast<const char*>(result.data.data()), result.data.size()});
    }
    const auto start = std::chrono::steady_clock::now();
    run(what, job);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return {{"seconds", took.count()}};
  }
};

}  // namespace

int main() {
  Worker worker;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << dump_json(worker.answer(parse_json(line, "a job"))) << std::endl;
  }
}
