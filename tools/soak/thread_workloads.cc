// Blocks that one thread allocates and another frees.
#include <pthread.h>

#include <atomic>

#include "tools/soak/counters.h"
#include "tools/soak/thread_pool.h"
#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

// --- PassOn: places where threads leave blocks for one another.

constexpr size_t kPlaces = 1024;
constexpr size_t kMostBytes = 65536;

struct Place {
  std::atomic<bool> taken;  // a try-lock: threads do not wait for it
  Block block;
};
Place places[kPlaces];

// Swaps `block` with what lies in a place. Does nothing while another thread is
// at that place.
void Exchange(Random& random, Block& block) {
  Place& place = places[random.Below(kPlaces)];
  // Acquire pairs with the release below: the block's contents are visible.
  if (place.taken.exchange(true, std::memory_order_acquire)) return;
  std::swap(place.block, block);
  place.taken.store(false, std::memory_order_release);
}

// --- ProduceAndConsume and RequestAndAnswer: a thread that is started for it.

struct Peer {
  QueuePair* queues;
  uint64_t seed;
  size_t requests;
  bool answers;  // each request, by a block of its own
};

void* Receive(void* argument) {
  const Peer& peer = *static_cast<Peer*>(argument);
  Random random(peer.seed);
  for (size_t i = 0; i < peer.requests; ++i) {
    Block request = peer.queues->requests.Take();
    if (request.at != nullptr) Release(random, request);
    if (!peer.answers) continue;
    Block answer = {};
    Allocate(random, random.LogNormal(), 0, Entry::kAny, answer);
    peer.queues->answers.Put(answer);
  }
  FlushCounters();
  return nullptr;
}

// Sends `requests` blocks, at most `ahead` of the answers.
void SendAndReceive(ThreadState& state, size_t requests, bool answers,
                    size_t ahead) {
  Random& random = state.random;
  Peer peer = {&state.queues, random.Next(), requests, answers};
  pthread_t thread;
  if (!StartThread(thread, Receive, &peer)) return;
  for (size_t sent = 0, received = 0; received < requests;) {
    if (sent < requests && sent - received < ahead) {
      Block request = {};
      Allocate(random, random.LogNormal(), 0, Entry::kAny, request);
      state.queues.requests.Put(request);
      ++sent;
      if (!answers) ++received;
      continue;
    }
    Block answer = state.queues.answers.Take();
    if (answer.at != nullptr) Release(random, answer);
    ++received;
  }
  pthread_join(thread, nullptr);
}

}  // namespace

void PassOn(ThreadState& state) {
  Random& random = state.random;
  BlockList& kept = state.kept;
  for (size_t steps = random.Between(200, 4000); steps > 0; --steps) {
    if (kept.size() == 0 || random.OneIn(4)) {
      kept.Add(random, random.LogNormal());
    }
    if (kept.size() == 0) continue;
    const size_t i = random.Below(kept.size());
    if (kept[i].size > kMostBytes) continue;
    Block block = kept.Take(i);
    Exchange(random, block);
    if (block.at == nullptr) continue;
    if (random.OneIn(2) || !kept.Adopt(block)) Release(random, block);
  }
}

void ReleasePassedOn(Random& random) {
  for (Place& place : places) {
    if (place.block.at != nullptr) Release(random, place.block);
  }
}

// One way: a producer and a consumer.
void ProduceAndConsume(ThreadState& state) {
  SendAndReceive(state, state.random.Between(100, 5000), /*answers=*/false, 1);
}

// Requests and answers, each freed by the other side.
void RequestAndAnswer(ThreadState& state) {
  SendAndReceive(state, state.random.Between(100, 3000), /*answers=*/true,
                 state.random.LogUniform(1, BlockQueue::kCapacity));
}

}  // namespace hakmem::soak
