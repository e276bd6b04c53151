// Real threads that take turns: one runs at a time, chosen by the caller, so
// that runs are reproducible.
#ifndef HAKMEM_TESTS_STATE_FUZZ_TURNS_H_
#define HAKMEM_TESTS_STATE_FUZZ_TURNS_H_

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hakmem::fuzz {

class Turns {
 public:
  explicit Turns(size_t threads) : threads_(threads) {}
  ~Turns() {
    for (size_t i = 0; i < threads_.size(); ++i) End(i);
  }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  size_t size() const { return threads_.size(); }

  // Runs `action` on thread `number` and waits for it. Starts the thread if
  // necessary.
  void Run(size_t number, std::function<void()> action) {
    std::unique_ptr<Thread>& thread = threads_[number];
    if (thread == nullptr) thread = std::make_unique<Thread>();
    thread->Run(std::move(action));
  }

  // Ends thread `number`, running its thread-exit hooks; the next Run starts a
  // new one.
  void End(size_t number) { threads_[number].reset(); }

 private:
  class Thread {
   public:
    Thread() : thread_([this] { Loop(); }) {}
    ~Thread() {
      Run(nullptr);
      thread_.join();
    }

    void Run(std::function<void()> action) {
      std::unique_lock lock(mutex_);
      action_ = std::move(action);
      has_turn_ = true;
      changed_.notify_one();
      changed_.wait(lock, [this] { return !has_turn_; });
    }

   private:
    void Loop() {
      std::unique_lock lock(mutex_);
      for (;;) {
        changed_.wait(lock, [this] { return has_turn_; });
        const bool is_last = action_ == nullptr;
        if (!is_last) action_();
        has_turn_ = false;
        changed_.notify_one();
        if (is_last) return;
      }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> action_;  // null: the thread ends
    bool has_turn_ = false;
    std::thread thread_;  // last: runs Loop
  };

  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_TURNS_H_
