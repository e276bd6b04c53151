#include "tests/interleaving/engine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace interleaver {

using internal::Place;
using Kind = Step::Kind;

const char* OrderName(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

const char* BaseName(const char* file) {
  const char* slash = strrchr(file, '/');
  return slash == nullptr ? file : slash + 1;
}

Engine* Engine::current = nullptr;

// --- The search --------------------------------------------------------------

Result Engine::Explore(const std::function<Threads()>& make,
                       const std::function<void()>& check) {
  current = this;
  for (;;) {
    names_.clear();
    RunOnce(make(), check);
    ++(cut_short_ ? result_.cut_short : result_.runs);
    if (failed_) break;
    // Back to the last choice with an alternative left.
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) {
      path_.pop_back();
    }
    if (path_.empty()) break;
    ++path_.back().taken;
    if (result_.runs + result_.cut_short >= options_.most_runs) {
      result_.passed = false;
      result_.failure = "not finished after so many runs";
      break;
    }
  }
  current = nullptr;
  if (getenv("INTERLEAVER_RUNS") != nullptr) {
    printf("[     RUNS ] %lld, and %lld cut short: %s\n",
           static_cast<long long>(result_.runs),
           static_cast<long long>(result_.cut_short),
           result_.passed ? "passed" : "failed");
  }
  return result_;
}

void Engine::Enter(void* thread) {
  auto* self = static_cast<Thread*>(thread);
  self->body();
  self->is_done = true;
  self->fiber.Leave();
}

void Engine::RunOnce(Threads bodies, const std::function<void()>& check) {
  count_ = bodies.size();
  while (threads_.size() < count_) {
    threads_.push_back(std::make_unique<Thread>());
  }
  memory_.Reset(options_.memory, static_cast<int>(count_));
  locks_.clear();
  trace_.clear();
  depth_ = 0;
  preemptions_ = 0;
  asleep_ = 0;
  cut_short_ = false;
  last_ = -1;
  for (size_t t = 0; t < count_ && !failed_; ++t) {
    Thread& thread = *threads_[t];
    thread.body = std::move(bodies[t]);
    thread.is_done = false;
    thread.sleeps_on = nullptr;
    thread.fiber.Begin(&Enter, &thread);
    running_ = static_cast<int>(t);
    thread.fiber.Enter();  // up to its first step
  }
  while (!failed_ && PickThread()) threads_[running_]->fiber.Enter();
  running_ = -1;
  if (!failed_ && !cut_short_) check();
}

bool Engine::IsEnabled(const Thread& thread) const {
  if (thread.is_done || thread.sleeps_on != nullptr) return false;
  if (thread.next.kind != Kind::kLock) return true;
  const auto lock = locks_.find(thread.next.address);
  return lock == locks_.end() || lock->second.holder < 0;
}

// Selects the next thread to run. False at the run's end.
bool Engine::PickThread() {
  running_ = -1;
  uint32_t enabled = 0;
  bool all_done = true;
  for (size_t t = 0; t < count_; ++t) {
    if (IsEnabled(*threads_[t])) enabled |= 1u << t;
    all_done = all_done && threads_[t]->is_done;
  }
  if (all_done) return false;
  if (enabled == 0) {
    Fail("deadlock: no thread can go on");
    return false;
  }
  if (trace_.size() >= static_cast<size_t>(options_.most_steps)) {
    Fail("a run without end");
    return false;
  }
  const bool is_bounded = options_.most_preemptions >= 0;
  const bool may_go_on = last_ >= 0 && (enabled >> last_ & 1) != 0;
  if (depth_ == path_.size()) {
    Choice choice;
    choice.asleep = asleep_;
    // The last thread comes first: few switches first.
    if (may_go_on && (asleep_ >> last_ & 1) == 0) {
      choice.threads.push_back(last_);
    }
    const bool may_switch =
        !is_bounded || !may_go_on || preemptions_ < options_.most_preemptions;
    for (int t = 0; t < static_cast<int>(count_) && may_switch; ++t) {
      if (t != last_ && ((enabled & ~asleep_) >> t & 1) != 0) {
        choice.threads.push_back(t);
      }
    }
    choice.count = choice.threads.size();
    if (choice.count == 0) {
      cut_short_ = true;
      return false;
    }
    path_.push_back(std::move(choice));
  }
  const Choice& choice = path_[depth_++];
  const int picked = choice.threads[choice.taken];
  if (!is_bounded && options_.leaves_out_equals) {
    uint32_t asleep = choice.asleep;
    for (size_t i = 0; i < choice.taken; ++i) {
      asleep |= 1u << choice.threads[i];
    }
    asleep_ = 0;
    for (size_t t = 0; t < count_; ++t) {
      if ((asleep >> t & 1) != 0 &&
          AreIndependent(threads_[t]->next, threads_[picked]->next)) {
        asleep_ |= 1u << t;
      }
    }
  }
  if (may_go_on && picked != last_) ++preemptions_;
  running_ = last_ = picked;
  trace_.emplace_back(picked, threads_[picked]->next);
  return true;
}

