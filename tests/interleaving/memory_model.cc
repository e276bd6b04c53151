#include "tests/interleaving/memory_model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace interleaver {
namespace {

bool Acquires(std::memory_order order) {
  return order == std::memory_order_acquire ||
         order == std::memory_order_consume ||
         order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

bool Releases(std::memory_order order) {
  return order == std::memory_order_release ||
         order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void MemoryModel::Reset(Memory kind, int threads) {
  kind_ = kind;
  numbers_.clear();
  locations_.clear();
  plain_.clear();
  threads_.fill({});
  sequential_ = {};
  // From the first step on, threads are not ordered by happens-before.
  for (int t = 0; t < threads; ++t) threads_[t].now.clock[t] = 1;
}

int MemoryModel::LocationAt(const void* address, uint64_t initial) {
  const auto [found, is_new] =
      numbers_.try_emplace(address, static_cast<int>(locations_.size()));
  if (is_new) {
    if (locations_.size() == kMostLocations) {
      fprintf(stderr, "interleaver: more than %d locations\n", kMostLocations);
      abort();
    }
    locations_.emplace_back();
    locations_.back().messages.push_back({initial, 0, false, {}});
    locations_.back().order.push_back(0);
  }
  return found->second;
}

void MemoryModel::JoinSeen(View& into, const View& from) const {
  for (size_t l = 0; l < locations_.size(); ++l) {
    const std::vector<Message>& messages = locations_[l].messages;
    if (messages[into.seen[l]].position < messages[from.seen[l]].position) {
      into.seen[l] = from.seen[l];
    }
  }
}

void MemoryModel::Join(View& into, const View& from) const {
  JoinSeen(into, from);
  for (int t = 0; t < kMostThreads; ++t) {
    into.clock[t] = std::max(into.clock[t], from.clock[t]);
  }
}

void MemoryModel::Acquire(int thread, const View& view) {
  Join(threads_[thread].now, view);
}

void MemoryModel::Readable(int thread, int location,
                           std::vector<int>* out) const {
  const Location& l = locations_[location];
  out->clear();
  const int oldest =
      kind_ == Memory::kSequential
          ? static_cast<int>(l.order.size()) - 1
          : l.messages[threads_[thread].now.seen[location]].position;
  for (int p = static_cast<int>(l.order.size()) - 1; p >= oldest; --p) {
    out->push_back(l.order[p]);
  }
}

uint64_t MemoryModel::Read(int thread, int location, int message,
                           std::memory_order order) {
  Thread& t = threads_[thread];
  const Message& m = locations_[location].messages[message];
  t.now.seen[location] = static_cast<int16_t>(message);
  Join(t.acquired, m.view);
  if (Acquires(order)) Join(t.now, m.view);
  return m.value;
}

void MemoryModel::Write(int thread, int location, uint64_t value, int before,
                        std::memory_order order, const View* read_from) {
  Thread& t = threads_[thread];
  Location& l = locations_[location];
  const int number = static_cast<int>(l.messages.size());
  const int position = l.messages[before].position + 1;
  l.order.insert(l.order.begin() + position, number);
  View view = read_from != nullptr ? *read_from : View{};
  l.messages.push_back({value, position, false, {}});
  for (size_t p = position; p < l.order.size(); ++p) {
    l.messages[l.order[p]].position = static_cast<int>(p);
  }
  t.now.seen[location] = static_cast<int16_t>(number);
  // An RMW continues the release sequence of the message it read.
  Join(view, Releases(order) ? t.now : t.released);
  if (l.messages[view.seen[location]].position < position) {
    view.seen[location] = static_cast<int16_t>(number);
  }
  l.messages[number].view = view;
}

uint64_t MemoryModel::Load(int thread, int location, std::memory_order order) {
  if (order == std::memory_order_seq_cst) Fence(thread, order);
  Readable(thread, location, &candidates_);
  const size_t pick = choose_(candidates_.size());
  return Read(thread, location, candidates_[pick], order);
}

void MemoryModel::Store(int thread, int location, uint64_t value,
                        std::memory_order order) {
  if (order == std::memory_order_seq_cst) Fence(thread, order);
  Readable(thread, location, &candidates_);
  // After any message from the thread's view on, but not inside an RMW.
  std::erase_if(candidates_, [&](int m) {
    return locations_[location].messages[m].is_read_by_rmw;
  });
  const size_t pick = choose_(candidates_.size());
  Write(thread, location, value, candidates_[pick], order, nullptr);
}

uint64_t MemoryModel::Update(int thread, int location, std::memory_order order,
                             std::memory_order otherwise, const Next& next) {
  if (order == std::memory_order_seq_cst) Fence(thread, order);
  Readable(thread, location, &candidates_);
  // A message that another RMW read may be read, but not replaced.
  std::erase_if(candidates_, [&](int m) {
    const Message& message = locations_[location].messages[m];
    uint64_t after;
    return message.is_read_by_rmw && next(message.value, &after);
  });
  const int message = candidates_[choose_(candidates_.size())];
  uint64_t after;
  if (!next(locations_[location].messages[message].value, &after)) {
    return Read(thread, location, message, otherwise);
  }
  const uint64_t before = Read(thread, location, message, order);
  locations_[location].messages[message].is_read_by_rmw = true;
  const View carried = locations_[location].messages[message].view;
  Write(thread, location, after, message, order, &carried);
  return before;
}

void MemoryModel::Fence(int thread, std::memory_order order) {
  Thread& t = threads_[thread];
  if (Acquires(order)) Join(t.now, t.acquired);
  if (order == std::memory_order_seq_cst) {
    // What others must see; it adds no happens-before.
    JoinSeen(t.now, sequential_);
    JoinSeen(sequential_, t.now);
  }
  if (Releases(order)) t.released = t.now;
}

uint64_t MemoryModel::Last(int location) const {
  const Location& l = locations_[location];
  return l.messages[l.order.back()].value;
}

bool MemoryModel::ReadPlain(int thread, const void* variable) {
  Plain& p = plain_[variable];
  const View& now = threads_[thread].now;
  p.read[thread] = now.clock[thread];
  return p.writer < 0 || p.written <= now.clock[p.writer] || p.writer == thread;
}

bool MemoryModel::WritePlain(int thread, const void* variable) {
  Plain& p = plain_[variable];
  const View& now = threads_[thread].now;
  bool is_ordered = ReadPlain(thread, variable);
  for (int t = 0; t < kMostThreads; ++t) {
    if (t != thread && p.read[t] > now.clock[t]) is_ordered = false;
  }
  p.writer = thread;
  p.written = now.clock[thread];
  return is_ordered;
}

}  // namespace interleaver
