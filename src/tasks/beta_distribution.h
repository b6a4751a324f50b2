// The Beta distribution: its cumulative distribution function, and its parameters from values.
#pragma once

#include <span>

namespace vesalius::tasks {

struct BetaParameters {
  double a = 1, b = 1;
};

/// P(X <= x), the regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF
/// 8.17.22), to about 1e-11; 0 below 0 and 1 above 1. Error kUsage unless a and b are positive and
/// finite; NaN for NaN.
double beta_cdf(double x, const BetaParameters& beta);

/// The maximum-likelihood parameters of values between 0 and 1: Newton's method from the method of
/// moments. Values within half of 1/256 of 0 or 1, which is as finely as pixels tell, count as that
/// far away, since the likelihood of 0 and 1 themselves has no maximum. Error kUnsupported for
/// fewer than three values, or values that are all equal or outside of 0..1.
BetaParameters fit_beta(std::span<const double> values);

}  // namespace vesalius::tasks
