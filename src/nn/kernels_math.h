// exp, GELU and its relatives on vectors. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels_tile.h"

namespace vesalius::nn {
namespace {

/// c[0] + c[1] x + … by Horner's rule.
template <class V, int N>
typename V::Reg polynomial(typename V::Reg x, const float (&c)[N]) {
  auto sum = V::set(c[N - 1]);
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; --i) sum = V::fma(sum, x, V::set(c[i]));
  return sum;
}

/// e^x to 2 units in the last place; 0 below -87, e^88 above 88. x = n ln 2 + r, with ln 2 in two
/// parts so that r keeps its digits; Taylor's series up to r^6 / 720 is enough for |r| <= 0.35.
template <class V>
typename V::Reg exponential(typename V::Reg x) {
  x = V::min(V::max(x, V::set(-87.0F)), V::set(88.0F));
  const auto n = V::round(V::mul(x, V::set(1.44269504F)));
  auto r = V::fma(n, V::set(-0.693359375F), x);
  r = V::fma(n, V::set(2.12194440e-4F), r);
  constexpr float kTaylor[] = {1, 1, 0.5F, 1.0F / 6, 1.0F / 24, 1.0F / 120, 1.0F / 720};
  return V::scale(polynomial<V>(r, kTaylor), n);
}

/// x Phi(x), the exact (erf) GELU, within 1e-6 of it: Phi(x) = 1/2 + x P(x^2), with P fitted (least
/// largest error of the GELU, degree 14 in 2 x^2 / 5.5^2 - 1); beyond 5.5 Phi is 0 or 1 in fp32.
template <class V>
typename V::Reg gelu(typename V::Reg x) {
  constexpr float kFit[] = {0.128551938F,   -0.0641723741F,  0.0477367169F,  -0.0387908153F,
                            0.0320880837F,  -0.0260776949F,  0.0202361757F,  -0.014814612F,
                            0.0106612912F,  -0.00739236238F, 0.00388047601F, -0.00149290667F,
                            0.00134167262F, -0.00127530366F, 0.000428805028F};
  const auto inside = V::min(V::max(x, V::set(-5.5F)), V::set(5.5F));
  const auto u = V::fma(V::mul(inside, inside), V::set(2 / 30.25F), V::set(-1));
  const auto phi = V::fma(inside, polynomial<V>(u, kFit), V::set(0.5F));
  return V::mul(x, V::min(V::max(phi, V::zero()), V::set(1)));
}

/// x / (1 + e^(-1.702 x)), CLIP's approximation.
template <class V>
typename V::Reg quick_gelu(typename V::Reg x) {
  const auto e = exponential<V>(V::mul(x, V::set(-1.702F)));
  return V::div(x, V::add(V::set(1), e));
}

template <class V>
typename V::Reg silu(typename V::Reg x) {
  return V::div(x, V::add(V::set(1), exponential<V>(V::sub(V::zero(), x))));
}

/// y = silu(gate) * up
template <class V>
void silu_multiply(const float* gate, const float* up, float* y, int64_t count) {
  int64_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth)
    V::store(y + i, V::mul(silu<V>(V::load(gate + i)), V::load(up + i)));
  for (; i < count; ++i) y[i] = gate[i] / (1 + __builtin_expf(-gate[i])) * up[i];
}

}  // namespace
}  // namespace vesalius::nn
