#include "tasks/pool.h"

#include <map>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

at::Tensor deviation(const at::Tensor& x) {
  return x.size(0) > 1 ? at::std(x, 0, /*unbiased=*/true) : at::zeros_like(x[0]);
}

at::Tensor study_vector(const at::Tensor& x) {
  const at::Tensor quartiles = at::quantile(x, at::tensor({0.25F, 0.5F, 0.75F}), 0);  // [3, d]
  return at::cat({x.mean(0), deviation(x), at::amin(x, 0), quartiles[0], quartiles[1], quartiles[2],
                  at::amax(x, 0)});
}

}  // namespace

Pool parse_pool(const std::string& name) {
  static const std::map<std::string, Pool> kPools{
      {"none", Pool::kNone}, {"mean", Pool::kMean}, {"median", Pool::kMedian},
      {"max", Pool::kMax},   {"std", Pool::kStd},   {"study", Pool::kStudy}};
  const auto found = kPools.find(name);
  if (found == kPools.end())
    fail(ErrorCode::kUsage, "--pool takes none, mean, median, max, std or study, not '{}'.", name);
  return found->second;
}

at::Tensor pool_features(const at::Tensor& x, Pool pool) {
  switch (pool) {
    case Pool::kMean:
      return x.mean(0);
    case Pool::kMedian:
      return at::quantile(x, 0.5, 0);  // an even count's is between the two middle ones
    case Pool::kMax:
      return at::amax(x, 0);
    case Pool::kStd:
      return deviation(x);
    case Pool::kStudy:
      return study_vector(x);
    case Pool::kNone:
      break;
  }
  fail(ErrorCode::kUsage, "pooling needs a way to pool.");
}

}  // namespace vesalius::tasks
