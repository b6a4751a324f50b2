#include "tasks/beta_distribution.h"

#include <math.h>  // lgamma_r

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

double log_gamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);  // std::lgamma writes a global
}

/// The continued fraction of I_x(a, b), by Lentz's method as Thompson and Barnett changed it
/// (1986). It converges fast for x < (a + 1) / (a + b + 2), in some sqrt(max(a, b)) steps.
double fraction(double x, double a, double b) {
  constexpr int kMaxSteps = 100000;
  constexpr double kTiny = 1e-300, kEnough = 1e-15;
  const auto not_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), value = d;
  const auto step = [&](double term) {
    d = 1 / not_zero(1 + term * d);
    c = not_zero(1 + term / c);
    value *= c * d;
    return std::abs(c * d - 1) < kEnough;
  };
  for (int m = 1; m < kMaxSteps; ++m) {
    step(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (step(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)))) break;
  }
  return value;
}

/// Digamma and trigamma, by recurrence up to 10 and then their asymptotic series (DLMF 5.11).
double digamma(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double s = 1 / (x * x);
  return sum + std::log(x) - 0.5 / x -
         s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s / 132))));
}

double trigamma(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum += 1 / (x * x);
  const double s = 1 / (x * x);
  return sum + 1 / x + s / 2 + s / x * (1.0 / 6 - s * (1.0 / 30 - s * (1.0 / 42 - s / 30)));
}

/// What the likelihood depends on.
struct Sums {
  double mean = 0, variance = 0, mean_log = 0, mean_log_rest = 0;
};

Sums sums_of(std::span<const double> values) {
  Sums sums;
  const auto n = static_cast<double>(values.size());
  for (const double x : values) {
    sums.mean += x / n;
    sums.mean_log += std::log(x) / n;
    sums.mean_log_rest += std::log1p(-x) / n;
  }
  for (const double x : values) sums.variance += (x - sums.mean) * (x - sums.mean) / n;
  return sums;
}

BetaParameters moments(const Sums& sums) {
  // Below 0 for more variance than a Beta distribution can have, which rounding may bring about.
  const double total = std::max(1e-3, sums.mean * (1 - sums.mean) / sums.variance - 1);
  return {sums.mean * total, (1 - sums.mean) * total};
}

/// One Newton step of the log-likelihood, which is concave; cut short to stay positive.
BetaParameters newton_step(const BetaParameters& p, const Sums& sums) {
  const double whole = digamma(p.a + p.b), curve = trigamma(p.a + p.b);
  const double slope_a = whole - digamma(p.a) + sums.mean_log;
  const double slope_b = whole - digamma(p.b) + sums.mean_log_rest;
  const double aa = curve - trigamma(p.a), bb = curve - trigamma(p.b);
  const double determinant = aa * bb - curve * curve;
  const double da = (bb * slope_a - curve * slope_b) / determinant;
  const double db = (aa * slope_b - curve * slope_a) / determinant;
  double length = 1;
  while (p.a - length * da <= p.a / 10 || p.b - length * db <= p.b / 10) length /= 2;
  return {p.a - length * da, p.b - length * db};
}

}  // namespace

double beta_cdf(double x, const BetaParameters& beta) {
  if (!(beta.a > 0 && beta.b > 0 && std::isfinite(beta.a) && std::isfinite(beta.b)))
    fail(ErrorCode::kUsage, "Beta({}, {}) is no distribution; both must be positive.", beta.a,
         beta.b);
  if (std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const auto [a, b] = beta;
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) +
                                b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * fraction(x, a, b) / a;
  return 1 - front * fraction(1 - x, b, a) / b;
}

BetaParameters fit_beta(std::span<const double> values) {
  constexpr double kHalf = 0.5 / 256, kEnough = 1e-12;
  constexpr int kMaxSteps = 200;
  std::vector<double> inside(values.begin(), values.end());
  for (double& x : inside) {
    if (!(x >= 0 && x <= 1))
      fail(ErrorCode::kUnsupported, "{} cannot be a value of a Beta distribution (0 to 1).", x);
    x = std::clamp(x, kHalf, 1 - kHalf);
  }
  const Sums sums = sums_of(inside);
  if (inside.size() < 3 || sums.variance < 1e-15)
    fail(ErrorCode::kUnsupported,
         "a Beta distribution is fitted to three different values or more; there are {}{}.",
         inside.size(), inside.size() < 3 ? "" : ", all equal");
  BetaParameters p = moments(sums);
  for (int i = 0; i < kMaxSteps; ++i) {
    const BetaParameters next = newton_step(p, sums);
    const double change = std::abs(next.a / p.a - 1) + std::abs(next.b / p.b - 1);
    p = next;
    if (change < kEnough) break;
  }
  return p;
}

}  // namespace vesalius::tasks
