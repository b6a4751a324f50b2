#include "nn/trace.h"

#include "base/error.h"

namespace vesalius::nn {

TraceSink::TraceSink() {
  TraceSink* none = nullptr;
  if (!detail::trace_sink.compare_exchange_strong(none, this))
    fail(ErrorCode::kFailed,
         "Stages are already being traced; end that trace before starting another.");
}

TraceSink::~TraceSink() { detail::trace_sink = nullptr; }

void TraceSink::add(std::string name, const at::Tensor& value) {
  auto kept =
      value.detach().to(at::kCPU, value.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
  const std::lock_guard lock(guard_);
  const int times = ++seen_[name];
  if (times > 1) name += "#" + std::to_string(times);
  tensors_.emplace(std::move(name), kept.contiguous());
}

}  // namespace vesalius::nn
