// Named stages of a forward pass, for comparison with a reference; free unless somebody listens.
#pragma once

#include <ATen/ATen.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace vesalius::nn {

/// Collects named tensors of every thread while it lives; one at a time. A name that comes again
/// (the second batch) gets "#2", "#3", … behind it. Tensors are copied to the CPU when they arrive.
class TraceSink {
 public:
  TraceSink();
  ~TraceSink();
  TraceSink(const TraceSink&) = delete;
  TraceSink& operator=(const TraceSink&) = delete;
  void add(std::string name, const at::Tensor& value);
  const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }

 private:
  std::mutex guard_;
  std::map<std::string, at::Tensor> tensors_;
  std::map<std::string, int> seen_;
};

namespace detail {
inline std::atomic<TraceSink*> trace_sink{nullptr};
}

inline bool tracing() { return detail::trace_sink.load(std::memory_order_relaxed) != nullptr; }

/// Gives `value` to the sink under the name that the checkpoint gives the module whose output it
/// is.
inline void trace(std::string_view name, const at::Tensor& value) {
  if (auto* sink = detail::trace_sink.load(std::memory_order_acquire))
    sink->add(std::string(name), value);
}
/// The same for the part `stage` of the module `scope`.
inline void trace(std::string_view scope, std::string_view stage, const at::Tensor& value) {
  if (tracing()) trace(std::string(scope).append(".").append(stage), value);
}

}  // namespace vesalius::nn
