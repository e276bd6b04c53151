// Remote frees: how a block freed by one thread reaches the page's owner.
//
// Freeing thread (any number at once):        Owner, holding its heap's lock:
//   1  bits |= block                            4  take the whole stack
//   2  if (waiting.exchange(true)) done         5  waiting.exchange(false)
//   3  push the page on its owner's stack       6  taken = bits.exchange(0)
//
// Nothing is lost: the exchanges on `waiting` are totally ordered. If 2 comes
// before 5, then 5 reads what 2 (or a later 2) wrote and so sees the bits of 1,
// and 6 takes them. If 2 comes after 5 it finds false and pushes the page
// again.
//
// A page may be emptied, given back and begun anew by another owner between 1
// and 3 (another thread's push made the owner collect the bits). Then the page
// is on a stack that is not its owner's any more: the collector, after 5, reads
// the page's owner of now and delivers it there by 2 and 3. If there is no
// owner at that moment nothing waits in the page: bits are only set while one
// of its blocks is in use, and an owner is set before that.
//
// The protocol is a template over the page so that a test can run the same
// source under a scheduler that goes through every interleaving
// (remote_frees_test.cc). A page has:
//   std::atomic<bool> waiting;  Page* next_waiting;  a word of remote bits
//   std::atomic<Owner*> owner;  where Owner has std::atomic<Page*>
//   waiting_pages
#ifndef HAKMEM_BACKEND_REMOTE_FREES_H_
#define HAKMEM_BACKEND_REMOTE_FREES_H_

#include <atomic>
#include <cstdint>

namespace hakmem {

// Steps 2 and 3.
template <typename Page, typename Owner>
void DeliverRemotePage(Page* page, Owner* owner) {
  // acq_rel: release so that whoever reads this in step 5 sees the bits of
  // step 1; acquire only orders the push behind it.
  if (page->waiting.exchange(true, std::memory_order_acq_rel)) return;
  Page* head = owner->waiting_pages.load(std::memory_order_relaxed);
  do {
    page->next_waiting = head;
    // release: pairs with the acquire in CollectRemotePages; publishes
    // next_waiting.
  } while (!owner->waiting_pages.compare_exchange_weak(
      head, page, std::memory_order_release, std::memory_order_relaxed));
}

// Steps 4 to 6: calls harvest(page) for each page of `owner` that waits, after
// which the page's remote bits must have been taken. Only by the owner.
template <typename Page, typename Owner, typename Harvest>
void CollectRemotePages(Owner* owner, Harvest&& harvest) {
  // acquire: pairs with the release in DeliverRemotePage.
  Page* page =
      owner->waiting_pages.exchange(nullptr, std::memory_order_acquire);
  while (page != nullptr) {
    Page* const next = page->next_waiting;  // before others may push the page
    // acq_rel: acquire pairs with the release in DeliverRemotePage.
    page->waiting.exchange(false, std::memory_order_acq_rel);
    // acquire: pairs with the release when an owner begins the page.
    auto* const owner_now = page->owner.load(std::memory_order_acquire);
    if (owner_now == owner) {
      harvest(page);
    } else if (owner_now != nullptr) {
      DeliverRemotePage(page, owner_now);
    }
    page = next;
  }
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_REMOTE_FREES_H_