size_t Engine::Choose(size_t n) {
  if (n == 1) return 0;
  if (depth_ == path_.size()) {
    Choice choice;
    choice.count = n;
    path_.push_back(std::move(choice));
  }
  return path_[depth_++].taken;
}

void Engine::Before(Step step) {
  Thread& self = *threads_[running_];
  self.next = step;
  self.fiber.Leave();
}

// --- Steps -------------------------------------------------------------------

bool Engine::IsQuiet(Place place) const {
  return std::any_of(
      options_.quiet_files.begin(), options_.quiet_files.end(),
      [&](const std::string& file) { return file == BaseName(place.file); });
}

std::memory_order Engine::OrderAt(Place place, const char* operation, int part,
                                  std::memory_order order) {
  const Site* weakened = options_.weakened;
  if (weakened == nullptr) {
    Site site{BaseName(place.file), place.line, operation, part, order};
    if (std::find(result_.sites.begin(), result_.sites.end(), site) ==
        result_.sites.end()) {
      result_.sites.push_back(std::move(site));
    }
    return order;
  }
  const bool is_it = place.line == weakened->line && part == weakened->part &&
                     weakened->operation == operation &&
                     weakened->file == BaseName(place.file);
  return is_it ? options_.weakened_to : order;
}

uint64_t Engine::Load(const void* address, uint64_t initial,
                      std::memory_order order, Place place) {
  order = OrderAt(place, "load", 0, order);
  Before({Kind::kLoad, address, "load", order, place});
  const uint64_t value =
      memory_.Load(running_, memory_.LocationAt(address, initial), order);
  After(value);
  return value;
}

uint64_t Engine::Store(const void* address, uint64_t initial, uint64_t value,
                       std::memory_order order, Place place) {
  order = OrderAt(place, "store", 0, order);
  Before({Kind::kStore, address, "store", order, place});
  const int location = memory_.LocationAt(address, initial);
  memory_.Store(running_, location, value, order);
  After(value);
  return memory_.Last(location);
}

uint64_t Engine::Update(const void* address, uint64_t initial,
                        const char* operation, std::memory_order order,
                        std::memory_order otherwise,
                        const MemoryModel::Next& next, uint64_t* read,
                        Place place) {
  order = OrderAt(place, operation, 0, order);
  if (strcmp(operation, "compare_exchange") == 0) {
    otherwise = OrderAt(place, operation, 1, otherwise);
  }
  Before({Kind::kUpdate, address, operation, order, place});
  const int location = memory_.LocationAt(address, initial);
  *read = memory_.Update(running_, location, order, otherwise, next);
  After(*read);
  return memory_.Last(location);
}

void Engine::Fence(std::memory_order order, Place place) {
  order = OrderAt(place, "fence", 0, order);
  if (order != std::memory_order_seq_cst) {
    memory_.Fence(running_, order);
    return;
  }
  Before({Kind::kFence, nullptr, "fence", order, place});
  memory_.Fence(running_, order);
  After(0);
}

