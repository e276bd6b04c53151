#include "benchmarks/workloads/memory/crew.h"

#include <string.h>

#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

Crew::Crew(size_t threads) : threads_(threads) {
  for (size_t i = 0; i < threads; ++i) {
    Member& member = members_[i];
    member.crew = this;
    member.number = i;
    const int error = pthread_create(&member.thread, nullptr, Work, &member);
    if (error != 0) {
      Die(kAllocatorFailed, "cannot start a thread: %s", strerror(error));
    }
  }
}

Crew::~Crew() {
  BeginCalls(nullptr, nullptr);
  for (size_t i = 0; i < threads_; ++i) {
    pthread_join(members_[i].thread, nullptr);
  }
}

void Crew::BeginCalls(Call call, const void* context) {
  pthread_mutex_lock(&mutex_);
  call_ = call;
  context_ = context;
  working_ = threads_;
  ++jobs_;
  pthread_cond_broadcast(&begun_);
  pthread_mutex_unlock(&mutex_);
}

void Crew::Wait() {
  pthread_mutex_lock(&mutex_);
  while (working_ != 0) pthread_cond_wait(&done_, &mutex_);
  pthread_mutex_unlock(&mutex_);
}

void* Crew::Work(void* member) {
  const size_t number = static_cast<Member*>(member)->number;
  Crew& crew = *static_cast<Member*>(member)->crew;
  pthread_mutex_lock(&crew.mutex_);
  for (uint64_t done = 0;;) {
    while (crew.jobs_ == done) pthread_cond_wait(&crew.begun_, &crew.mutex_);
    done = crew.jobs_;
    const Call call = crew.call_;
    const void* const context = crew.context_;
    if (call == nullptr) break;
    pthread_mutex_unlock(&crew.mutex_);
    call(context, number);
    pthread_mutex_lock(&crew.mutex_);
    if (--crew.working_ == 0) pthread_cond_signal(&crew.done_);
  }
  pthread_mutex_unlock(&crew.mutex_);
  return nullptr;
}

}  // namespace hakmem::bench
