// Many image vectors into one: a series, a volume or a study.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace vesalius::tasks {

enum class Pool { kNone, kMean, kMedian, kMax, kStd, kStudy };

/// none, mean, median, max, std, study. Error kUsage.
Pool parse_pool(const std::string& name);

/// [images, d] -> [d]; kStudy -> [7 d]: mean, standard deviation (n - 1), minimum, 25, 50 and 75 %
/// quantiles (linear between neighbours, as pandas' describe()) and maximum, the study vector of
/// the outlier-detection notebook of microsoft/healthcareai-examples. Of one image the deviation is
/// 0.
at::Tensor pool_features(const at::Tensor& features, Pool pool);

}  // namespace vesalius::tasks