void Engine::Plain(const void* address, bool writes) {
  const bool is_ordered = writes ? memory_.WritePlain(running_, address)
                                 : memory_.ReadPlain(running_, address);
  if (is_ordered) return;
  const auto name = names_.find(address);
  FailThread("data race of thread " + std::to_string(running_) + ": it " +
             (writes ? "writes " : "reads ") +
             (name == names_.end() ? "a plain variable" : name->second));
}

constexpr Place kNowhere = {"", 0};

void Engine::Lock(const void* mutex) {
  Before({Kind::kLock, mutex, "lock", std::memory_order_acquire, kNowhere});
  LockState& lock = locks_[mutex];
  lock.holder = running_;
  memory_.Acquire(running_, lock.view);
  After(0);
}

bool Engine::TryLock(const void* mutex) {
  Before(
      {Kind::kTryLock, mutex, "try_lock", std::memory_order_acquire, kNowhere});
  LockState& lock = locks_[mutex];
  const bool is_free = lock.holder < 0;
  if (is_free) {
    lock.holder = running_;
    memory_.Acquire(running_, lock.view);
  }
  After(is_free);
  return is_free;
}

void Engine::Unlock(const void* mutex) {
  Before({Kind::kUnlock, mutex, "unlock", std::memory_order_release, kNowhere});
  LockState& lock = locks_[mutex];
  if (lock.holder != running_) FailThread("unlocked by who does not hold it");
  lock.holder = -1;
  lock.view = memory_.ViewOf(running_);
  After(0);
}

// The kernel compares the word after a full barrier, and no wake-up can come
// between that and the sleep.
void Engine::Wait(const void* word, uint32_t while_value) {
  Before(
      {Kind::kWait, word, "futex_wait", std::memory_order_seq_cst, kNowhere});
  memory_.Fence(running_, std::memory_order_seq_cst);
  const auto value = static_cast<uint32_t>(memory_.Load(
      running_, memory_.LocationAt(word, 0), std::memory_order_relaxed));
  After(value);
  if (value != while_value) return;
  threads_[running_]->sleeps_on = word;
  Before({Kind::kAwake, word, "awake", std::memory_order_relaxed, kNowhere});
  After(0);
}

void Engine::Wake(const void* word, int count) {
  Before(
      {Kind::kWake, word, "futex_wake", std::memory_order_seq_cst, kNowhere});
  memory_.Fence(running_, std::memory_order_seq_cst);
  int woken = 0;
  for (; woken < count; ++woken) {
    std::vector<Thread*> sleepers;
    for (size_t t = 0; t < count_; ++t) {
      if (threads_[t]->sleeps_on == word) sleepers.push_back(threads_[t].get());
    }
    if (sleepers.empty()) break;
    sleepers[Choose(sleepers.size())]->sleeps_on = nullptr;
  }
  After(static_cast<uint64_t>(woken));
}

void Engine::Touch(const void* shared) {
  Before({Kind::kTouch, shared, "touch", std::memory_order_relaxed, kNowhere});
  After(0);
}

// --- Failures ----------------------------------------------------------------

void Engine::Fail(const std::string& what) {
  if (failed_) return;
  failed_ = true;
  result_.passed = false;
  result_.failure = what + "\n" + Trace();
}

void Engine::FailThread(const std::string& what) {
  Fail(what);
  // Never returns.
  if (running_ >= 0) threads_[running_]->fiber.Leave();
}

std::string Engine::Trace() const {
  std::string text;
  for (const auto& [thread, step] : trace_) {
    const auto name = names_.find(step.address);
    char address[32];
    snprintf(address, sizeof(address), "%p", step.address);
    text += "  thread " + std::to_string(thread) + ": " + step.operation;
    if (step.address != nullptr) {
      text += std::string(" of ") +
              (name == names_.end() ? address : name->second.c_str());
    }
    char value[32];
    snprintf(value, sizeof(value), "%llx",
             static_cast<unsigned long long>(step.value));
    text += std::string(", ") + OrderName(step.order) + " -> " + value;
    if (step.place.line != 0) {
      text += std::string("   ") + BaseName(step.place.file) + ":" +
              std::to_string(step.place.line);
    }
    text += "\n";
  }
  return text;
}

}  // namespace interleaver
