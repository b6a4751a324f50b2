// Work done ahead on threads and taken in order, in bounded memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace vesalius::tasks {

/// Runs produce(i, emit) for i in [0, count) on `workers` threads and hands what they emit to
/// next(), in the order of i and, within one i, of emission. At most `window` of them are begun
/// ahead of the one being read and each holds at most `depth` emitted values, so memory stays flat
/// however many a job emits. `produce` must give up when emit returns false.
template <class T>
class Prefetch {
 public:
  using Emit = std::function<bool(T)>;
  using Produce = std::function<void(int64_t, const Emit&)>;

  Prefetch(int64_t count, Produce produce, int workers, int64_t window, size_t depth = 4)
      : count_(count), produce_(std::move(produce)), window_(window), depth_(depth) {
    for (int i = 0; i < workers; ++i) pool_.emplace_back([this] { work(); });
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch() {
    {
      const std::lock_guard lock(guard_);
      stopped_ = true;
    }
    changed_.notify_all();
  }

  /// The next value, or nothing at the end. Rethrows what `produce` threw.
  std::optional<T> next() {
    std::unique_lock lock(guard_);
    for (; head_ < count_; ++head_) {
      changed_.wait(lock, [&] {
        const auto job = jobs_.find(head_);
        return job != jobs_.end() && (job->second.done || !job->second.values.empty());
      });
      Job& job = jobs_.at(head_);
      if (!job.values.empty()) return take(job);
      if (job.problem) std::rethrow_exception(job.problem);
      jobs_.erase(head_);
      changed_.notify_all();
    }
    return std::nullopt;
  }

 private:
  struct Job {
    std::deque<T> values;
    bool done = false;
    std::exception_ptr problem;
  };

  std::optional<T> take(Job& job) {
    std::optional<T> value(std::move(job.values.front()));
    job.values.pop_front();
    changed_.notify_all();
    return value;
  }

  void work() {
    std::unique_lock lock(guard_);
    while (true) {
      changed_.wait(lock, [&] { return stopped_ || begun_ >= count_ || begun_ < head_ + window_; });
      if (stopped_ || begun_ >= count_) return;
      const int64_t index = begun_++;
      Job& job = jobs_[index];  // a map's elements stay where they are
      lock.unlock();
      run(index, job);
      lock.lock();
      job.done = true;
      changed_.notify_all();
    }
  }

  void run(int64_t index, Job& job) {
    try {
      produce_(index, [&](T value) {
        std::unique_lock lock(guard_);
        changed_.wait(lock, [&] { return stopped_ || job.values.size() < depth_; });
        if (stopped_) return false;
        job.values.push_back(std::move(value));
        changed_.notify_all();
        return true;
      });
    } catch (...) {
      const std::lock_guard lock(guard_);
      job.problem = std::current_exception();
    }
  }

  const int64_t count_;
  const Produce produce_;
  const int64_t window_;
  const size_t depth_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::map<int64_t, Job> jobs_;
  int64_t begun_ = 0, head_ = 0;
  bool stopped_ = false;
  std::vector<std::jthread> pool_;  // last: joined first
};

}  // namespace vesalius::tasks
